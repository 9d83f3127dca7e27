#!/usr/bin/env bash
# Package: npm prom-client 15.1.3.
# A user sets a gauge with the labels forwarding and reason. When all is well there is no reason, so the value is undefined.
# Guess before the run: undefined becomes the text reason="undefined", in whatever form the labels are given.
# Seen: given as an object, the label is left out and the series is the one without a reason. Given by position, it is reason="undefined". null in an object is reason="null".
# Why it matters: code that mixes both forms writes two series for one state, and removes or overwrites only one of them.
# An alert on reason!="" then fires for a forwarding that is healthy.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund prom-client@15.1.3
cat >set.mjs <<'JS'
import client from 'prom-client';
const registers = [new client.Registry()];
const ready = new client.Gauge({ name: 'ready', help: 'ready', labelNames: ['forwarding', 'reason'], registers });
ready.set({ forwarding: 'by-object', reason: undefined }, 0);
ready.set({ forwarding: 'by-object' }, 1);
ready.set({ forwarding: 'null', reason: null }, 1);
ready.labels('by-position', undefined).set(1);
console.log((await registers[0].metrics()).trim().split('\n').filter((line) => !line.startsWith('#')).join('\n'));
JS
node set.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
ready{forwarding="by-object"} 1
ready{forwarding="null",reason="null"} 1
ready{forwarding="by-position",reason="undefined"} 1
SEEN
