/** Says which test runs the commands of each page, or why none does. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { documents, root } from './documents.ts';
import { scriptsOf, sessionsOf } from './scripts.ts';

const tests: readonly (readonly [test: string, pages: RegExp])[] = [
  ['e2e/documents', /^README|^docs\/use\/(?:behavior|conditions|deliveries|kubectl|rotation)|^docs\/install\/process/],
  ['e2e/documents', /^docs\/install\/flux|^docs\/operate\/(?:alerts|backup|first-aid|logs|runbook|troubleshooting)/],
  ['e2e/auditlog', /^docs\/(?:operate|use)\/auditlog|^docs\/operate\/operations/],
  ['e2e/sandbox-guide', /^docs\/develop\/sandbox/],
  ['e2e/leader-election', /^docs\/install\/high-availability/],
  ['integration/install', /^docs\/install\/(?:helm|openshift|shards|uninstall|upgrade)/],
  ['integration/rights', /^docs\/use\/kong-operator/],
  ['integration/kustomize', /^docs\/install\/manifests/],
  ['integration/apply-folders', /^examples\/README/],
  ['integration/helm-lifecycle', /^docs\/use\/helm/],
  ['validators/integration/argocd-guide', /^docs\/install\/argocd/],
  ['docs/another-cluster', /^docs\/use\/another-cluster/],
  ['docs/siem-auditlog', /^docs\/siem\/auditlog/],
  ['docs/security', /^docs\/trust\/security/],
  ['unit/scripts/demo-tour', /^docs\/start\/tour/],
  ['clients/main', /^docs\/use\/kustomize/],
  // `npm run test:siem` runs the commands of these pages with real receivers.
  ['siem/main', /^docs\/siem\/(?:splunk|victorialogs|relay|sumologic|others|parsers)/],
];

const programs = /^(?:kubectl|konnect|curl|helm|auditlog|ask|cosign) /m;
const withCommands = [...documents].filter(([, text]) =>
  [
    ...[...scriptsOf(text), ...sessionsOf(text)].map((script) => script.text),
    ...[...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block),
  ].some((block) => programs.test(block)),
);

test('every page with commands has a test that runs them', () => {
  expect(withCommands.length).toBeGreaterThan(30);
  const left = withCommands.filter(([path]) => !tests.some(([, pages]) => pages.test(path)));
  expect(left.map(([path]) => path)).toEqual([]);
});

test.each(tests)('test/%s exists, and pages for it', (name, pages) => {
  const files = [`${name}.test.ts`, `${name}.ts`].map((file) => join(root, 'test', file));
  expect(files.some((file) => existsSync(file))).toBe(true);
  expect([...documents.keys()].filter((path) => pages.test(path))).not.toEqual([]);
});
