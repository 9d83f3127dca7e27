import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { sleep, withTimeout } from '../../../src/runtime/timeout.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const resolved = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const leftovers = () => [clock.pendingTimers, getEventListeners(stop.signal, 'abort').length];
  return { clock, stop, leftovers };
}

describe('sleep', () => {
  test('resolves after its time', async () => {
    const { clock, stop, leftovers } = setUp();
    const sleeping = sleep(10, stop.signal, clock);
    const first = Promise.race([sleeping.then(() => 'over'), resolved().then(() => 'asleep')]);
    clock.advance(9);
    expect(await first).toBe('asleep');
    clock.advance(1);
    await sleeping;
    expect(leftovers()).toEqual([0, 0]);
  });

  test('resolves when its signal is aborted', async () => {
    const { clock, stop, leftovers } = setUp();
    const sleeping = sleep(10, stop.signal, clock);
    stop.abort();
    await sleeping;
    expect(leftovers()).toEqual([0, 0]);
  });

  test.each([0, -1])('resolves at once for %s ms', async (ms) => {
    const { clock, stop, leftovers } = setUp();
    await sleep(ms, stop.signal, clock);
    expect(leftovers()).toEqual([0, 0]);
  });

  test('resolves at once where its signal was aborted before', async () => {
    const { clock, stop } = setUp();
    stop.abort();
    await sleep(10, stop.signal, clock);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('withTimeout', () => {
  const late = new Error('late');
  const timedOut = () => late;

  test.each([
    ['resolves', () => Promise.resolve('value'), { status: 'fulfilled', value: 'value' }],
    ['rejects', () => Promise.reject(late), { status: 'rejected', reason: late }],
  ])('%s as the action does', async (_how, action, outcome) => {
    const { clock, stop, leftovers } = setUp();
    const running = withTimeout<string>({ signal: stop.signal, timeoutMs: 10, timedOut, clock }, action);
    expect(await Promise.allSettled([running])).toEqual([outcome]);
    expect(leftovers()).toEqual([0, 0]);
  });

  test('rejects after its time, although the action ignores its signal', async () => {
    const { clock, stop, leftovers } = setUp();
    let seen: AbortSignal | undefined;
    const running = withTimeout({ signal: stop.signal, timeoutMs: 10, timedOut, clock }, (signal) => {
      seen = signal;
      return new Promise(() => {});
    });
    clock.advance(10);
    await expect(running).rejects.toBe(late);
    expect(seen?.reason).toBe(late);
    expect(leftovers()).toEqual([0, 0]);
  });

  test('rejects with the reason of its signal, whatever the action rejects with then', async () => {
    const { clock, stop, leftovers } = setUp();
    const reason = new Error('stopped');
    const running = withTimeout({ signal: stop.signal, timeoutMs: 10, timedOut, clock }, (signal) => {
      const failed = Promise.withResolvers<never>();
      signal.addEventListener('abort', () => failed.reject(new Error('the action noticed')));
      return failed.promise;
    });
    stop.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(leftovers()).toEqual([0, 0]);
  });

  test('does not begin where its signal was aborted before', async () => {
    const { clock, stop } = setUp();
    stop.abort(late);
    let hasBegun = false;
    const running = withTimeout({ signal: stop.signal, timeoutMs: 10, timedOut, clock }, () => {
      hasBegun = true;
      return Promise.resolve();
    });
    await expect(running).rejects.toBe(late);
    expect([hasBegun, clock.pendingTimers]).toEqual([false, 0]);
  });

  test('needs no signal', async () => {
    const clock = new ManualClock();
    const running = withTimeout({ timeoutMs: 10, timedOut, clock }, () => new Promise(() => {}));
    clock.advance(10);
    await expect(running).rejects.toBe(late);
  });
});
