import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { cachedPath, ensureProgram, objectValidators } from './build.ts';
import { buildTimeoutMs, progress } from './progress.ts';

let empty: string;
beforeEach(async () => {
  empty = await mkdtemp(join(tmpdir(), 'validators-'));
});
afterEach(() => rm(empty, { recursive: true, force: true }));

test('without Go and without a cache, the message names the missing program and the solutions', async () => {
  const machine = {
    env: { PATH: empty, KONNECT_AUDIT_LOG_CACHE: empty },
    platform: process.platform,
    arch: process.arch,
  };
  const lines: string[] = [];
  const ensured = ensureProgram(objectValidators, { progress: (line) => lines.push(line) }, machine);
  await expect(ensured).rejects.toThrow(
    /Go is not installed.*\n.*helps:\n.*install Go 1\.\d+ or newer.*\n.*KONNECT_AUDIT_LOG_CACHE/,
  );
  expect(lines).toEqual([]);
  expect(await readdir(empty)).toEqual([]);
});

test('another choice of build tags has a path of its own in the cache', async () => {
  const machine = { env: { KONNECT_AUDIT_LOG_CACHE: empty }, platform: process.platform, arch: process.arch };
  const choices = [objectValidators, { ...objectValidators, tags: 'one' }, { ...objectValidators, tags: 'two' }];
  const paths = await Promise.all(choices.map((program) => cachedPath(program, machine)));
  expect(new Set(paths).size).toBe(choices.length);
});

test(
  'a cached program needs no Go',
  async () => {
    const path = await ensureProgram(objectValidators, { progress });
    const machine = { env: { ...process.env, PATH: empty }, platform: process.platform, arch: process.arch };
    expect(await ensureProgram(objectValidators, { progress }, machine)).toBe(path);
    expect((await stat(path)).mode & 0o111).not.toBe(0);
  },
  buildTimeoutMs,
);
