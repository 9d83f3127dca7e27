/** `npm run crash`: lets every outside call of every scenario fail, and every two calls of the short scenarios. Prints the results. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { behaviorNames, isBehaviorName } from './behaviors.ts';
import { families, isFamily } from './families.ts';
import { parsePlan } from './faults.ts';
import { invariants } from './invariants.ts';
import { type Job, runJob, runJobs } from './jobs.ts';
import { runMutations } from './mutations.ts';
import { prepareScenario, runScenario } from './runner.ts';
import { scenarios } from './scenarios.ts';
import { addSummary, emptySummary, type Summary, violatedInvariants } from './summary.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Pairs of faults are played in scenarios that have at most this number of calls. */
const maxCallsWithPairs = 12;

const { values } = parseArgs({
  options: {
    story: { type: 'string', multiple: true },
    family: { type: 'string', multiple: true },
    faults: { type: 'string' },
    behavior: { type: 'string' },
    back: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    history: { type: 'boolean', default: false },
    'no-pairs': { type: 'boolean', default: false },
    part: { type: 'string', default: '1/1' },
    'until-violation': { type: 'boolean', default: false },
    bugs: { type: 'boolean', default: false },
    bug: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const seed = Number(values.seed);
const threads = Number(values.threads);
const chosen = scenarios.filter(({ title }) => values.story === undefined || values.story.includes(title));
const asked = values.family ?? [...families, ...(values['no-pairs'] ? [] : ['pairs'])];
const { behavior } = values;
const [part = 0, parts = 0] = /^([1-9]\d*)\/([1-9]\d*)$/.exec(values.part)?.slice(1).map(Number) ?? [];
const unknown = [
  ...(values.story ?? []).filter((name) => !scenarios.some(({ title }) => title === name)),
  ...asked.filter((name) => !isFamily(name) && name !== 'pairs'),
  ...(behavior === undefined || isBehaviorName(behavior) ? [] : [behavior]),
  ...(part > 0 && part <= parts ? [] : [values.part]),
];
if (unknown.length > 0) {
  say(`unknown: ${unknown.join(', ')}`);
  say(`--story: ${scenarios.map(({ title }) => title).join(', ')}`);
  say(`--family: ${[...families, 'pairs'].join(', ')}; --behavior: ${behaviorNames.join(', ')}`);
  say('--part: for example 2/3, the second third of the runs');
  process.exitCode = 2;
} else if (values.bugs || values.bug !== undefined) {
  process.exitCode = await runMutations({ only: values.bug, threads, say });
} else if (values.history || values.faults !== undefined) await replay();
else if (values['until-violation']) await untilViolation();
else await everything();

async function replay(): Promise<void> {
  for (const scenario of chosen) {
    const variant = { seed, behavior: behaviorNames.find((name) => name === behavior) };
    const run = await runScenario(await prepareScenario(scenario, variant), parsePlan(values.faults ?? ''), {
      isBack: values.back,
      recordsHistory: values.history,
    });
    for (const line of run.history) say(line);
    if (!run.hadAllFaults) say('(not every fault happened)');
    for (const { invariant, detail } of run.violations) say(`${invariant} (${invariants[invariant]}): ${detail}`);
    if (run.violations.length > 0) process.exitCode = 1;
    else say(`${scenario.title}: ${String(run.calls.length)} calls, no violation`);
  }
}

/** Plays the runs one after another until one has a violation, and prints the summary as JSON. */
async function untilViolation(): Promise<void> {
  const total = emptySummary();
  const jobs = chosen.flatMap(({ title }) => families.map((family) => ({ scenario: title, seed, family })));
  for (const job of jobs.filter(({ family }) => asked.includes(family))) {
    if (total.failures.length > 0) break;
    addSummary(total, (await runJob({ ...job, endsAtViolation: true })).summary);
  }
  say(JSON.stringify({ total }));
  if (total.failures.length > 0) process.exitCode = 1;
}

async function everything(): Promise<void> {
  const startedMs = performance.now();
  const calls = new Map<string, number>();
  const cells = new Map<string, Summary>();
  const cellOf = (scenario: string, family: string) => {
    const name = `${scenario} ${family}`;
    const cell = cells.get(name) ?? emptySummary();
    cells.set(name, cell);
    return cell;
  };
  const states = new Set<string>();
  const withPairs = asked.includes('pairs');
  // The faults of a pair are those of the runs with one fault.
  const first = families.filter((family) => asked.includes(family) || (withPairs && family === 'faults'));
  const jobs = chosen.flatMap(({ title }) =>
    first.map((family): Job => ({ scenario: title, seed, family, part: { part, parts } })),
  );
  await runJobs(jobs, threads, ({ job, summary, states: seen, appliedFaults, calls: count }) => {
    const { scenario, family } = job;
    for (const state of seen) states.add(state);
    if (asked.includes(family)) addSummary(cellOf(scenario, family), summary);
    if (family !== 'faults') return [];
    calls.set(scenario, count);
    if (!withPairs || count > maxCallsWithPairs) return [];
    return appliedFaults.map((one): Job => ({ scenario, seed, family: 'pairs', first: one }));
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  const total = sumOf([...cells.values()]);
  const columns = [...families, 'pairs'].filter((family) => asked.includes(family));
  say(`| scenario | calls | ${columns.join(' | ')} | violations |`);
  say(`|---|---|${'---|'.repeat(columns.length)}---|`);
  for (const { title } of chosen) {
    const row = columns.map((family) => cells.get(`${title} ${family}`) ?? emptySummary());
    const counts = row.map(({ runs }) => (runs === 0 ? '–' : String(runs))).join(' | ');
    say(
      `| ${title} | ${String(calls.get(title) ?? '–')} | ${counts} | ${violatedInvariants(sumOf(row)).join(', ') || 'none'} |`,
    );
  }
  say('');
  sayTotals(columns.map((family) => [family, sumOf(chosen.map(({ title }) => cellOf(title, family)))]));
  say(
    `${String(chosen.length)} scenarios, ${String(total.runs)} runs, ${String(total.calls)} outside calls, ${String(states.size)} states, ` +
      `${seconds.toFixed(1)} s on ${String(threads)} threads (${String(Math.round((total.runs / seconds) * 60))} runs a minute); ` +
      `${String(total.resynced)} runs needed a resync, the longest took ${String(Math.round(total.longestRecoveryMs / 60_000))} minutes of its own time`,
  );
  for (const { replay: command, violations } of total.failures) {
    say('');
    say(command);
    for (const violation of violations) say(`  ${violation}`);
  }
  if (total.failures.length > 0) process.exitCode = 1;
}

function sumOf(summaries: readonly Summary[]): Summary {
  const sum = emptySummary();
  for (const one of summaries) addSummary(sum, one);
  return sum;
}

function sayTotals(rows: readonly (readonly [string, Summary])[]): void {
  for (const [family, { runs, violations }] of rows) {
    const found = Object.entries(violations).map(([invariant, count]) => `${invariant} (${String(count)})`);
    say(`${family}: ${String(runs)} runs, violations: ${found.join(', ') || 'none'}`);
  }
  say('');
}
