import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { limits, Story, step } from './informer-scenario.ts';

test('after any steps, the store is equal to the server, the changes lead to it, and no delay is too long', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const story = new Story();
      await story.begin();
      try {
        for (const now of steps) await story.play(now);
        await story.meet();
        story.deliverAll();
        await story.meet();
        expect(story.fromChanges).toEqual(story.there);
        expect(story.wrong).toEqual([]);
        const mostMs = Math.max(limits.backOff.maxMs, limits.retryAfterMs);
        expect(story.waitsMs.filter((waitMs) => waitMs > mostMs)).toEqual([]);
      } finally {
        await story.end();
      }
    }),
    { numRuns: 100, endOnFailure: true },
  );
});
