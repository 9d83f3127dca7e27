#!/usr/bin/env bash
# Package: npm parse-prometheus-text-format 1.1.1.
# A user reads an exporter's page in a script or a smoke test. A histogram has one set of buckets for each portal.
# Guess before the run: the result holds one histogram for each portal, with its label.
# Seen: it holds one histogram, without the label, the sum and the count. The buckets are those of the last portal. Counters keep their labels.
# Why it matters: a test that asserts "deliveries take less than a second" looks at one portal, whichever comes last on the page.
# Summaries are merged the same way, so neither form of a latency can be read per portal with this parser.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund parse-prometheus-text-format@1.1.1
cat >page.txt <<'PAGE'
# HELP delivery_seconds Time of a delivery.
# TYPE delivery_seconds histogram
delivery_seconds_bucket{portal="partners",le="1"} 0
delivery_seconds_bucket{portal="partners",le="+Inf"} 40
delivery_seconds_sum{portal="partners"} 900
delivery_seconds_count{portal="partners"} 40
delivery_seconds_bucket{portal="developers",le="1"} 7
delivery_seconds_bucket{portal="developers",le="+Inf"} 7
delivery_seconds_sum{portal="developers"} 2
delivery_seconds_count{portal="developers"} 7
# HELP deliveries_total Deliveries.
# TYPE deliveries_total counter
deliveries_total{portal="partners"} 40
deliveries_total{portal="developers"} 7
PAGE
cat >read.mjs <<'JS'
import { readFileSync } from 'node:fs';
import parse from 'parse-prometheus-text-format';
for (const { name, metrics } of parse(readFileSync('page.txt', 'utf8'))) console.log(name, JSON.stringify(metrics));
JS
node read.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
delivery_seconds [{"buckets":{"1":"7","+Inf":"7"}}]
deliveries_total [{"value":"40","labels":{"portal":"partners"}},{"value":"7","labels":{"portal":"developers"}}]
SEEN
