#!/usr/bin/env bash
# Package: npm fflate 0.8.3.
# A user: appends every gzip body that arrives to one .gz file, as gzip allows, and reads the file with gunzipSync.
# Guess before the run: only the first body comes out; the second is lost without an error.
# Seen: worse. Even the first body is cut. The result has the length of the last body, here in the middle of a signature.
#   No error is raised. The streaming class Gunzip gives both bodies, and node:zlib does as well.
# Why it matters: an archive of audit lines looks readable, and has cut lines whose signatures cannot verify.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . fflate@0.8.3
cat > read.mjs <<'JS'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import zlib from 'node:zlib';
import { Gunzip, gunzipSync } from 'fflate';

const head = '2026-11-20T09:15:02Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.control-planes|1|rt=1795166102417';
const long = `${head} action=list granted=true user_agent=grpc-node-js/1.12.4 sig=${'A'.repeat(86)}\n`;
const short = `${head} action=list granted=true user_agent= sig=${'B'.repeat(86)}\n`;
const archive = Buffer.concat([zlib.gzipSync(long), zlib.gzipSync(short)]);

const all = Buffer.from(gunzipSync(archive)).toString();
let streamed = '';
const stream = new Gunzip(chunk => (streamed += Buffer.from(chunk).toString()));
stream.push(archive, true);

console.log('fflate', JSON.parse(readFileSync('node_modules/fflate/package.json')).version);
console.log('bodies', long.length, 'and', short.length, 'characters; gunzipSync gives', all.length);
console.log('its end:', all.slice(-40));
assert.equal(all, long.slice(0, short.length));
assert.equal(streamed, long + short);
assert.equal(zlib.gunzipSync(archive).toString(), long + short);
JS
node read.mjs
