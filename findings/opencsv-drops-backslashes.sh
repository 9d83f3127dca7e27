#!/usr/bin/env bash
# Package: Maven com.opencsv:opencsv 5.12.0.
# A user: exports raw CEF lines as CSV and reads them with CSVReader. A user agent with `=` in it is escaped in the line: lang\=go.
# Guess before the run: the field comes back as it is, because CSV (RFC 4180) knows quotation marks and no backslash.
# Seen: the backslashes are gone: lang=go. CSVReader takes them for an escape character of its own. RFC4180Parser keeps them.
# Why it matters: the signature covers the backslashes, so a good line fails. CEF parsers split the value at the bare `=`.
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
      <groupId>com.opencsv</groupId>
      <artifactId>opencsv</artifactId>
      <version>5.12.0</version>
    </dependency>
  </dependencies>
</project>
XML
cat > Finding.java <<'JAVA'
import com.opencsv.CSVReader;
import com.opencsv.CSVReaderBuilder;
import com.opencsv.RFC4180ParserBuilder;
import java.io.StringReader;

public class Finding {
  public static void main(String[] arguments) throws Exception {
    String raw = "CEF:0|KongInc|Konnect|1.0|konnect|Authz.portals|1|rt=1795166102417 user_agent=terraform/1.9 (lang\\=go; os\\=linux)";
    String row = "2026-11-20T09:15:02Z,\"" + raw + "\"\n";
    String plain = new CSVReader(new StringReader(row)).readNext()[1];
    String rfc =
        new CSVReaderBuilder(new StringReader(row)).withCSVParser(new RFC4180ParserBuilder().build()).build().readNext()[1];
    System.out.println("written       " + raw);
    System.out.println("CSVReader     " + plain);
    System.out.println("RFC4180Parser " + rfc);
    System.exit(plain.equals(raw.replace("\\", "")) && rfc.equals(raw) ? 0 : 1);
  }
}
JAVA
mvn -q -B -Dstyle.color=never dependency:copy-dependencies -DoutputDirectory=lib
ls lib | grep opencsv
javac -cp 'lib/*' Finding.java
java -cp 'lib/*:.' Finding
