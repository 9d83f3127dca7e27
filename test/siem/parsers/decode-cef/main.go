// Prints what the code of Filebeat's processor decode_cef reads from each line of standard input: parser, number of the line, key and value, with tabs
// between.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/elastic/beats/v7/x-pack/filebeat/processors/decode_cef/cef"
)

func main() {
	input := bufio.NewScanner(os.Stdin)
	for number := 0; input.Scan(); number++ {
		_, line, _ := strings.Cut(input.Text(), "CEF:") // As the processor does.
		var event cef.Event
		if err := event.Unpack("CEF:"+line, cef.WithFullExtensionNames()); err != nil {
			fmt.Printf("decode_cef\t%d\terror.message\t%s\n", number, err)
		}
		for key, field := range event.Extensions {
			fmt.Printf("decode_cef\t%d\t%s\t%s\n", number, key, field.String)
		}
	}
}
