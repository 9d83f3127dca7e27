#!/usr/bin/env bash
# Packages: npm @grafana/promql-builder 0.0.6, and PyPI promql-parser 0.12.0 to judge what it prints.
# A user builds the queries of an alert or a dashboard in TypeScript: labelReplace() with strings, neg() of a vector.
# Guess before the run: strings are printed in quotes and escaped, as values of labels are.
# Seen: labelReplace() prints its four strings bare, and neg(vector('up')) prints "-[object Object]". Neither is PromQL. Values of labels are right.
# Why it matters: the types are satisfied and nothing throws. The broken query is found when Prometheus refuses the rule file, or as an empty panel.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @grafana/promql-builder@0.0.6
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check promql-parser==0.12.0
cat >build.cjs <<'JS'
const { labelReplace, neg, vector } = require('@grafana/promql-builder');
console.log(vector('forwarding_ready').label('reason', 'say "no"').toString());
console.log(labelReplace(vector('forwarding_ready'), 'team', '$1', 'namespace', 'team-(.*)').toString());
console.log(neg(vector('forwarding_ready')).toString());
JS
cat >judge.py <<'PY'
import sys
import promql_parser
for line in sys.stdin:
    query = line.rstrip("\n")
    try:
        promql_parser.parse(query)
        print("valid:  ", query)
    except ValueError:
        print("invalid:", query)
PY
node build.cjs | venv/bin/python judge.py | tee seen.txt
diff seen.txt - <<'SEEN'
valid:   forwarding_ready{reason="say \"no\""}
invalid: label_replace(forwarding_ready, team, $1, namespace, team-(.*))
invalid: -[object Object]
SEEN
