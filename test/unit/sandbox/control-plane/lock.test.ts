import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { withLock } from '../../../../sandbox/control-plane/lock.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-test-'));
});

afterEach(() => rm(folder, { recursive: true }));

const progress = () => undefined;

test('one holder works at a time, and the lock is released afterwards', async () => {
  const path = join(folder, 'lock');
  let working = 0;
  let most = 0;
  const work = async () => {
    working += 1;
    most = Math.max(most, working);
    await new Promise(setImmediate);
    working -= 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(path, { progress, pollEveryMs: 1 }, work)));
  expect(most).toBe(1);
  await expect(readdir(folder)).resolves.toEqual([]);
});

test('the lock is released after a failure', async () => {
  const failing = withLock(join(folder, 'lock'), { progress }, () => Promise.reject(new Error('failed')));
  await expect(failing).rejects.toThrow('failed');
  await expect(readdir(folder)).resolves.toEqual([]);
});

test('the lock of a process that no longer exists is taken over', async () => {
  const path = join(folder, 'lock');
  await writeFile(path, 'somebody');
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(path, longAgo, longAgo);
  let worked = false;
  await withLock(path, { progress, pollEveryMs: 1 }, async () => {
    worked = true;
  });
  expect(worked).toBe(true);
});

test('a waiting caller gets a message with the reason, and can give up', async () => {
  const path = join(folder, 'lock');
  await writeFile(path, 'somebody');
  const abort = new AbortController();
  const said: string[] = [];
  const waiting = withLock(
    path,
    {
      signal: abort.signal,
      progress: (line) => {
        said.push(line);
        abort.abort();
      },
    },
    () => Promise.resolve(),
  );
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  expect(said).toEqual([expect.stringContaining(path)]);
});
