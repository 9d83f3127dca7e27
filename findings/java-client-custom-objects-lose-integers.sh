#!/usr/bin/env bash
# Package: Maven io.kubernetes client-java 26.0.0, class CustomObjectsApi.
# A user reads a custom resource, changes one field and writes it back with replaceNamespacedCustomObject. Other fields hold integers.
# Guess before the run: integers come back as they were, also a 19-digit ID, because Gson keeps the text of a number until it is asked for.
# Seen: every number is a double. 5 is written back as 5.0, and 3360194145499877252 as 3.3601941454998774E18.
# Why it matters: read, change and replace is how most scripts edit a resource. It changes fields that nobody touched.
# metadata.generation prints as 5.0, so a text comparison with status.observedGeneration of another client never matches.
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
cat >Replace.java <<'JAVA'
import com.sun.net.httpserver.HttpServer;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.openapi.apis.CustomObjectsApi;
import java.net.InetAddress;
import java.net.InetSocketAddress;

class Replace {
  public static void main(String[] arguments) throws Exception {
    String stored = "{\"apiVersion\":\"example.com/v1\",\"kind\":\"AuditRoute\",\"metadata\":{\"name\":\"replay\",\"generation\":5},\"spec\":{\"traceId\":3360194145499877252}}";
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> {
      String sent = new String(exchange.getRequestBody().readAllBytes());
      System.out.println(exchange.getRequestMethod() + " " + (sent.isEmpty() ? stored : sent));
      byte[] body = stored.getBytes();
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
    ApiClient client = new ApiClient();
    client.setBasePath("http://127.0.0.1:" + server.getAddress().getPort());
    CustomObjectsApi api = new CustomObjectsApi(client);
    Object route = api.getNamespacedCustomObject("example.com", "v1", "platform", "auditroutes", "replay").execute();
    api.replaceNamespacedCustomObject("example.com", "v1", "platform", "auditroutes", "replay", route).execute();
    System.exit(0);
  }
}
JAVA
java -cp "$(cat classpath.txt)" Replace.java 2>errors.txt | tee seen.txt
diff seen.txt - <<'SEEN'
GET {"apiVersion":"example.com/v1","kind":"AuditRoute","metadata":{"name":"replay","generation":5},"spec":{"traceId":3360194145499877252}}
PUT {"apiVersion":"example.com/v1","kind":"AuditRoute","metadata":{"name":"replay","generation":5.0},"spec":{"traceId":3.3601941454998774E18}}
SEEN
