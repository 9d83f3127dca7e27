#!/usr/bin/env bash
# Package: Maven com.fasterxml.jackson.datatype:jackson-datatype-jsr310 2.21.3.
# A user: reads JSON lines into a class whose `rt` is an Instant. Konnect's `rt` is milliseconds, which may come as text.
# Guess before the run: an exception, because the text is no ISO 8601 time.
# Seen: no exception. Digits in text are taken for seconds, which gives the year 58856. The older type java.util.Date takes the same text
#   for milliseconds and gives 2026.
# Why it matters: the events are stored, and far in the future. Every search over the last days is empty.
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
      <groupId>com.fasterxml.jackson.datatype</groupId>
      <artifactId>jackson-datatype-jsr310</artifactId>
      <version>2.21.3</version>
    </dependency>
  </dependencies>
</project>
XML
cat > Finding.java <<'JAVA'
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Date;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    ObjectMapper mapper = new ObjectMapper().registerModule(new JavaTimeModule());
    String rt = "\"1795166102417\"";
    Instant instant = mapper.readValue(rt, Instant.class);
    Date date = mapper.readValue(rt, Date.class);
    System.out.println("jsr310 " + new JavaTimeModule().version());
    System.out.println("Instant " + instant);
    System.out.println("Date    " + date.toInstant());
    boolean same = instant.atZone(ZoneOffset.UTC).getYear() == 58856 && date.toInstant().toString().equals("2026-11-20T09:15:02.417Z");
    System.exit(same ? 0 : 1);
  }
}
JAVA
mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib
javac -cp 'lib/*' Finding.java
java -cp 'lib/*:.' Finding
