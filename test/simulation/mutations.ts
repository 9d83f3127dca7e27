/** Proves that the driver can fail: bugs as patches, each applied to a copy of the tree and looked for there. */
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { invariants } from './invariants.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
/** One line of context is enough: what stands around a bug changes more often than what it is about. */
const apply = ['apply', '-C1'];

export interface Bug {
  readonly name: string;
  /** What is wrong, in a sentence: the first line of the patch. */
  readonly title: string;
  /** Where to look for it: the second line. */
  readonly stories: readonly string[];
  readonly file: string;
}

export function bugs(): Bug[] {
  return globSync('mutations/*.patch', { cwd: import.meta.dirname })
    .toSorted()
    .map((path) => {
      const file = join(import.meta.dirname, path);
      const [title = '', second = ''] = readFileSync(file, 'utf8').split('\n');
      const stories = second.replace(/^Stories: /, '').split(' ');
      return { name: basename(path, '.patch'), title, stories, file };
    });
}

/** What is wrong with the patch; undefined: it applies to the sources as they are. */
export function whyNotApplicable({ file }: Bug): string | undefined {
  const { status, stderr } = spawnSync('git', [...apply, '--check', file], { cwd: root, encoding: 'utf8' });
  return status === 0 ? undefined : stderr;
}

const Report = z.object({
  total: z.object({
    runs: z.number(),
    violations: z.partialRecord(z.enum(Object.keys(invariants)), z.number()),
    failures: z.array(z.object({ replay: z.string(), violations: z.array(z.string()) })),
  }),
});
export type BugReport = z.infer<typeof Report>['total'];

/** All single faults of its stories, in a copy of the tree with the bug in it. */
export async function tryBug(bug: Bug, threads: number): Promise<BugReport> {
  const copy = mkdtempSync(join(tmpdir(), 'crash-bug-'));
  try {
    for (const part of ['src', 'sandbox', 'scripts', 'docs', 'test', 'package.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    await run('git', [...apply, bug.file], { cwd: copy });
    const which = bug.stories.flatMap((story) => ['--story', story]);
    const args = ['test/simulation/main.ts', '--no-pairs', '--json', '--threads', String(threads), ...which];
    const stdout = await run(process.execPath, args, { cwd: copy, maxBuffer: 64 * 1024 * 1024 }).then(
      (done) => done.stdout,
      // It ends with 1 where something was violated.
      (error: unknown) => z.object({ stdout: z.string() }).parse(error).stdout,
    );
    return Report.parse(JSON.parse(stdout)).total;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Tries all, or one; answers an exit code. */
export async function tryBugs({
  only,
  threads,
  say,
}: {
  only: string | undefined;
  threads: number;
  say: (line: string) => void;
}): Promise<number> {
  const chosen = bugs().filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) say('there is no such bug');
  say('| bug | caught by (in so many runs) | runs |');
  say('|---|---|---|');
  let missed = chosen.length === 0 ? 1 : 0;
  for (const bug of chosen) {
    const fault = whyNotApplicable(bug);
    if (fault !== undefined) {
      missed += 1;
      say(`| ${bug.title} (${bug.name}) | THE PATCH DOES NOT APPLY: ${fault.trim()} | |`);
      continue;
    }
    const report = await tryBug(bug, threads);
    const failed = Object.entries(report.violations);
    if (failed.length === 0) missed += 1;
    const by = failed.map(([name, runs = 0]) => `${name} (${String(runs)})`).join(', ');
    say(`| ${bug.title} | ${by || 'NOTHING'} | ${String(report.runs)} |`);
  }
  say('');
  say(`${String(chosen.length - missed)} of ${String(chosen.length)} bugs were caught`);
  return missed > 0 ? 1 : 0;
}
