#!/usr/bin/env bash
# Package: npm pino 10.4.0.
# A user reads the 19-digit trace ID of an audit line as a BigInt, so that no digit is lost, and logs it as a field and in the message with %d.
# Guess before the run: both show 3360194145499877252.
# Seen: the field is exact. The message says 3360194145499877400. With %s the message is exact.
# Why it matters: one line of the log holds two different IDs. Who copies the one in the message into the SIEM's search finds nothing.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund pino@10.4.0
cat >log.mjs <<'JS'
import pino from 'pino';
const log = pino({ base: null, timestamp: false }, { write: (line) => process.stdout.write(line) });
const traceId = 3360194145499877252n;
log.info({ traceId }, 'lost the line of trace %d', traceId);
log.info({ traceId }, 'lost the line of trace %s', traceId);
JS
node log.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
{"level":30,"traceId":3360194145499877252,"msg":"lost the line of trace 3360194145499877400"}
{"level":30,"traceId":3360194145499877252,"msg":"lost the line of trace 3360194145499877252"}
SEEN
