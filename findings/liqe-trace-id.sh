#!/usr/bin/env bash
# Package: npm liqe 3.8.7, a search language over JSON objects.
# A user: searches parsed JSON lines for one request, with the trace_id pasted into the query. The ids are text in the lines.
# Guess before the run: the line is found, because text is compared with text.
# Seen: nothing is found. The query turns bare digits into a number, and 19 digits are rounded first.
#   The same search by `rt`, 13 digits of text as well, does find its line. Quotation marks around the id help.
# Why it matters: an empty result reads as "this request was never audited".
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . liqe@3.8.7
cat > search.cjs <<'JS'
const assert = require('node:assert/strict');
const { filter, parse } = require('liqe');

const lines = [{ name: 'Authz.control-planes', rt: '1795166102417', trace_id: '3360194145499877253', granted: 'true' }];
const hits = query => filter(parse(query), lines).length;
console.log('liqe', require('liqe/package.json').version);
for (const query of ['trace_id:3360194145499877253', 'trace_id:"3360194145499877253"', 'rt:1795166102417'])
  console.log(query, '->', hits(query));
assert.equal(hits('trace_id:3360194145499877253'), 0);
assert.equal(hits('trace_id:"3360194145499877253"'), 1);
assert.equal(hits('rt:1795166102417'), 1);
JS
node search.cjs
