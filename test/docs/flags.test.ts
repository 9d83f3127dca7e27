import { describe, expect, test } from '@jest/globals';
import { environmentName, flagTable } from '../../src/config.ts';
import { code, document, rows } from './documents.ts';

/** Words that stand for an empty default. */
const empty = ['none', 'all'];

const table = new Map(
  rows(document('docs/operate/flags.md')).flatMap((cells) => {
    const [flag = ''] = code(cells[0] ?? '');
    return flag.startsWith('--') ? [[flag, cells] as const] : [];
  }),
);

describe('the flags in docs/operate/flags.md', () => {
  test('are those of the operator, and --help and --version', () => {
    const flags = flagTable.map(({ name }) => `--${name}`);
    expect([...table.keys()]).toEqual([...flags, '--help', '--version']);
  });

  test.each(flagTable.map((flag) => [flag.name, flag] as const))('--%s: variable and default', (name, flag) => {
    const [, variable, preset = ''] = table.get(`--${name}`) ?? [];
    expect(variable).toBe(`\`${environmentName(flag)}\``);
    expect(flag.default === '' ? empty : [`\`${flag.default}\``]).toContain(preset);
  });
});

test('every document names only flags that there are', () => {
  const known = new Set([...table.keys()].map((flag) => flag.slice(2)));
  const named = [...document('docs/operate/runbook.md').matchAll(/`--([a-z-]+)`/g)].map(([, name = '']) => name);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
