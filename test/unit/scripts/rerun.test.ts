import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runWithRerun } from '../../../scripts/rerun.ts';

/** Plays jest: the first run fails in `failed`, the second ends with `second`. */
async function play(failed: readonly string[], { second = 0, userArguments = ['--ci'] } = {}) {
  const runs: (readonly string[])[] = [];
  const lines: string[] = [];
  const run = (args: readonly string[]) => {
    runs.push(args);
    const file = args.find((one) => one.startsWith('--outputFile='))?.slice('--outputFile='.length);
    if (file === undefined) return second;
    const results = [
      ...failed.map((name) => ({ name, status: 'failed' })),
      { name: 'test/a.test.ts', status: 'passed' },
    ];
    const testResults = results.map(({ name, status }) => ({ name: join(process.cwd(), name), status }));
    writeFileSync(file, JSON.stringify({ testResults }));
    return failed.length === 0 ? 0 : 1;
  };
  const code = await runWithRerun({ run, args: userArguments, progress: (line) => lines.push(line) });
  return { code, runs, lines };
}

const e2e = ['test/e2e/counts.test.ts', 'test/integration/install.test.ts'];

describe('npm test runs failed files again', () => {
  test('not when all passed', async () => {
    expect(await play([])).toMatchObject({ code: 0, runs: [expect.arrayContaining(['--ci'])], lines: [] });
  });

  test('alone, when they use the control plane, and says that they are flaky', async () => {
    const { code, runs, lines } = await play(e2e);
    expect(code).toBe(0);
    expect(runs[1]).toEqual(['--runTestsByPath', ...e2e, '--runInBand']);
    expect(lines.at(-1)).toBe(`flaky, failed first and then passed alone: ${e2e.join(', ')}`);
  });

  test.each([
    { option: ['-t', 'a name'] },
    { option: ['-t=a name'] },
    { option: ['--testNamePattern', 'a name'] },
    { option: ['--testNamePattern=a name'] },
  ])('and only the tests that $option selects', async ({ option }) => {
    const { runs } = await play(e2e, { userArguments: ['test/e2e', ...option, '--selectProjects', 'integration'] });
    expect(runs[1]).toEqual(['--testNamePattern=a name', '--runTestsByPath', ...e2e, '--runInBand']);
  });

  test('and fails when they fail again', async () => {
    expect(await play(e2e, { second: 1 })).toMatchObject({
      code: 1,
      lines: [expect.anything(), expect.stringMatching('failed again')],
    });
  });

  test.each([
    ['a unit test is among them', [...e2e, 'test/unit/a.test.ts']],
    ['a simulation is among them', ['test/simulation/a.test.ts']],
    ['more than three failed', [...e2e, 'test/e2e/a.test.ts', 'test/e2e/b.test.ts']],
  ])('not when %s', async (_, failed) => {
    const { code, runs } = await play(failed);
    expect(code).toBe(1);
    expect(runs).toHaveLength(1);
  });

  test('not when jest wrote no results', async () => {
    const runs: unknown[] = [];
    const run = (args: readonly string[]) => runs.push(args);
    expect(await runWithRerun({ run, args: [], progress: () => undefined })).toBe(1);
  });
});
