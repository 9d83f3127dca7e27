#!/usr/bin/env bash
# Package: Maven io.fabric8 kubernetes-client 8.0.0, class Duration.
# A Java tool reads an interval from a custom resource, "1.5h", which Go and every operator written in Go take as 90 minutes.
# Guess before the run: Duration.parse("1.5h") throws a ParseException, because fabric8's pattern knows whole numbers only.
# Seen: it returns five hours. What stands before the dot is dropped. "0.5m" is five minutes. "90m" and "1h30m" are right.
# Why it matters: a check that says "no audit line for longer than the interval" waits three times too long, and nothing is reported.
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
      <groupId>io.fabric8</groupId>
      <artifactId>kubernetes-client</artifactId>
      <version>8.0.0</version>
    </dependency>
  </dependencies>
</project>
XML
mvn -q -B dependency:build-classpath -Dmdep.outputFile=classpath.txt >maven.txt 2>&1 || { cat maven.txt; exit 1; }
cat >Parse.java <<'JAVA'
import io.fabric8.kubernetes.api.model.Duration;

class Parse {
  public static void main(String[] arguments) throws Exception {
    for (String text : new String[] {"90m", "1h30m", "1.5h", "0.5m"}) {
      System.out.println(text + " = " + Duration.parse(text).getDuration());
    }
  }
}
JAVA
java -cp "$(cat classpath.txt)" Parse.java 2>errors.txt | tee seen.txt
diff seen.txt - <<'SEEN'
90m = PT1H30M
1h30m = PT1H30M
1.5h = PT5H
0.5m = PT5M
SEEN
