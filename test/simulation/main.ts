/** `npm run crash`: lets every outside call of every scenario fail, and every two calls of the short scenarios. Prints the results. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { parsePlan } from './faults.ts';
import { invariants } from './invariants.ts';
import { type Job, runJobs } from './jobs.ts';
import { runMutations } from './mutations.ts';
import { prepareScenario, runScenario } from './runner.ts';
import { scenarios } from './scenarios.ts';
import { addSummary, emptySummary, type Summary, violatedInvariants } from './summary.ts';

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
const chosen = scenarios.filter(({ title }) => values.story === undefined || values.story.includes(title));
if (chosen.length === 0) {
  say(`there is no such scenario; there are: ${scenarios.map(({ title }) => title).join(', ')}`);
  process.exitCode = 2;
} else if (values.bugs || values.bug !== undefined) {
  process.exitCode = await runMutations({ only: values.bug, threads, say });
} else if (values.history || values.faults !== undefined) await replay();
else await everything();

async function replay(): Promise<void> {
  for (const scenario of chosen) {
    const run = await runScenario(await prepareScenario(scenario, seed), parsePlan(values.faults ?? ''), {
      recordsHistory: values.history,
    });
    for (const line of run.history) say(line);
    if (!run.hadAllFaults) say('(not every fault happened)');
    for (const { invariant, detail } of run.violations) say(`${invariant} (${invariants[invariant]}): ${detail}`);
    if (run.violations.length > 0) process.exitCode = 1;
    else say(`${scenario.title}: ${String(run.calls)} calls, no violation`);
  }
}

interface Row {
  calls: number;
  readonly singles: Summary;
  readonly pairs: Summary;
}

async function everything(): Promise<void> {
  const startedMs = performance.now();
  const rows = new Map<string, Row>(
    chosen.map(({ title }) => [title, { calls: 0, singles: emptySummary(), pairs: emptySummary() }]),
  );
  const states = new Set<string>();
  const jobs: Job[] = chosen.map(({ title }) => ({ scenario: title, seed }));
  await runJobs(jobs, threads, ({ job, summary, states: seen, appliedFaults, calls }) => {
    for (const state of seen) states.add(state);
    const row = rows.get(job.scenario);
    if (row === undefined) return [];
    addSummary(job.first === undefined ? row.singles : row.pairs, summary);
    if (job.first !== undefined) return [];
    row.calls = calls;
    const isShort = scenarios.find(({ title }) => title === job.scenario)?.withPairs === true;
    if (!isShort || values['no-pairs']) return [];
    return appliedFaults.map((first) => ({ scenario: job.scenario, seed, first }));
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  const total = emptySummary();
  for (const { singles, pairs } of rows.values()) {
    addSummary(total, singles);
    addSummary(total, pairs);
  }
  if (values.json) {
    say(JSON.stringify({ total, states: states.size, seconds }));
    process.exitCode = total.failures.length > 0 ? 1 : 0;
    return;
  }
  say('| scenario | calls | runs with one fault | runs with two | violations |');
  say('|---|---|---|---|---|');
  for (const [title, { calls, singles, pairs }] of rows) {
    const all = emptySummary();
    addSummary(all, singles);
    addSummary(all, pairs);
    say(
      `| ${title} | ${String(calls)} | ${String(singles.runs)} | ${pairs.runs === 0 ? '–' : String(pairs.runs)} | ${violatedInvariants(all).join(', ') || 'none'} |`,
    );
  }
  say('');
  const perMinute = Math.round((total.runs / seconds) * 60);
  say(
    `${String(chosen.length)} scenarios, ${String(total.runs)} runs, ${String(total.calls)} outside calls, ${String(states.size)} states, ` +
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
