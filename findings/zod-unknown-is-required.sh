#!/usr/bin/env bash
# Package: npm zod 4.6.7.
# A user describes an API's answer and keeps a field whose content is nobody's business: z.object({ id: z.string(), meta: z.unknown() }).
# Guess before the run: undefined is a value of unknown, so an answer without the field passes, as in zod 3.
# Seen: an answer without the field is refused, "expected nonoptional, received undefined". { meta: undefined } passes. z.any() does the same.
# Why it matters: Konnect's documents declare hardly any field of an answer as required.
# A field that is only handed through turns a good answer into a failed reconcile on the day the server leaves it out. z.unknown().optional() is needed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund zod@4.6.7
cat >parse.mjs <<'JS'
import * as z from 'zod';
for (const [name, meta] of [['unknown', z.unknown()], ['any', z.any()], ['unknown, optional', z.unknown().optional()]]) {
  const destination = z.object({ id: z.string(), meta });
  for (const [what, value] of [['absent', { id: 'a' }], ['undefined', { id: 'a', meta: undefined }]]) {
    const { success, error } = destination.safeParse(value);
    console.log(`${name}, ${what}: ${success ? 'passes' : error.issues[0].message}`);
  }
}
JS
node parse.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
unknown, absent: Invalid input: expected nonoptional, received undefined
unknown, undefined: passes
any, absent: Invalid input: expected nonoptional, received undefined
any, undefined: passes
unknown, optional, absent: passes
unknown, optional, undefined: passes
SEEN
