#!/usr/bin/env bash
# Package: npm @sigyn/logql 2.2.0, which parses Loki queries and writes them out again.
# A user: lets a tool parse the query of an audit dashboard and prints it: {app="konnect"} | logfmt | trace_id="3360194145499877253".
# Guess before the run: the same query comes out, perhaps with other quotation marks.
# Seen: another query. The condition on trace_id is in the stream selector, under the name `id`. The whole old query is a text that lines must contain.
#   Simple line filters come out right.
# Why it matters: no error is raised, and the new query finds nothing. An alert that is rewritten like that stays silent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @sigyn/logql@2.2.0
cat > rewrite.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { LogQL } from '@sigyn/logql';

const again = query => new LogQL(query).toString();
const simple = '{app="konnect"} |= `CEF:0` != `success=true`';
const query = '{app="konnect"} | logfmt | trace_id="3360194145499877253"';
console.log('@sigyn/logql', JSON.parse(readFileSync('node_modules/@sigyn/logql/package.json')).version);
for (const each of [simple, query]) console.log(`${each}\n  -> ${again(each)}`);
assert.equal(again(simple), simple);
assert.equal(
  again(query),
  `{app="konnect",id="3360194145499877253"} |= \`${query}\` | id = "3360194145499877253" | logfmt`
);
JS
node rewrite.mjs
