#!/usr/bin/env bash
# Package: Go module github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza v0.149.0, the parsers of the Collector's log receivers.
# A user: relays audit lines with the OpenTelemetry Collector and feeds `severity` of CEF or JSON, 0 or 1, to the severity parser.
# Guess before the run: no severity is set, because the digits of CEF are in no mapping.
# Seen: "1" becomes TRACE, the lowest severity, and "0" sets none. The number 1, as JSON may have it, is an error.
#   A mapping such as info: ["0", "1"] in the configuration gives INFO for both texts.
# Why it matters: permission checks have severity 1. A pipeline that drops what is below INFO drops them all.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/entry"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/severity"
	"go.opentelemetry.io/collector/component/componenttest"
)

func parse(value any, mapping map[string]any) (entry.Severity, error) {
	config := severity.NewConfig()
	field := entry.NewAttributeField("severity")
	config.ParseFrom = &field
	config.Mapping = mapping
	built, err := config.Build(componenttest.NewNopTelemetrySettings())
	if err != nil {
		panic(err)
	}
	event := entry.New()
	event.Attributes = map[string]any{"severity": value}
	err = built.(interface{ Parse(*entry.Entry) error }).Parse(event)
	fmt.Printf("severity %T %v: %v, error %v\n", value, value, event.Severity, err)
	return event.Severity, err
}

func main() {
	zero, zeroError := parse("0", nil)
	one, oneError := parse("1", nil)
	_, numberError := parse(int64(1), nil)
	mapped, mappedError := parse("1", map[string]any{"info": []any{"0", "1"}})
	ok := zero == entry.Default && zeroError == nil && one == entry.Trace && oneError == nil
	if !ok || numberError == nil || mapped != entry.Info || mappedError != nil {
		os.Exit(1)
	}
}
GO
export GOFLAGS=-mod=mod
go mod init finding 2> /dev/null
go get github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza@v0.149.0 2> /dev/null
go get . 2> /dev/null
go list -m github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza
go run .
