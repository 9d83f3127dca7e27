#!/usr/bin/env bash
# Package: Go module github.com/redpanda-data/benthos/v4 v4.60.0, its mapping language Bloblang.
# A user: has `rt` as text, makes it a number to check it, and writes it as text again: rt.number().string().
# Guess before the run: "1795166102417" again, because 13 digits are exact in any number type.
# Seen: "1.795166102417e+12". int64().string() gives the digits.
# Why it matters: a SIEM that looks for 13 digits finds no time in the event. No digit is lost, so a test by value does not show it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
)

func eval(mapping string) any {
	program, err := bloblang.Parse(mapping)
	if err != nil {
		panic(err)
	}
	value, err := program.Query(map[string]any{"rt": "1795166102417"})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%-36s %v\n", mapping, value)
	return value
}

func main() {
	number := eval("root = this.rt.number().string()")
	integer := eval("root = this.rt.int64().string()")
	if number != "1.795166102417e+12" || integer != "1795166102417" {
		os.Exit(1)
	}
}
GO
export GOFLAGS=-mod=mod
go mod init finding 2> /dev/null
go get github.com/redpanda-data/benthos/v4@v4.60.0 github.com/redpanda-data/benthos/v4/public/components/pure@v4.60.0 2> /dev/null
go list -m github.com/redpanda-data/benthos/v4
go run .
