#!/usr/bin/env bash
# Packages: PyPI pysigma-backend-kusto 1.0.1 with pysigma 1.5.1, and npm @kusto/language-service-next 12.4.1, which checks queries.
# A user: writes a Sigma rule with granted: false and converts it for Microsoft Sentinel, where the line came through a relay.
# Guess before the run: granted == false.
# Seen: granted =~ false. The operator =~ compares texts alone. Kusto's own language service refuses the query,
#   for a column of booleans and for a column of texts. granted: 'false', as text, is fine for a column of texts.
# Why it matters: the conversion succeeds, and the error comes only when the rule is deployed or run.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pysigma-backend-kusto==1.0.1 pysigma==1.5.1
npm install --silent --no-audit --no-fund --prefix . @kusto/language-service-next@12.4.1
cat > convert.py <<'PY'
from sigma.collection import SigmaCollection
from sigma.plugins import InstalledSigmaPlugins

RULE = """
title: Refused permission check
status: test
logsource: {product: konnect, service: audit}
detection:
  sel: {granted: %s}
  condition: sel
"""
backend = InstalledSigmaPlugins.autodiscover().backends['kusto']
for value in 'false', "'false'":
    print(backend().convert(SigmaCollection.from_yaml(RULE % value))[0])
PY
cat > check.cjs <<'JS'
const assert = require('node:assert/strict');
require('@kusto/language-service-next/bridge.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.js');

const [boolean, text] = require('node:fs').readFileSync(0, 'utf8').trim().split('\n');
const complaints = (type, condition) => {
  const code = Kusto.Language.KustoCode.ParseAndAnalyze(`datatable(granted:${type})[] | where ${condition}`);
  const found = code.GetDiagnostics();
  const messages = Array.from({ length: found.Count }, (_, i) => found.getItem(i).Message);
  console.log(`${type.padEnd(6)} | where ${condition}:`, messages);
  return messages.length;
};
assert.equal(boolean, 'granted =~ false');
assert.equal(complaints('bool', boolean), 1);
assert.equal(complaints('string', boolean), 1);
assert.equal(complaints('string', text), 0);
assert.equal(complaints('bool', 'granted == false'), 0);
JS
venv/bin/pip list --disable-pip-version-check | grep -i kusto
venv/bin/python convert.py | node check.cjs
