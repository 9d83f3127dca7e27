#!/usr/bin/env bash
# Package: Go module github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza v0.149.0, the parsers of the Collector's log receivers.
# A user: relays audit lines with the OpenTelemetry Collector and hands `trace_id` to the trace parser. Konnect's ids are decimal numbers, and their length varies.
# Guess before the run: an error for every id, because 16 bytes in hexadecimal are 32 characters.
# Seen: an error for 19 digits alone, "odd length". 18 digits are accepted: each pair counts as hexadecimal, and the id has 9 bytes.
# Why it matters: some events get a trace id that belongs to nothing, others an error, and which is which looks random.
#   The trace_id of an audit line should stay an attribute.
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
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/helper"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/operator/parser/trace"
	"go.opentelemetry.io/collector/component/componenttest"
)

func parse(id string) ([]byte, error) {
	config := trace.NewConfig()
	field := entry.NewAttributeField("trace_id")
	config.TraceID = &helper.TraceIDConfig{ParseFrom: &field}
	built, err := config.Build(componenttest.NewNopTelemetrySettings())
	if err != nil {
		panic(err)
	}
	event := entry.New()
	event.Attributes = map[string]any{"trace_id": id}
	err = built.(interface{ Parse(*entry.Entry) error }).Parse(event)
	fmt.Printf("%s (%d digits): %d bytes %x, error %v\n", id, len(id), len(event.TraceID), event.TraceID, err)
	return event.TraceID, err
}

func main() {
	_, odd := parse("3360194145499877253")
	id, even := parse("914291270956219529")
	if odd == nil || even != nil || len(id) != 9 {
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
