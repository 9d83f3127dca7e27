import { describe, expect, test } from '@jest/globals';
import { bugs, whyNotApplicable } from './bugs.ts';
import { play, singles } from './driver.ts';
import { stories } from './stories.ts';
import { count, emptyTally } from './tally.ts';

describe('every fault at every outside call of', () => {
  test.each(stories)(
    '$title comes to rest, with nothing wrong on the way',
    async (story) => {
      const tally = emptyTally();
      for await (const run of singles(story)) count(tally, run);
      expect(tally.failures).toEqual([]);
      expect(tally.runs).toBeGreaterThan(9);
    },
    // The machine may be busy.
    120_000,
  );
});

test('a run is the same again', async () => {
  for (const story of stories.filter(({ title }) => title === 'drift' || title === 'hand-over')) {
    const plan = [{ at: 7, fault: 'crash-after+stale-list' as const }];
    const [one, two] = [await play(story, plan, { tells: true }), await play(story, plan, { tells: true })];
    expect(two.history).toEqual(one.history);
    expect(one.history.length).toBeGreaterThan(20);
  }
});

test('every seeded bug applies to the sources as they are', () => {
  const found = bugs().map((bug) => ({ bug: bug.name, why: whyNotApplicable(bug) }));
  expect(found.filter(({ why }) => why !== undefined)).toEqual([]);
});
