import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const copied = [
  '.githooks',
  '.gitignore',
  '.oxlintrc.json',
  'biome.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];
const scripts = ['run.mjs', 'pre-commit.ts', 'fixers.ts'];
const ugly = 'export   const a = "a"\n';
const pretty = "export const a = 'a';\n";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pre-commit-'));
  for (const name of copied) await cp(join(root, name), join(folder, name), { recursive: true });
  for (const name of scripts) await cp(join(root, 'scripts', name), join(folder, 'scripts', name));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  git('init', '--quiet');
  git('config', 'user.name', 'Test');
  git('config', 'user.email', 'test@example.com');
  await write('a.ts', '');
  await write('b.ts', '');
  git('add', '--all');
  git('commit', '--quiet', '--message=first');
  run(process.execPath, 'scripts/run.mjs', '--hooks');
});

afterEach(() => rm(folder, { recursive: true }));

function run(file: string, ...args: readonly string[]) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_')));
  return spawnSync(file, args, { cwd: folder, encoding: 'utf8', env });
}

/** Returns standard output, and throws standard error if git fails. */
function git(...args: readonly string[]): string {
  const { status, stdout, stderr } = run('git', ...args);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function commit(...args: readonly string[]) {
  return run('git', 'commit', '--message=second', ...args);
}

function write(name: string, text: string): Promise<void> {
  return writeFile(join(folder, name), text);
}

function read(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

test('commits staged files with their fixes, and leaves other files alone', async () => {
  await write('a.ts', ugly);
  await write('b.ts', ugly);
  git('add', 'a.ts');
  expect(commit()).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('pre-commit: a.ts is fixed and staged again\n'),
  });
  expect(git('show', 'HEAD:a.ts')).toBe(pretty);
  expect(await read('b.ts')).toBe(ugly);
  expect(git('status', '--porcelain')).toBe(' M b.ts\n');
});

test('fixes what git commit --all stages', async () => {
  await write('a.ts', ugly);
  expect(commit('--all')).toMatchObject({ status: 0 });
  expect(git('show', 'HEAD:a.ts')).toBe(pretty);
  expect(git('status', '--porcelain')).toBe('');
});

test('changes no file of which only a part is staged', async () => {
  await write('a.ts', ugly);
  git('add', 'a.ts');
  const more = `${ugly}export   const b = "b"\n`;
  await write('a.ts', more);
  expect(commit()).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('pre-commit: a.ts is not fixed, because some of its changes are not staged\n'),
  });
  expect(git('show', 'HEAD:a.ts')).toBe(ugly);
  expect(await read('a.ts')).toBe(more);
});

test('changes nothing in a commit of named files', async () => {
  await write('a.ts', ugly);
  await write('b.ts', ugly);
  git('add', 'b.ts');
  expect(commit('a.ts')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('pre-commit: nothing is fixed in a commit of named files'),
  });
  expect(git('show', 'HEAD:a.ts')).toBe(ugly);
  expect(git('status', '--porcelain')).toBe('M  b.ts\n');
});

test('stops a commit with an error that it cannot fix', async () => {
  await write('a.ts', 'export const   a: any = 1;\n');
  git('add', 'a.ts');
  const { status, stdout, stderr } = commit();
  expect(status).not.toBe(0);
  expect(`${stdout}${stderr}`).toMatch(/no-explicit-any[^]*pre-commit: errors remain/);
  expect(git('log', '--format=%s')).toBe('first\n');
  expect(git('show', ':a.ts')).toBe('export const a: any = 1;\n');
});

test('commits a deleted file and a file that no fixer knows', async () => {
  await write('notes.md', '#   Notes\n');
  await rm(join(folder, 'b.ts'));
  git('add', '--all');
  expect(commit()).toMatchObject({ status: 0 });
  expect(git('show', 'HEAD:notes.md')).toBe('#   Notes\n');
});
