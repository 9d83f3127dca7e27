#!/usr/bin/env bash
# Packages: PyPI cel-python 0.5.0, beside Go module k8s.io/apimachinery v0.37.2, whose metav1.Duration reads as the API server's CEL does.
# A user tests a rule of a CRD in Python, duration(self.interval) >= duration('1m'), with the interval '1d'.
# Guess before the run: an error, because a duration of CEL knows no unit above the hour, as in Kubernetes.
# Seen: cel-python takes '1d' as 24 hours and the rule holds. Go's reader answers: unknown unit "d".
# Why it matters: the test is green and documents "1d" as an interval that works. The API server then refuses the object, or the operator cannot read it.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check cel-python==0.5.0
cat >rule.py <<'PY'
import celpy
environment = celpy.Environment()
rule = environment.program(environment.compile("duration(self.interval) >= duration('1m')"))
for interval in ["90m", "1d", "1w"]:
    try:
        print(interval, rule.evaluate({"self": celpy.json_to_cel({"interval": interval})}))
    except (celpy.CELEvalError, ValueError) as error:
        print(interval, "refused")
PY
venv/bin/python rule.py | sed 's/^/cel-python: /' | tee seen.txt
printf 'module example\n\ngo 1.26.0\n' >go.mod
go get k8s.io/apimachinery@v0.37.2 >go.txt 2>&1 || { cat go.txt; exit 1; }
cat >main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func main() {
	for _, interval := range []string{"90m", "1d", "1w"} {
		var duration metav1.Duration
		err := json.Unmarshal([]byte(`"`+interval+`"`), &duration)
		fmt.Println(interval, err == nil, err)
	}
}
GO
go mod tidy >go.txt 2>&1 || { cat go.txt; exit 1; }
go run . | sed 's/^/Go: /' | tee -a seen.txt
diff seen.txt - <<'SEEN'
cel-python: 90m True
cel-python: 1d True
cel-python: 1w refused
Go: 90m true <nil>
Go: 1d false time: unknown unit "d" in duration "1d"
Go: 1w false time: unknown unit "w" in duration "1w"
SEEN
