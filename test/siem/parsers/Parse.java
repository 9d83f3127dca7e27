import com.fluenda.parcefone.parser.CEFParser;
import com.github.jcustenborder.cef.CEFParserFactory;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Function;

/** Prints what the parsers of Maven read from each line of standard input: parser, number of the line, key and value, with tabs between. */
public class Parse {
  public static void main(String[] arguments) throws Exception {
    Map<String, Function<String, Map<String, ?>>> parsers =
        Map.of(
            "cef-parser", line -> CEFParserFactory.create().parse(line).extensions(),
            "parcefone", line -> extension(line, false),
            "parcefone, custom keys", line -> extension(line, true));
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    String line;
    for (int number = 0; (line = input.readLine()) != null; number++) {
      for (var parser : parsers.entrySet()) {
        Map<String, ?> fields;
        try {
          fields = parser.getValue().apply(line);
        } catch (RuntimeException error) {
          fields = Map.of("!", String.valueOf(error).replace('\n', ' '));
        }
        for (var field : fields.entrySet()) {
          System.out.println(String.join("\t", parser.getKey(), "" + number, field.getKey(), "" + field.getValue()));
        }
      }
    }
  }

  private static Map<String, ?> extension(String line, boolean isCustom) {
    try {
      return new CEFParser().parse(line).getExtension(true, isCustom);
    } catch (Exception error) {
      throw new IllegalArgumentException(error);
    }
  }
}
