import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { BackOff, backOffMs } from '../../../src/controller/back-off.ts';

describe('the delay', () => {
  test.each([
    { jitter: 'full', random: 0, delays: [0, 0, 0, 0, 0] },
    { jitter: 'full', random: 0.5, delays: [50, 100, 200, 400, 500] },
    { jitter: 'equal', random: 0, delays: [50, 100, 200, 400, 500] },
    { jitter: 'equal', random: 0.5, delays: [75, 150, 300, 600, 750] },
  ] as const)('doubles up to the maximum: $jitter jitter at $random', ({ jitter, random, delays }) => {
    const options = { baseMs: 100, maxMs: 1000, jitter, random: () => random };
    expect([1, 2, 3, 4, 5].map((failures) => backOffMs(failures, options))).toEqual(delays);
  });

  test('is between zero and the maximum after any number of failures', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom('full' as const, 'equal' as const),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, jitter, random) => {
          const delayMs = backOffMs(failures, { baseMs: 100, maxMs: 60_000, jitter, random: () => random });
          expect(delayMs).toBeGreaterThanOrEqual(jitter === 'equal' ? 50 : 0);
          expect(delayMs).toBeLessThanOrEqual(60_000);
        },
      ),
    );
  });
});

test('each key has its own count, which starts again after forget', () => {
  const backOff = new BackOff({ baseMs: 100, maxMs: 1000, jitter: 'equal', random: () => 0 });
  expect([backOff.next('a'), backOff.next('a'), backOff.next('b')]).toEqual([50, 100, 50]);
  expect([backOff.failures('a'), backOff.failures('b'), backOff.failures('c')]).toEqual([2, 1, 0]);
  backOff.forget('a');
  expect([backOff.next('a'), backOff.next('b')]).toEqual([50, 100]);
});

test('each cause of failure has its own count, and all counts start again with another request', () => {
  const backOff = new BackOff({ baseMs: 100, maxMs: 1000, jitter: 'equal', random: () => 0 });
  const delays = (request: string, ...causes: string[]) => causes.map((cause) => backOff.next('a', { request, cause }));
  expect(delays('1', 'outage', 'outage', 'outage', 'wait', 'wait')).toEqual([50, 100, 200, 50, 100]);
  expect(delays('1', 'outage', 'wait', 'outage', 'wait')).toEqual([400, 200, 500, 400]);
  expect(backOff.failures('a')).toBe(9);
  expect(delays('2', 'outage', 'wait', 'outage')).toEqual([50, 50, 100]);
});
