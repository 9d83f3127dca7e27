#!/usr/bin/env bash
# Package: Go module github.com/leodido/go-syslog/v4 v4.6.0, the parser below OpenTelemetry's syslog receiver.
# A user: puts `<14>` in front of a CEF line and parses it as RFC 3164, and joins appname and message again to get the CEF line.
# Guess before the run: appname is "CEF" and the message begins at "0|KongInc", so "CEF:" has to be put back. Vector cuts like that.
# Seen: appname is "CEF", and the message still begins with "CEF:0|KongInc". The tag is in both.
#   Only with a blank behind the colon, as in "sshd: text", is the tag cut from the message.
# Why it matters: whoever puts "CEF:" back has "CEF:CEF:0|", which is no CEF header. The message alone is the line.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/leodido/go-syslog/v4/rfc3164"
)

func parse(line string) (string, string) {
	message, err := rfc3164.NewParser(rfc3164.WithRFC3339()).Parse([]byte(line))
	if err != nil {
		panic(err)
	}
	fields := message.(*rfc3164.SyslogMessage)
	fmt.Printf("appname %q message %q\n", *fields.Appname, *fields.Message)
	return *fields.Appname, *fields.Message
}

func main() {
	cef := "CEF:0|KongInc|Konnect|1.0|konnect|Authz.control-planes|1|rt=1795166102417 action=list granted=true"
	name, text := parse("<14>2026-11-20T09:15:02Z konghq.com " + cef)
	ok := name == "CEF" && text == cef
	name, text = parse("<14>2026-11-20T09:15:02Z konghq.com sshd: session opened")
	if !ok || name != "sshd" || text != "session opened" {
		os.Exit(1)
	}
}
GO
export GOFLAGS=-mod=mod
go mod init finding 2> /dev/null
go get github.com/leodido/go-syslog/v4@v4.6.0 2> /dev/null
go list -m github.com/leodido/go-syslog/v4
go run .
