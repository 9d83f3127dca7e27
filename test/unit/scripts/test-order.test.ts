import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { longest, rankOf } from '../../../scripts/test-order.ts';

const root = join(import.meta.dirname, '../../..');

test('every long test file exists', () => {
  expect(longest.filter((name) => !existsSync(join(root, `test/${name}.test.ts`)))).toEqual([]);
});

test('the longest files come first, then those with a control plane, then the others', () => {
  const [first = '', second = ''] = longest;
  const names = ['unit/main', 'e2e/tokens', second, 'validators/integration/argocd-guide', first];
  const sorted = names.toSorted((a, b) => rankOf(`test/${a}.test.ts`) - rankOf(`test/${b}.test.ts`));
  expect(sorted).toEqual([first, second, 'e2e/tokens', 'validators/integration/argocd-guide', 'unit/main']);
});
