#!/usr/bin/env bash
# Package: Go module github.com/gofiber/fiber/v3 v3.1.0.
# A user: receives audit lines with fiber, stores c.Body() and answers 200. Konnect may send `Content-Encoding: application/gzip`.
# Guess before the run: c.Body() is the compressed bytes, as with echo and net/http.
# Seen: c.Body() is the text "Unsupported Media Type". fiber puts 415 into the answer, which the handler's 200 replaces.
#   With `gzip` the body is the lines.
# Why it matters: the sender is told that all arrived. The store has three English words in place of each batch.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > main.go <<'GO'
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http/httptest"
	"os"

	"github.com/gofiber/fiber/v3"
)

func main() {
	var seen string
	app := fiber.New()
	app.Post("/", func(c fiber.Ctx) error {
		seen = string(c.Body())
		return c.SendStatus(fiber.StatusOK)
	})
	batch := "line one\nline two\n"
	send := func(encoding string) int {
		var body bytes.Buffer
		zipper := gzip.NewWriter(&body)
		zipper.Write([]byte(batch))
		zipper.Close()
		request := httptest.NewRequest("POST", "/", &body)
		request.Header.Set("Content-Type", "text/plain")
		request.Header.Set("Content-Encoding", encoding)
		response, err := app.Test(request)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%-16s status %d, body %q\n", encoding, response.StatusCode, seen)
		return response.StatusCode
	}
	fmt.Println("fiber", fiber.Version)
	ok := send("gzip") == 200 && seen == batch
	ok = send("application/gzip") == 200 && seen == "Unsupported Media Type" && ok
	if !ok {
		os.Exit(1)
	}
}
GO
export GOFLAGS=-mod=mod
go mod init finding 2> /dev/null
go get github.com/gofiber/fiber/v3@v3.1.0 2> /dev/null
go run .
