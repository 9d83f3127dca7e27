#!/usr/bin/env bash
# Package: npm lucene 2.1.1, a parser of Lucene queries that dashboards use to check or rewrite what a user typed.
# A user: asks for portal logins with request:/api/v2/developer/authenticate, the value as it is in the line.
# Guess before the run: a syntax error, because a slash begins a regular expression.
# Seen: no error. The query becomes four terms: the regular expression "api" in the field request, and
#   v2, the regular expression "developer" and authenticate in any field. Printed again it reads differently.
#   With quotation marks it stays one term.
# Why it matters: the search runs and finds lines that have little to do with the path, or all of them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . lucene@2.1.1
cat > parse.cjs <<'JS'
const assert = require('node:assert/strict');
const lucene = require('lucene');

const again = query => lucene.toString(lucene.parse(query));
const terms = node => (node.term === undefined ? [node.left, node.right].filter(Boolean).flatMap(terms) : [node]);
const bare = 'request:/api/v2/developer/authenticate';
const quoted = 'request:"/api/v2/developer/authenticate"';
console.log('lucene', require('lucene/package.json').version);
console.log(bare, '->', again(bare));
console.log(quoted, '->', again(quoted));
const found = terms(lucene.parse(bare));
assert.deepEqual(found.map(t => t.term), ['api', 'v2', 'developer', 'authenticate']);
assert.deepEqual(found.map(t => t.field), ['request', '<implicit>', '<implicit>', '<implicit>']);
assert.deepEqual(found.map(t => t.regex), [true, false, true, false]);
assert.equal(again(quoted), quoted);
JS
node parse.cjs
