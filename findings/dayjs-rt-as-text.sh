#!/usr/bin/env bash
# Package: npm dayjs 1.11.23.
# A user: passes `rt` as the CEF line has it, milliseconds as text, to dayjs.
# Guess before the run: the result is an invalid date, as moment and luxon say.
# Seen: a valid date in the year 1796. dayjs takes the first four digits for a year and the next ones for month, day and time.
#   As a number the same digits give the right time.
# Why it matters: isValid() is true, so events are filed under a date more than two centuries off, and no alert sees them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . dayjs@1.11.23
cat > read.cjs <<'JS'
const assert = require('node:assert/strict');
const dayjs = require('dayjs');

const extension = 'rt=1795166102417 src=203.0.113.9 action=list granted=true';
const rt = /rt=(\d+)/.exec(extension)[1];
console.log('dayjs', require('dayjs/package.json').version);
console.log('as text  ', dayjs(rt).isValid(), dayjs(rt).year());
console.log('as number', dayjs(Number(rt)).toISOString());
assert.equal(dayjs(rt).isValid(), true);
assert.equal(dayjs(rt).year(), 1796);
assert.equal(dayjs(Number(rt)).toISOString(), '2026-11-20T09:15:02.417Z');
JS
TZ=UTC node read.cjs
