/**
 * `.githooks/pre-commit`: fixes the staged files and stages them again. Leaves out files whose staged content is not the content of the working
 * tree, because a fix would stage the rest of their changes. Fails, which stops the commit, if errors remain.
 */
import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { fix } from './fixers.ts';

const print = (line: string) => process.stderr.write(`pre-commit: ${line}\n`);

const staged = filesOf('diff', '--cached', '--name-only', '--diff-filter=ACMR');
const unstaged = new Set(filesOf('diff', '--name-only'));
const partlyStaged = staged.filter((file) => unstaged.has(file));
const whole = staged.filter((file) => !unstaged.has(file));

// For `git commit FILE`, git runs the hook on a temporary index. What is staged there is missing in the index after the commit.
if (basename(process.env['GIT_INDEX_FILE'] ?? '').startsWith('next-index-')) {
  print('nothing is fixed in a commit of named files; to fix them, run git add FILE, then git commit');
} else {
  for (const file of partlyStaged) print(`${file} is not fixed, because some of its changes are not staged`);
  if (whole.length > 0) process.exitCode = fixAndStage(whole);
}

function fixAndStage(files: readonly string[]): number {
  const code = fix(files);
  const fixed = filesOf('diff', '--name-only', '--', ...files);
  if (fixed.length > 0) git('add', '--', ...fixed);
  for (const file of fixed) print(`${file} is fixed and staged again`);
  if (code !== 0) print('errors remain: correct them and stage the files again, or commit with --no-verify');
  return code;
}

function filesOf(command: string, ...args: readonly string[]): string[] {
  return git(command, '-z', ...args)
    .split('\0')
    .filter(Boolean);
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', maxBuffer: Number.POSITIVE_INFINITY });
}
