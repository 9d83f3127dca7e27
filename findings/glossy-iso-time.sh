#!/usr/bin/env bash
# Package: npm glossy 0.1.7, a syslog parser.
# A user: puts `<14>` in front of a CEF line, as syslog receivers want it, and parses it.
# Guess before the run: the host is konghq.com and the message is what follows, with `CEF:0` in it.
# Seen: the host is "src=203.0.113.9", the time is missing, and the message begins at `request=`.
#   The CEF header, with event class and name, is in no parsed field. The parser expects a time of three words.
#   With such a time in front the host and the whole message are right.
# Why it matters: no error is raised. Who forwards `message` forwards half a line, from a host that never existed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . glossy@0.1.7
cat > parse.cjs <<'JS'
const assert = require('node:assert/strict');
const { Parse } = require('glossy');

const cef =
  'CEF:0|KongInc|Dev-Portal|1.0|AUTHENTICATION_TYPE_BASIC|AUTHENTICATION_OUTCOME_SUCCESS|0|rt=1795166102417 ' +
  'src=203.0.113.9 request=/api/v2/developer/authenticate success=true trace_id=3360194145499877253 user_agent=';
const iso = Parse.parse(`<14>2026-11-20T09:15:02Z konghq.com ${cef}`);
const bsd = Parse.parse(`<14>Nov 20 09:15:02 konghq.com ${cef}`);
console.log('glossy', require('glossy/package.json').version);
console.log({ host: iso.host, time: iso.time, message: iso.message });
console.log({ host: bsd.host, message: bsd.message });
assert.equal(iso.host, 'src=203.0.113.9');
assert.equal(iso.time, undefined);
assert.ok(iso.message.startsWith('request=/api/v2/'));
assert.equal(bsd.host, 'konghq.com');
assert.equal(bsd.message, cef);
JS
node parse.cjs
