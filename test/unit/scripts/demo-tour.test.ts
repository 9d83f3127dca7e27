import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { withTour } from '../../../scripts/demo-tour.ts';

const transcript = `$ npm run demo
==> starting


— 1. Apply

$ kubectl apply -f f.yaml
created
  ✓ it is ready


— 2. Delete

Everything goes.

$ kubectl delete -f f.yaml
deleted

==> every check passed
`;

test('replaces the sections of an earlier run with the sections of the demo', () => {
  const page = 'Before.\n<!-- demo -->\nold\n<!-- /demo -->\nAfter.\n';
  expect(withTour(page, transcript)).toBe(`Before.
<!-- demo -->

## 1. Apply

\`\`\`console
$ kubectl apply -f f.yaml
created
  ✓ it is ready
\`\`\`

## 2. Delete

\`\`\`console
Everything goes.

$ kubectl delete -f f.yaml
deleted

==> every check passed
\`\`\`

<!-- /demo -->
After.
`);
});

test('throws if the page has no section for it', () => {
  expect(() => withTour('no place', transcript)).toThrow('docs/start/tour.md has no section <!-- demo -->');
});

test('the tour in the documents and the picture come from the same run', () => {
  const run = /audit-log-sandbox-\w+/g;
  const runs = ['docs/demo.svg', 'docs/start/tour.md'].map((file) => readFileSync(file, 'utf8').match(run));
  expect(new Set(runs.flat()).size).toBe(1);
});

test('the tour has the texts that the demo prints today', () => {
  const source = readFileSync('sandbox/demo-steps.ts', 'utf8');
  const texts = [...source.matchAll(/terminal\.(?:heading|print|check)\(\s*'([^']+)'/g)].map(([, text = '']) => text);
  expect(texts.length).toBeGreaterThan(10);
  const tour = readFileSync('docs/start/tour.md', 'utf8');
  for (const text of texts) expect(tour).toContain(text);
});
