#!/usr/bin/env bash
# Package: Maven io.kubernetes client-java 26.0.0, class Yaml.
# A user annotates a Secret with the hour of its rotation, 12:30:45, and a day, 2026-11-22, both without quotes. kubectl takes both as text.
# Guess before the run: the values stay what SnakeYAML made of them, and reading one as a String throws a ClassCastException.
# Seen: they become text, but another text: 12:30:45 is "45045", seconds in base 60, and 2026-11-22 is "2026-11-22T00:00:00Z".
# Why it matters: a Java tool that loads a manifest and applies it changes annotations that kubectl leaves alone.
# A check of the rotation time then compares against 45045, and Git and the cluster differ for ever.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
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
cat >secret.yaml <<'YAML'
apiVersion: v1
kind: Secret
metadata:
  name: sumologic
  annotations:
    rotated-at: 12:30:45
    rotated-on: 2026-11-22
YAML
cat >Load.java <<'JAVA'
import io.kubernetes.client.openapi.models.V1Secret;
import io.kubernetes.client.util.Yaml;
import java.io.File;

class Load {
  public static void main(String[] arguments) throws Exception {
    V1Secret secret = (V1Secret) Yaml.load(new File("secret.yaml"));
    String at = secret.getMetadata().getAnnotations().get("rotated-at");
    String on = secret.getMetadata().getAnnotations().get("rotated-on");
    System.out.println("rotated-at: " + at + "\nrotated-on: " + on);
  }
}
JAVA
java -cp "$(cat classpath.txt)" Load.java 2>errors.txt | tee seen.txt
diff seen.txt - <<'SEEN'
rotated-at: 45045
rotated-on: 2026-11-22T00:00:00Z
SEEN
