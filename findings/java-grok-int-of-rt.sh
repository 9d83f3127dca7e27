#!/usr/bin/env bash
# Package: Maven io.krakens:java-grok 0.1.9.
# A user: reads CEF lines with a grok pattern that has %{INT:rt:int}, because `rt` is a whole number.
# Guess before the run: an exception, or no value for rt, because milliseconds do not fit into 32 bits.
# Seen: no exception. rt is text, where severity with :int is a number, and the event has one field more,
#   rt_grokfailure, with the name of a Java exception in it. %{INT:rt:long} gives a number.
# Why it matters: a SIEM makes rt a text field and stores the words of a Java exception with every event.
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
      <groupId>io.krakens</groupId>
      <artifactId>java-grok</artifactId>
      <version>0.1.9</version>
    </dependency>
  </dependencies>
</project>
XML
cat > Finding.java <<'JAVA'
import io.krakens.grok.api.GrokCompiler;
import java.util.Map;

public class Finding {
  static Map<String, Object> read(String type) {
    GrokCompiler compiler = GrokCompiler.newInstance();
    compiler.registerDefaultPatterns();
    String line = "CEF:0|KongInc|Konnect|1.0|konnect|Authz.control-planes|1|rt=1795166102417 action=list granted=true";
    String pattern = "CEF:0\\|.*\\|%{INT:severity:int}\\|rt=%{INT:rt:" + type + "}";
    Map<String, Object> event = compiler.compile(pattern, true).match(line).capture();
    System.out.println(type + " " + event);
    return event;
  }

  public static void main(String[] arguments) {
    Map<String, Object> asInt = read("int");
    Map<String, Object> asLong = read("long");
    boolean same =
        asInt.get("severity").equals(1)
            && asInt.get("rt").equals("1795166102417")
            && String.valueOf(asInt.get("rt_grokfailure")).contains("NumberFormatException")
            && asLong.get("rt").equals(1795166102417L);
    System.exit(same ? 0 : 1);
  }
}
JAVA
mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib
ls lib | grep java-grok
javac -cp 'lib/*' Finding.java
java -cp 'lib/*:.' Finding 2> /dev/null
