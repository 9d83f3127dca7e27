import { describe, expect, test } from '@jest/globals';
import { document } from '../docs/documents.ts';
import { faults } from './faults.ts';
import { invariants } from './invariants.ts';
import { mutations, runMutation, whyNotApplicable } from './mutations.ts';
import { prepareScenario, runScenario, runsWithOneFault } from './runner.ts';
import { scenarios } from './scenarios.ts';
import { addRun, emptySummary } from './summary.ts';

describe('every fault at every outside call of scenario', () => {
  test.each(scenarios)('$title ends at rest, without a violation', async (scenario) => {
    const summary = emptySummary();
    for await (const run of runsWithOneFault(await prepareScenario(scenario))) addRun(summary, run);
    expect(summary.failures).toEqual([]);
    expect(summary.runs).toBeGreaterThan(9);
  });
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

test.each(['no-intent', 'deletes-after-failure', 'ticking-status'])(
  'the simulation finds the seeded bug %s',
  async (name) => {
    const bug = mutations().find((one) => one.name === name);
    if (bug === undefined) throw new TypeError('there is no such bug');
    const { violations } = await runMutation(bug, 1);
    expect(Object.keys(violations)).not.toEqual([]);
  },
);

test('docs/trust/reliability/crash-points.md has every invariant, every fault and every seeded bug', () => {
  const text = document('docs/trust/reliability/crash-points.md');
  const named = [...Object.keys(invariants), ...faults].map((name) => `\`${name}\``);
  const titles = mutations().map(({ title }) => `| ${title} |`);
  expect([...named, ...titles].filter((one) => !text.includes(one))).toEqual([]);
});

test('every seeded bug applies to the present sources', () => {
  const found = mutations().map((bug) => ({ bug: bug.name, why: whyNotApplicable(bug) }));
  expect(found.filter(({ why }) => why !== undefined)).toEqual([]);
});
