import { expect, test } from '@jest/globals';
import { toTable } from '../../../src/auditlog/output.ts';

test('a table shows no character that a terminal interprets, and keeps its columns', () => {
  const rows = [
    [{ text: 'portal \u001b[31m' }, { text: 'on' }],
    [{ text: 'another' }, { text: 'off' }],
  ];
  const table = toTable(['NAME', 'STATE'], rows, { hasColors: false });
  expect(table).toBe(String.raw`NAME                STATE
portal \u001b[31m   on
another             off
`);
});
