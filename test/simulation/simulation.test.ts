import { describe, expect, test } from '@jest/globals';
import { document } from '../docs/documents.ts';
import { faults } from './faults.ts';
import { invariants } from './invariants.ts';
import { bugs, tryBug, whyNotApplicable } from './mutations.ts';
import { play, prepare, singles } from './runner.ts';
import { stories } from './scenarios.ts';
import { count, emptyTally } from './summary.ts';

describe('every fault at every outside call of', () => {
  test.each(stories)('$title comes to rest, with nothing wrong on the way', async (story) => {
    const tally = emptyTally();
    for await (const run of singles(await prepare(story))) count(tally, run);
    expect(tally.failures).toEqual([]);
    expect(tally.runs).toBeGreaterThan(9);
  });
});

test('a run is the same again', async () => {
  for (const story of stories.filter(({ title }) => title === 'drift' || title === 'hand-over')) {
    const plan = [{ at: 7, fault: 'crash-after+stale-list' as const }];
    const [one, two] = [
      await play(await prepare(story), plan, { tells: true }),
      await play(await prepare(story), plan, { tells: true }),
    ];
    expect(two.history).toEqual(one.history);
    expect(one.history.length).toBeGreaterThan(20);
  }
});

test.each(['no-intent', 'deletes-after-failure', 'ticking-status'])('the driver can fail: %s', async (name) => {
  const bug = bugs().find((one) => one.name === name);
  if (bug === undefined) throw new TypeError('there is no such bug');
  const { violations } = await tryBug(bug, 1);
  expect(Object.keys(violations)).not.toEqual([]);
});

test('docs/trust/reliability/crash-points.md has every invariant, every fault and every seeded bug', () => {
  const text = document('docs/trust/reliability/crash-points.md');
  const named = [...Object.keys(invariants), ...faults].map((name) => `\`${name}\``);
  const titles = bugs().map(({ title }) => `| ${title} |`);
  expect([...named, ...titles].filter((one) => !text.includes(one))).toEqual([]);
});

test('every seeded bug applies to the sources as they are', () => {
  const found = bugs().map((bug) => ({ bug: bug.name, why: whyNotApplicable(bug) }));
  expect(found.filter(({ why }) => why !== undefined)).toEqual([]);
});
