#!/usr/bin/env bash
# Package: Maven io.kubernetes client-java 26.0.0.
# A user's Java tool lists Secrets. The cluster is upgraded, and the new API server sends a field that this client does not know yet.
# Guess before the run: the unknown field is ignored, as clients of the Kubernetes API are asked to do.
# Seen: the list fails with IllegalArgumentException, "The field `...` in the JSON string is not defined in the `V1Secret` properties".
# Why it matters: the tool stops with the first object that has the field, on the day of the upgrade, although nobody uses the field.
# A controller in Java beside the operator can then no longer read the Secrets of a forwarding.
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
cat >Read.java <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.apis.CoreV1Api;
import java.net.InetAddress;
import java.net.InetSocketAddress;

class Read {
  public static void main(String[] arguments) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    String known = "{\"metadata\":{\"name\":\"konnect\"}}";
    String newer = "{\"metadata\":{\"name\":\"sumologic\"},\"fieldOfNextYear\":true}";
    server.createContext("/", exchange -> {
      String items = exchange.getRequestURI().getPath().contains("/newer/") ? known + "," + newer : known;
      byte[] body = ("{\"apiVersion\":\"v1\",\"kind\":\"SecretList\",\"metadata\":{},\"items\":[" + items + "]}").getBytes();
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
    ApiClient client = new ApiClient();
    client.setBasePath("http://127.0.0.1:" + server.getAddress().getPort());
    CoreV1Api api = new CoreV1Api(client);
    for (String namespace : new String[] {"known", "newer"}) {
      try {
        System.out.println(namespace + ": " + api.listNamespacedSecret(namespace).execute().getItems().size() + " Secrets");
      } catch (IllegalArgumentException error) {
        System.out.println(namespace + ": " + error.getMessage().replaceFirst(" JSON: .*", ""));
      }
    }
    System.exit(0);
  }
}
JAVA
java -cp "$(cat classpath.txt)" Read.java 2>errors.txt | tee seen.txt
diff seen.txt - <<'SEEN'
known: 1 Secrets
newer: The field `fieldOfNextYear` in the JSON string is not defined in the `V1Secret` properties.
SEEN
