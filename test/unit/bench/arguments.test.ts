import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readArguments, usage } from '../../bench/arguments.ts';
import { measurements } from '../../bench/measurements.ts';
import type { Row } from '../../bench/row.ts';

const rows: Row[] = [
  { name: 'quick', title: 'a quick row', figures: [] },
  { name: 'slow', title: 'a slow row', isSlow: true, figures: [] },
];
const read = (...args: string[]) => readArguments(args, rows);

describe('readArguments', () => {
  test('has defaults, and leaves out the slow rows', async () => {
    expect(await read()).toMatchObject({ rows: ['quick'], forwardings: 300, times: 3, peers: {}, isComparison: false });
  });

  test('takes named rows in the order of the table, and "all"', async () => {
    expect((await read('slow', 'quick')).rows).toEqual(['quick', 'slow']);
    expect((await read('slow')).rows).toEqual(['slow']);
    expect((await read('all')).rows).toEqual(['quick', 'slow']);
  });

  test('takes numbers, a note and the comparison', async () => {
    const given = await read('--forwardings', '20', '--times=1', '--compare', '--note', 'shared', '--profiles', '/p');
    expect(given).toMatchObject({ forwardings: 20, times: 1, isComparison: true, note: 'shared', profiles: '/p' });
  });

  test.each([
    [['fast'], 'no row is called fast'],
    [['--times', '0'], '--times must be a whole number from 1 to 100'],
    [['--forwardings', 'many'], '--forwardings must be a whole number from 1 to 20000'],
    [['--peer', '/nowhere'], '--peer /nowhere has no go.mod: it must be the folder of a Go module'],
    [['--kongctl', '/nowhere'], '/nowhere is not an executable file'],
  ])('refuses %j', async (args, message) => {
    await expect(read(...args)).rejects.toThrow(message);
  });

  test('takes the paths of the peers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-arguments-'));
    try {
      await writeFile(join(folder, 'go.mod'), '');
      await writeFile(join(folder, 'tool'), '', { mode: 0o755 });
      const tool = join(folder, 'tool');
      expect((await read('--peer', folder, '--kongctl', tool, '--terraform-provider', tool)).peers).toEqual({
        goOperator: folder,
        kongctl: tool,
        terraform: { provider: tool, terraform: 'terraform' },
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('the help names every row, and marks the slow ones', () => {
  expect(usage(rows)).toContain('  quick                 a quick row\n  slow *                a slow row\n');
});

test('the rows of all measurements have names of their own', () => {
  const names = measurements.flatMap((measurement) => measurement.rows.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});
