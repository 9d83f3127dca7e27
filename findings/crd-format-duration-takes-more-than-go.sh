#!/usr/bin/env bash
# Packages: Go modules k8s.io/kube-openapi v0.0.0-20260821135717-be32def86098, which checks formats for the API server, and k8s.io/apimachinery v0.37.2.
# The author of a CRD declares an interval as a string with format: duration. The operator is in Go and reads the field as metav1.Duration.
# Guess before the run: the format takes what Go takes, and days and weeks besides. An ISO 8601 duration, PT5M, is refused.
# Seen: PT5M passes as five minutes. metav1.Duration reads neither PT5M nor 1d nor "1 week".
# Why it matters: the API server admits an object that the operator cannot decode. One such object makes the typed list of all of them fail.
# A pattern in the schema, not the format, keeps the two readers together.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
printf 'module example\n\ngo 1.26.0\n' >go.mod
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
)

func main() {
	for _, text := range []string{"90m", "PT5M", "1d", "1 week", "soon"} {
		var duration metav1.Duration
		err := json.Unmarshal([]byte(`"`+text+`"`), &duration)
		fmt.Printf("%s: format duration %t, metav1.Duration %t\n", text, strfmt.Default.Validates("duration", text), err == nil)
	}
}
GO
go get k8s.io/kube-openapi@v0.0.0-20260821135717-be32def86098 k8s.io/apimachinery@v0.37.2 >go.txt 2>&1 || { cat go.txt; exit 1; }
go mod tidy >go.txt 2>&1 || { cat go.txt; exit 1; }
go run . | tee seen.txt
diff seen.txt - <<'SEEN'
90m: format duration true, metav1.Duration true
PT5M: format duration true, metav1.Duration false
1d: format duration true, metav1.Duration false
1 week: format duration true, metav1.Duration false
soon: format duration false, metav1.Duration false
SEEN
