import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { document } from '../docs/documents.ts';
import { runsOf, sampleOf } from './families.ts';
import { acts, faults } from './faults.ts';
import { invariants } from './invariants.ts';
import { mutations, runMutation, whyNotApplicable } from './mutations.ts';
import { type PreparedScenario, prepareScenario, runScenario } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { addRun, emptySummary, type Summary } from './summary.ts';

const seed = 1;
/** `npm run crash` plays the rest. */
const maxRuns = 40;
const maxRunsOfOthers = 8;

/** By scenario, the state at which the runs of both families begin. */
const prepared = new Map<Scenario, PreparedScenario>();

async function summaryOf(scenario: Scenario, family: 'faults' | 'acts', count: number): Promise<Summary> {
  const summary = emptySummary();
  const start = prepared.get(scenario) ?? (await prepareScenario(scenario, { seed }));
  prepared.set(scenario, start);
  for await (const run of runsOf(start, family, {}, (plans) => sampleOf(plans, count, seed))) addRun(summary, run);
  return summary;
}

describe('a fault at an outside call of scenario', () => {
  test.each(scenarios)('$title leaves no violation, and the run ends at rest', async (scenario) => {
    const { failures, runs } = await summaryOf(scenario, 'faults', maxRuns);
    expect(failures).toEqual([]);
    expect(runs).toBeGreaterThan(9);
  });
});

test.each(scenarios)('a sample of acts of people in scenario $title leaves no violation', async (scenario) => {
  const { failures } = await summaryOf(scenario, 'acts', maxRunsOfOthers);
  expect(failures).toEqual([]);
});

test('a repeated run gives the same result', async () => {
  for (const scenario of scenarios.filter(({ title }) => title === 'drift' || title === 'hand-over')) {
    const plan = [{ at: 7, fault: 'crash-after+stale-list' as const }];
    const [one, two] = [
      await runScenario(await prepareScenario(scenario), plan, { recordsHistory: true }),
      await runScenario(await prepareScenario(scenario), plan, { recordsHistory: true }),
    ];
    expect(two.history).toEqual(one.history);
    expect(one.history.length).toBeGreaterThan(20);
  }
});

test.each(['no-intent', 'destination-first', 'ticking-status'])(
  'the simulation finds the seeded bug %s',
  async (name) => {
    const bug = mutations().find((one) => one.name === name);
    if (bug === undefined) throw new TypeError('there is no such bug');
    const { violations } = await runMutation(bug);
    expect(Object.keys(violations)).not.toEqual([]);
  },
);

test('npm run crash plays the pairs of faults of a scenario, in parts, and says how many', async () => {
  const which = ['--family', 'pairs', '--story', 'replace-suspended', '--threads', '1', '--part', '2/4'];
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'main.ts'), ...which]);
  const runs = Number(/^pairs: (\d+) runs, violations: none$/m.exec(stdout)?.[1]);
  expect(runs).toBeGreaterThan(30);
  expect(runs).toBeLessThan(200);
});

test('the pages about crash points have every invariant, every fault, every act and every seeded bug', () => {
  const text = ['crash-points', 'seeded-bugs'].map((page) => document(`docs/trust/reliability/${page}.md`)).join('\n');
  const named = [...Object.keys(invariants), ...faults, ...acts].map((name) => `\`${name}\``);
  const titles = mutations().map(({ title }) => `| ${title} |`);
  expect([...named, ...titles].filter((one) => !text.includes(one))).toEqual([]);
});

test('every seeded bug applies to the present sources', () => {
  const found = mutations().map((bug) => ({ bug: bug.name, why: whyNotApplicable(bug) }));
  expect(found.filter(({ why }) => why !== undefined)).toEqual([]);
});
