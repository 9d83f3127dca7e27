#!/usr/bin/env bash
# Package: Go module github.com/fluxcd/pkg/envsubst v1.5.0, which Flux uses for postBuild.substitute.
# A user turns postBuild.substitute on for one variable, ${CLUSTER}. A manifest of the same Kustomization holds a token with two dollar signs, and no braces.
# Guess before the run: only ${...} is touched, and $${...} is the way to write one literally; "a$$b" stays.
# Seen: every "$$" becomes "$", with braces behind it or not. A single "$" stays.
# Why it matters: "Bearer a$$b" reaches the cluster as "Bearer a$b", the SIEM answers 401, and the token in Git is right.
# Regular expressions and passwords in ConfigMaps change the same way on the day the first variable is introduced.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat >go.mod <<'MOD'
module example

go 1.26.0
MOD
go get github.com/fluxcd/pkg/envsubst@v1.5.0 >go.txt 2>&1 || { cat go.txt; exit 1; }
cat >main.go <<'GO'
package main

import (
	"fmt"

	"github.com/fluxcd/pkg/envsubst"
)

func main() {
	variables := func(name string) (string, bool) { return "eu-1", name == "CLUSTER" }
	for _, text := range []string{"name: ${CLUSTER}", "authorization: Bearer a$$b", "authorization: Bearer a$b", "pattern: ^x$$"} {
		result, err := envsubst.Eval(text, variables)
		fmt.Println(text, "->", result, err)
	}
}
GO
go run . | tee seen.txt
diff seen.txt - <<'SEEN'
name: ${CLUSTER} -> name: eu-1 <nil>
authorization: Bearer a$$b -> authorization: Bearer a$b <nil>
authorization: Bearer a$b -> authorization: Bearer a$b <nil>
pattern: ^x$$ -> pattern: ^x$ <nil>
SEEN
