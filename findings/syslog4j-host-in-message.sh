#!/usr/bin/env bash
# Package: Maven org.graylog2:syslog4j 0.9.61, a syslog server for Java.
# A user: puts `<14>` in front of a CEF line, lets SyslogServerEvent parse it and hands getMessage() to a CEF parser.
# Guess before the run: getHost() is konghq.com and getMessage() begins with "CEF:0|".
# Seen: getHost() is right, and getMessage() begins with the host once more: "konghq.com CEF:0|". A time in the older form makes no difference.
# Why it matters: a CEF parser that wants "CEF:" at the start refuses every line. The host has to be cut off by hand.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>finding</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.graylog2</groupId>
      <artifactId>syslog4j</artifactId>
      <version>0.9.61</version>
    </dependency>
  </dependencies>
</project>
XML
cat > Finding.java <<'JAVA'
import java.net.InetAddress;
import org.graylog2.syslog4j.server.impl.event.SyslogServerEvent;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    String cef = "CEF:0|KongInc|Konnect|1.0|konnect|Authz.control-planes|1|rt=1795166102417 action=list granted=true";
    boolean same = true;
    for (String time : new String[] {"2026-11-20T09:15:02Z", "Nov 20 09:15:02"}) {
      SyslogServerEvent event =
          new SyslogServerEvent("<14>" + time + " konghq.com " + cef, InetAddress.getLoopbackAddress());
      System.out.println(event.getHost() + " | " + event.getMessage());
      same &= event.getHost().equals("konghq.com") && event.getMessage().equals("konghq.com " + cef);
    }
    System.exit(same ? 0 : 1);
  }
}
JAVA
mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib
ls lib | grep syslog4j
javac -cp 'lib/*' Finding.java
java -cp 'lib/*:.' Finding
