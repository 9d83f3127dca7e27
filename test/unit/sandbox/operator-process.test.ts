import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startOperator } from '../../../sandbox/operator-process.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'operator-process-test-'));
});

afterEach(() => rm(folder, { recursive: true }));

test('tries a limited number of other ports if one is taken', async () => {
  const note = join(folder, 'arguments');
  const taken = `
    require('node:fs').appendFileSync(${JSON.stringify(note)}, process.argv.join(' ') + '\\n');
    console.error('listen EADDRINUSE: address already in use');
    process.exitCode = 1;
  `;
  const options = { kubeconfig: 'none', konnectURL: 'http://127.0.0.1:1/{region}', nodeOptions: ['--eval', taken] };
  await expect(startOperator(options)).rejects.toThrow(/operator exited with code 1.*address already in use/s);
  const starts = (await readFile(note, 'utf8')).trim().split('\n');
  expect(starts).toHaveLength(5);
  expect(new Set(starts).size).toBeGreaterThan(1);
});
