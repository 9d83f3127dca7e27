/** Checks that the simulation finds bugs: applies each patch to a copy of the sources, and runs its scenarios there. */
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { invariants } from './invariants.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);
/** One line of context is enough, since the code around a bug changes more often than its lines. */
const apply = ['apply', '-C1'];

export interface Mutation {
  readonly name: string;
  /** What is wrong, in one sentence. First line of the patch. */
  readonly title: string;
  /** Scenarios that can find it. Second line of the patch. */
  readonly scenarios: readonly string[];
  /** Families of runs that can find it. Third line of the patch, or `faults`. */
  readonly families: readonly string[];
  readonly file: string;
}

export function mutations(): Mutation[] {
  return globSync('mutations/*.patch', { cwd: import.meta.dirname })
    .toSorted()
    .map((path) => {
      const file = join(import.meta.dirname, path);
      const [title = '', second = '', third = ''] = readFileSync(file, 'utf8').split('\n');
      const wordsAfter = (label: string, line: string) =>
        line.startsWith(label) ? line.slice(label.length).split(' ') : undefined;
      const scenarios = wordsAfter('Scenarios: ', second) ?? [];
      const families = wordsAfter('Families: ', third) ?? ['faults'];
      return { name: basename(path, '.patch'), title, scenarios, families, file };
    });
}

/** Returns the error of `git apply`. Undefined if the patch applies to the present sources. */
export function whyNotApplicable({ file }: Mutation): string | undefined {
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
export type MutationReport = z.infer<typeof Report>['total'];

/** Plays its scenarios in a copy of the sources with the bug, until a run has a violation. */
export async function runMutation(mutation: Mutation): Promise<MutationReport> {
  const copy = mkdtempSync(join(tmpdir(), 'crash-bug-'));
  try {
    for (const part of ['src', 'sandbox', 'scripts', 'docs', 'test', 'package.json']) {
      cpSync(join(root, part), join(copy, part), { recursive: true });
    }
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    await run('git', [...apply, mutation.file], { cwd: copy });
    const which = [
      ...mutation.scenarios.flatMap((scenario) => ['--story', scenario]),
      ...mutation.families.flatMap((family) => ['--family', family]),
    ];
    const args = ['test/simulation/main.ts', '--until-violation', ...which];
    const stdout = await run(process.execPath, args, { cwd: copy, maxBuffer: 64 * 1024 * 1024 }).then(
      (done) => done.stdout,
      // The exit code is 1 after a violation.
      (error: unknown) => z.object({ stdout: z.string() }).parse(error).stdout,
    );
    return Report.parse(JSON.parse(stdout)).total;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Runs all mutations, or one. `threads`: how many at a time. Resolves with an exit code. */
export async function runMutations({
  only,
  threads,
  say,
}: {
  only: string | undefined;
  threads: number;
  say: (line: string) => void;
}): Promise<number> {
  const chosen = mutations().filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) say('there is no such bug');
  say('| bug | caught by | runs |');
  say('|---|---|---|');
  let caught = 0;
  for (let at = 0; at < chosen.length; at += threads) {
    const rows = await Promise.all(chosen.slice(at, at + threads).map(tried));
    for (const { row, isCaught } of rows) {
      if (isCaught) caught += 1;
      say(row);
    }
  }
  say('');
  say(`${String(caught)} of ${String(chosen.length)} bugs were caught`);
  return chosen.length > 0 && caught === chosen.length ? 0 : 1;
}

async function tried(mutation: Mutation): Promise<{ row: string; isCaught: boolean }> {
  const { title, name } = mutation;
  const fault = whyNotApplicable(mutation);
  if (fault !== undefined)
    return { row: `| ${title} (${name}) | THE PATCH DOES NOT APPLY: ${fault.trim()} | |`, isCaught: false };
  const { violations, runs } = await runMutation(mutation);
  const by = Object.keys(violations).join(', ');
  return { row: `| ${title} | ${by || `NOTHING (${name})`} | ${String(runs)} |`, isCaught: by !== '' };
}
