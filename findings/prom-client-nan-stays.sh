#!/usr/bin/env bash
# Package: npm prom-client 15.1.3.
# A user counts forwarded bytes with counter.inc(labels, bytes). Once, a Content-Length header is missing and bytes is Number(undefined), which is NaN.
# Guess before the run: inc() throws, as gauge.set('5') and histogram.observe(NaN) do.
# Seen: inc() takes the NaN. The counter prints "Nan" and stays so after every later inc(), until the process restarts.
# Why it matters: increase() and rate() over NaN are NaN, and a comparison with NaN is false.
# An alert on forwarded bytes or lines is silent from that moment on, while the target is up and the series is there.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund prom-client@15.1.3
cat >count.mjs <<'JS'
import client from 'prom-client';
const registers = [new client.Registry()];
const bytes = new client.Counter({ name: 'forwarded_bytes', help: 'bytes', labelNames: ['portal'], registers });
const seconds = new client.Histogram({ name: 'delivery_seconds', help: 'time', registers });
bytes.inc({ portal: 'partners' }, 512);
bytes.inc({ portal: 'partners' }, Number(undefined));
for (let batch = 0; batch < 100; batch += 1) bytes.inc({ portal: 'partners' }, 512);
console.log((await bytes.get()).values[0].value, (await registers[0].getSingleMetricAsString('forwarded_bytes')).split('\n').at(-1));
try {
  seconds.observe(Number(undefined));
} catch (error) {
  console.log('histogram:', error.message);
}
JS
node count.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
NaN forwarded_bytes{portal="partners"} Nan
histogram: Value is not a valid number: undefined
SEEN
