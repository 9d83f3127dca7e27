import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { fileChanges } from '../../../sandbox/file-changes.ts';

let folder: string;
let stop: AbortController;
let changes: AsyncGenerator<string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-changes-'));
  await write('old.ts', 'old');
  stop = new AbortController();
  changes = await fileChanges(folder, { suffix: '.ts', everyMs: 10, signal: stop.signal });
});

afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true });
});

function write(name: string, text: string): Promise<void> {
  return writeFile(join(folder, name), text);
}

test.each([
  { how: 'written in place', change: () => write('old.ts', 'new'), path: 'old.ts' },
  {
    how: 'replaced by a rename',
    async change() {
      await write('old.ts~', 'old');
      await rename(join(folder, 'old.ts~'), join(folder, 'old.ts'));
    },
    path: 'old.ts',
  },
  { how: 'added', change: () => write('new.ts', 'new'), path: 'new.ts' },
  { how: 'removed', change: () => rm(join(folder, 'old.ts')), path: 'old.ts' },
  {
    how: 'added in a new folder',
    async change() {
      await mkdir(join(folder, 'room'));
      await write('room/new.ts', 'new');
    },
    path: 'room/new.ts',
  },
])('yields a file that is $how', async ({ change, path }) => {
  await change();
  expect(await changes.next()).toEqual({ done: false, value: path });
});

test('yields only files with the suffix', async () => {
  await write('notes.md', 'new');
  await write('old.ts~', 'new');
  await write('last.ts', 'new');
  expect(await changes.next()).toEqual({ done: false, value: 'last.ts' });
});

test('yields several changes in a row once', async () => {
  // Synchronously, so that no comparison happens between them.
  writeFileSync(join(folder, 'old.ts'), 'new');
  writeFileSync(join(folder, 'new.ts'), 'new');
  expect(await changes.next()).toMatchObject({ done: false });
  const next = changes.next();
  await write('last.ts', 'new');
  expect(await next).toEqual({ done: false, value: 'last.ts' });
});

test('ends when it is aborted', async () => {
  const next = changes.next();
  stop.abort();
  expect(await next).toEqual({ done: true, value: undefined });
});
