#!/usr/bin/env bash
# Packages: PyPI prometheus_client 0.26.0 reads what npm prom-client 15.1.3 prints.
# A user's exporter in Node has a counter named audit_lines, without _total. A smoke test in Python parses the page and looks for audit_lines.
# Guess before the run: the sample is named audit_lines, as the line on the page is, and as Prometheus stores it.
# Seen: the parser names the sample audit_lines_total. No sample named audit_lines is left.
# Why it matters: a tool that reads names off the page with this parser writes alerts on audit_lines_total, which Prometheus does not have.
# Such an alert is never wrong and never fires.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund prom-client@15.1.3
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check prometheus_client==0.26.0
cat >page.mjs <<'JS'
import client from 'prom-client';
const registers = [new client.Registry()];
new client.Counter({ name: 'audit_lines', help: 'Lines delivered.', registers }).inc(3);
process.stdout.write(await registers[0].metrics());
JS
cat >read.py <<'PY'
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        print("parsed:", sample.name, sample.value)
PY
node page.mjs >page.txt
{ grep '^audit' page.txt | sed 's/^/page: /'; venv/bin/python read.py <page.txt; } | tee seen.txt
diff seen.txt - <<'SEEN'
page: audit_lines 3
parsed: audit_lines_total 3
SEEN
