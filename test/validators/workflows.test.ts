import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { actionlint } from './build.ts';
import { useProgram } from './use-program.ts';

const executable = useProgram(actionlint);

/** Returns the lines that actionlint prints. It does not use shellcheck and pyflakes, so that the result is the same on every machine. */
function lint(files: readonly string[]): string[] {
  const args = ['-shellcheck=', '-pyflakes=', '-no-color', '-oneline', ...files];
  const { status, stdout, stderr } = spawnSync(executable(), args, { encoding: 'utf8' });
  if (stderr !== '' || (status ?? 2) > 1) throw new Error(stderr);
  return stdout.split('\n').filter(Boolean);
}

test('actionlint finds no error in the workflows', () => {
  const files = globSync('.github/workflows/*.yml');
  expect(files.length).toBeGreaterThan(0);
  expect(lint(files)).toEqual([]);
});

test('actionlint finds an error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'workflow-'));
  const file = join(folder, 'wrong.yml');
  await writeFile(file, 'on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: "echo ${{ github.nothing }}"}]}}\n');
  expect(lint([file])).toEqual([expect.stringContaining('property "nothing" is not defined')]);
  await rm(folder, { recursive: true });
});
