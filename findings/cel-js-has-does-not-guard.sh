#!/usr/bin/env bash
# Packages: npm cel-js 0.8.2, beside npm @marcbachmann/cel-js 8.0.0.
# A user tests the validation rules of a CRD without a cluster. The usual rule for an optional field is !has(self.organization) || self.organization.enabled.
# Guess before the run: true for an object without the field, because || does not need its right side. The API server says so too.
# Seen: cel-js throws "Identifier "organization" not found". It reads both sides, so has() guards nothing. @marcbachmann/cel-js says true.
# Why it matters: rules that are right fail in the test, and a rule that is rewritten until cel-js takes it, is another rule in the cluster.
# The two packages have nearly the same name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund cel-js@0.8.2 @marcbachmann/cel-js@8.0.0
cat >rules.mjs <<'JS'
import { evaluate as one } from 'cel-js';
import { evaluate as other } from '@marcbachmann/cel-js';
const self = { portals: [{ id: 'partners' }] };
for (const rule of ['has(self.organization)', '!has(self.organization) || self.organization.enabled', 'true || self.organization.enabled']) {
  for (const [name, evaluate] of [['cel-js', one], ['@marcbachmann/cel-js', other]]) {
    try {
      console.log(`${rule}: ${name}: ${evaluate(rule, { self })}`);
    } catch (error) {
      console.log(`${rule}: ${name}: ${error.message.split(' in context')[0]}`);
    }
  }
}
JS
node rules.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
has(self.organization): cel-js: false
has(self.organization): @marcbachmann/cel-js: false
!has(self.organization) || self.organization.enabled: cel-js: Identifier "organization" not found
!has(self.organization) || self.organization.enabled: @marcbachmann/cel-js: true
true || self.organization.enabled: cel-js: Identifier "organization" not found
true || self.organization.enabled: @marcbachmann/cel-js: true
SEEN
