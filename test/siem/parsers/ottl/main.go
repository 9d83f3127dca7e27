// Prints what OTTL, the language of the OpenTelemetry Collector, reads from each line of standard input: parser, number of the line, key and value, with
// tabs between.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/ottlfuncs"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func main() {
	parser, err := ottllog.NewParser(ottlfuncs.StandardFuncs[*ottllog.TransformContext](), componenttest.NewNopTelemetrySettings(), ottllog.EnablePathContextNames())
	if err != nil {
		panic(err)
	}
	input := bufio.NewScanner(os.Stdin)
	for number := 0; input.Scan(); number++ {
		function := "ParseKeyValue"
		if strings.HasPrefix(input.Text(), "{") {
			function = "ParseJSON"
		}
		statement, err := parser.ParseStatement("merge_maps(log.attributes, " + function + "(log.body), \"upsert\")")
		if err != nil {
			panic(err)
		}
		logs := plog.NewResourceLogs()
		scope := logs.ScopeLogs().AppendEmpty()
		record := scope.LogRecords().AppendEmpty()
		record.Body().SetStr(input.Text())
		if _, _, err := statement.Execute(context.Background(), ottllog.NewTransformContext(logs, scope, record)); err != nil {
			fmt.Printf("OTTL %s\t%d\t!\t%s\n", function, number, err)
		}
		record.Attributes().Range(func(key string, value pcommon.Value) bool {
			fmt.Printf("OTTL %s\t%d\t%s\t%s\n", function, number, key, value.AsString())
			return true
		})
	}
}
