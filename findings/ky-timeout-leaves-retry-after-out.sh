#!/usr/bin/env bash
# Package: npm ky 1.14.3.
# A user calls Konnect with ky and a timeout of one second. Konnect answers 429 and Retry-After: 4 once.
# Guess before the run: ky fails at once or after one second, because the wait is longer than the timeout, as got does.
# Seen: ky waits the four seconds, asks again and succeeds. The timeout counts the requests, not the waits between them, and nothing caps a wait by default.
# Why it matters: Konnect was seen to send Retry-After: 77. A reconcile or a probe that counts on its timeout stands still for that long.
# retry.maxRetryAfter or retry.limit sets a bound.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund ky@1.14.3
cat >ask.mjs <<'JS'
import { createServer } from 'node:http';
import ky from 'ky';
let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  if (requests === 1) response.writeHead(429, { 'retry-after': '4' }).end();
  else response.end('ok');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const started = Date.now();
const text = await ky(`http://127.0.0.1:${server.address().port}/`, { timeout: 1000 }).text();
const seconds = (Date.now() - started) / 1000;
console.log(`${text} after ${requests} requests, ${seconds >= 4 ? 'four seconds or more' : `${seconds} seconds`}`);
server.close();
server.closeAllConnections();
JS
node ask.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
ok after 2 requests, four seconds or more
SEEN
