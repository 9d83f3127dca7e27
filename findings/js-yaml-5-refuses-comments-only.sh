#!/usr/bin/env bash
# Package: npm js-yaml 5.5.0.
# A user keeps one values file for each cluster. One of them has nothing to change and holds only a comment. A script loads each with load().
# Guess before the run: load() returns undefined without an error, and the script falls back to {}.
# Seen: load() throws "expected a document, but the input is empty"; version 4 returns null. loadAll() returns an empty list, and null for a document with only a comment between two others.
# Why it matters: the rollout of an operator to the one cluster without overrides fails in the pipeline, after an update of a parser.
# Output of "helm template" for a template that renders nothing looks the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund js-yaml@5.5.0 js-yaml-4@npm:js-yaml@4.1.0
cat >read.mjs <<'JS'
import * as five from 'js-yaml';
import four from 'js-yaml-4';
const overrides = '# Nothing differs in this cluster.\n';
const rendered = '---\n# Source: chart/templates/alerts.yaml\n---\nkind: Secret\n';
console.log('js-yaml 4, load:', four.load(overrides));
try {
  console.log('js-yaml 5, load:', five.load(overrides));
} catch (error) {
  console.log('js-yaml 5, load:', error.message.split('\n')[0]);
}
console.log('js-yaml 5, loadAll:', JSON.stringify(five.loadAll(overrides)));
console.log('js-yaml 5, loadAll of two documents:', JSON.stringify(five.loadAll(rendered)));
JS
node read.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
js-yaml 4, load: null
js-yaml 5, load: expected a document, but the input is empty
js-yaml 5, loadAll: []
js-yaml 5, loadAll of two documents: [null,{"kind":"Secret"}]
SEEN
