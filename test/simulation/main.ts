/** `npm run crash`: breaks every outside call of every story, then every two of the short ones, and prints what came of it. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { parsePlan } from './faults.ts';
import { invariants } from './invariants.ts';
import { doJobs, type Job } from './jobs.ts';
import { tryBugs } from './mutations.ts';
import { play, prepare } from './runner.ts';
import { stories } from './scenarios.ts';
import { emptyTally, merge, namesOf, type Tally } from './summary.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    story: { type: 'string', multiple: true },
    faults: { type: 'string' },
    seed: { type: 'string', default: '1' },
    history: { type: 'boolean', default: false },
    'no-pairs': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    bugs: { type: 'boolean', default: false },
    bug: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const seed = Number(values.seed);
const threads = Number(values.threads);
const chosen = stories.filter(({ title }) => values.story === undefined || values.story.includes(title));
if (chosen.length === 0) {
  say(`there is no such story; there are: ${stories.map(({ title }) => title).join(', ')}`);
  process.exitCode = 2;
} else if (values.bugs || values.bug !== undefined) {
  process.exitCode = await tryBugs({ only: values.bug, threads, say });
} else if (values.history || values.faults !== undefined) await replay();
else await everything();

async function replay(): Promise<void> {
  for (const story of chosen) {
    const run = await play(await prepare(story, seed), parsePlan(values.faults ?? ''), { tells: values.history });
    for (const line of run.history) say(line);
    if (!run.isMet) say('(not every fault came to pass)');
    for (const { invariant, detail } of run.violations) say(`${invariant} (${invariants[invariant]}): ${detail}`);
    if (run.violations.length > 0) process.exitCode = 1;
    else say(`${story.title}: ${String(run.calls)} calls, nothing violated`);
  }
}

interface Row {
  calls: number;
  readonly singles: Tally;
  readonly pairs: Tally;
}

async function everything(): Promise<void> {
  const startedMs = performance.now();
  const rows = new Map<string, Row>(
    chosen.map(({ title }) => [title, { calls: 0, singles: emptyTally(), pairs: emptyTally() }]),
  );
  const states = new Set<string>();
  const jobs: Job[] = chosen.map(({ title }) => ({ story: title, seed }));
  await doJobs(jobs, threads, ({ job, tally, states: seen, met, calls }) => {
    for (const state of seen) states.add(state);
    const row = rows.get(job.story);
    if (row === undefined) return [];
    merge(job.first === undefined ? row.singles : row.pairs, tally);
    if (job.first !== undefined) return [];
    row.calls = calls;
    const isShort = stories.find(({ title }) => title === job.story)?.short === true;
    if (!isShort || values['no-pairs']) return [];
    return met.map((first) => ({ story: job.story, seed, first }));
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  const total = emptyTally();
  for (const { singles, pairs } of rows.values()) {
    merge(total, singles);
    merge(total, pairs);
  }
  if (values.json) {
    say(JSON.stringify({ total, states: states.size, seconds }));
    process.exitCode = total.failures.length > 0 ? 1 : 0;
    return;
  }
  say('| story | calls | runs with one fault | runs with two | violations |');
  say('|---|---|---|---|---|');
  for (const [title, { calls, singles, pairs }] of rows) {
    const all = emptyTally();
    merge(all, singles);
    merge(all, pairs);
    say(
      `| ${title} | ${String(calls)} | ${String(singles.runs)} | ${pairs.runs === 0 ? '–' : String(pairs.runs)} | ${namesOf(all).join(', ') || 'none'} |`,
    );
  }
  say('');
  const perMinute = Math.round((total.runs / seconds) * 60);
  say(
    `${String(chosen.length)} stories, ${String(total.runs)} runs, ${String(total.calls)} outside calls, ${String(states.size)} states, ` +
      `${seconds.toFixed(1)} s on ${String(threads)} threads (${String(perMinute)} runs a minute); ` +
      `${String(total.resynced)} runs needed a resync, the longest took ${String(Math.round(total.longestRecoveryMs / 60_000))} minutes of its own time`,
  );
  for (const { replay: command, violations } of total.failures) {
    say('');
    say(command);
    for (const violation of violations) say(`  ${violation}`);
  }
  if (total.failures.length > 0) process.exitCode = 1;
}
