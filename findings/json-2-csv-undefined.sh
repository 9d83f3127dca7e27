#!/usr/bin/env bash
# Package: npm json-2-csv 5.6.0.
# A user: writes permission checks and portal logins, parsed from JSON lines, to one CSV file with json2csv.
# Guess before the run: it refuses, because the objects have different keys.
# Seen: it accepts them and writes the word "undefined" into each cell whose key an object lacks.
#   emptyFieldValue: '' leaves the cells empty.
# Why it matters: a login has granted=undefined, a check has portal_id=undefined. A SIEM takes these for values, and "field is empty" finds none.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . json-2-csv@5.6.0
cat > write.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { json2csv } from 'json-2-csv';

const events = [
  { name: 'Authz.control-planes', rt: '1795166102417', granted: 'true' },
  { name: 'AUTHENTICATION_OUTCOME_FAILURE', rt: '1795166103889', success: 'false' }
];
const plain = json2csv(events);
const empty = json2csv(events, { emptyFieldValue: '' });
console.log('json-2-csv', JSON.parse(readFileSync('node_modules/json-2-csv/package.json')).version);
console.log(plain);
console.log(empty);
assert.deepEqual(plain.split('\n'), [
  'name,rt,granted,success',
  'Authz.control-planes,1795166102417,true,undefined',
  'AUTHENTICATION_OUTCOME_FAILURE,1795166103889,undefined,false'
]);
assert.ok(!empty.includes('undefined'));
JS
node write.mjs
