import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ensureProgram, judges } from './build.ts';
import { buildTimeoutMs, progress } from './progress.ts';

let empty: string;
beforeEach(async () => {
  empty = await mkdtemp(join(tmpdir(), 'judges-'));
});
afterEach(() => rm(empty, { recursive: true, force: true }));

test('without Go and without a cache, the message says what is missing and what helps', async () => {
  const machine = {
    env: { PATH: empty, KONNECT_AUDIT_LOG_CACHE: empty },
    platform: process.platform,
    arch: process.arch,
  };
  const lines: string[] = [];
  const ensured = ensureProgram(judges, { progress: (line) => lines.push(line) }, machine);
  await expect(ensured).rejects.toThrow(
    /Go is not installed.*\n.*helps:\n.*install Go 1\.\d+ or newer.*\n.*KONNECT_AUDIT_LOG_CACHE/,
  );
  expect(lines).toEqual([]);
  expect(await readdir(empty)).toEqual([]);
});

test(
  'what is in the cache needs no Go',
  async () => {
    const path = await ensureProgram(judges, { progress });
    const machine = { env: { ...process.env, PATH: empty }, platform: process.platform, arch: process.arch };
    expect(await ensureProgram(judges, { progress }, machine)).toBe(path);
    expect((await stat(path)).mode & 0o111).not.toBe(0);
  },
  buildTimeoutMs,
);
