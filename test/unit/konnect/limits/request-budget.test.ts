import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { RequestBudget } from '../../../../src/konnect/limits/request-budget.ts';
import { type Rank, ranks } from '../../../../src/konnect/limits/wait-queue.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const never = new AbortController().signal;
/** Lets all resolved promises continue. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function setUp(options: { qps: number; burst: number }) {
  const clock = new ManualClock();
  const budget = new RequestBudget({ ...options, clock });
  const gone: string[] = [];
  const ask = (name: string, rank: Rank = 'new', signal: AbortSignal = never) =>
    void budget.take(rank, signal).then((isTurn) => isTurn && gone.push(name));
  const after = async (ms: number) => {
    clock.advance(ms);
    await settled();
    return gone;
  };
  return { clock, budget, gone, ask, after };
}

describe('a budget', () => {
  test('allows a burst at once, and then the rate', async () => {
    const { ask, after } = setUp({ qps: 10, burst: 3 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name);
    expect(await after(0)).toEqual(['a', 'b', 'c']);
    expect(await after(99)).toHaveLength(3);
    expect(await after(1)).toHaveLength(4);
    expect(await after(100)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('has its burst again after a pause, and never more', async () => {
    const { ask, after, gone } = setUp({ qps: 10, burst: 2 });
    ask('a');
    ask('b');
    await after(60_000);
    for (const name of ['c', 'd', 'e']) ask(name);
    await after(0);
    expect(gone).toEqual(['a', 'b', 'c', 'd']);
  });

  test('serves writes first, then new work, then resyncs, each in order', async () => {
    const { ask, after } = setUp({ qps: 1, burst: 1 });
    ask('first');
    ask('resync 1', 'resync');
    ask('resync 2', 'resync');
    ask('new 1', 'new');
    ask('new 2', 'new');
    ask('write', 'write');
    await after(0);
    expect(await after(5_000)).toEqual(['first', 'write', 'new 1', 'new 2', 'resync 1', 'resync 2']);
  });

  test('forgets an aborted caller, and keeps no timer without waiting callers', async () => {
    const { clock, ask, after, gone } = setUp({ qps: 1, burst: 1 });
    const leaving = new AbortController();
    ask('a');
    ask('b', 'new', leaving.signal);
    ask('c');
    leaving.abort();
    await after(1_000);
    expect(gone).toEqual(['a', 'c']);
    ask('d', 'new', leaving.signal);
    expect(await after(10_000)).toEqual(['a', 'c']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is overdrawn by a request that must not wait, so later requests wait longer', async () => {
    const { budget, ask, after, gone } = setUp({ qps: 10, burst: 1 });
    for (let count = 0; count < 3; count += 1) budget.overdraw();
    ask('a');
    await after(299);
    expect(gone).toEqual([]);
    expect(await after(1)).toEqual(['a']);
  });

  test('has no burst after it was drained', async () => {
    const { budget, ask, after, gone } = setUp({ qps: 10, burst: 100 });
    budget.drain();
    ask('a');
    await after(99);
    expect(gone).toEqual([]);
    expect(await after(1)).toEqual(['a']);
  });
});

test('no period has more requests than burst and rate allow, and every request is served in the end', async () => {
  const step = fc.record({ rank: fc.constantFrom(...ranks), waitMs: fc.integer({ min: 0, max: 400 }) });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(step, { maxLength: 12 }),
      async (qps, burst, steps) => {
        const clock = new ManualClock();
        const budget = new RequestBudget({ qps, burst, clock });
        const times: number[] = [];
        for (const { rank, waitMs } of steps) {
          void budget.take(rank, never).then(() => times.push(clock.now()));
          await settled();
          for (let ms = 0; ms < waitMs; ms += 20) {
            clock.advance(20);
            await settled();
          }
        }
        while (clock.pendingTimers > 0) {
          clock.advance(10);
          await settled();
        }
        await settled();
        expect(times).toHaveLength(steps.length);
        const tooMany = times.flatMap((from, first) =>
          times.slice(first).filter((to, index) => index + 1 > burst + ((to - from + 20) / 1_000) * qps + 1e-6),
        );
        expect(tooMany).toEqual([]);
      },
    ),
    { numRuns: 200 },
  );
});
