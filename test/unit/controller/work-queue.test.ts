import { describe, expect, test } from '@jest/globals';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const never = new AbortController().signal;

function setUp(queueClock?: Clock) {
  const clock = new ManualClock();
  const queue = new WorkQueue(queueClock ?? clock);
  /** Returns the key that can be taken at once, or undefined. */
  const takeNow = async () => {
    const stop = new AbortController();
    const taken = queue.take(stop.signal);
    stop.abort();
    return taken;
  };
  return { clock, queue, takeNow };
}

test('an observer sees each key that begins to wait, and how long it waited', async () => {
  const clock = new ManualClock();
  const seen: string[] = [];
  const observer = { added: () => seen.push('added'), taken: (ms: number) => seen.push(`taken after ${String(ms)}`) };
  const queue = new WorkQueue(clock, { groupOf: () => '', maxInWork: 1 }, observer);
  queue.add('a', { priority: 'resync' });
  queue.add('a');
  clock.advance(500);
  await queue.take(never);
  queue.add('a', { delayMs: 1_000 });
  clock.advance(2_000);
  expect(queue.inWorkMs).toEqual([2_000]);
  queue.done('a');
  expect(queue.inWorkMs).toEqual([]);
  expect(seen).toEqual(['added', 'taken after 500', 'added']);
});

describe('the order', () => {
  test('new keys come before resyncs, each in the order of their adds', async () => {
    const { queue, takeNow } = setUp();
    queue.add('r1', { priority: 'resync' });
    queue.add('n1');
    queue.add('r2', { priority: 'resync' });
    queue.add('n2');
    expect([await takeNow(), await takeNow(), await takeNow(), await takeNow(), await takeNow()]).toEqual([
      'n1',
      'n2',
      'r1',
      'r2',
      undefined,
    ]);
  });

  test('a waiting resync that is added as new moves forward and is taken once', async () => {
    const { queue, takeNow } = setUp();
    queue.add('other', { priority: 'resync' });
    queue.add('a', { priority: 'resync' });
    queue.add('a');
    queue.add('a', { priority: 'resync' });
    expect([await takeNow(), await takeNow(), await takeNow()]).toEqual(['a', 'other', undefined]);
  });

  test('a key in work that is added again waits for done, and then runs once more', async () => {
    const { queue, takeNow } = setUp();
    queue.add('a');
    expect(await takeNow()).toBe('a');
    queue.add('a');
    queue.add('a', { priority: 'resync' });
    expect(await takeNow()).toBeUndefined();
    queue.done('a');
    expect([await takeNow(), await takeNow()]).toEqual(['a', undefined]);
    queue.done('a');
    expect(await takeNow()).toBeUndefined();
  });

  test('a key in work has the time of its last add before it was taken', async () => {
    const { clock, queue, takeNow } = setUp();
    queue.add('a', { priority: 'resync' });
    clock.advance(10);
    queue.add('a');
    clock.advance(10);
    queue.add('a', { priority: 'resync' });
    queue.add('later', { delayMs: 5 });
    clock.advance(10);
    expect(queue.oldestWaitingMs).toBe(30);
    expect(queue.addedAt('a')).toBeUndefined();
    await takeNow();
    queue.add('a');
    expect(queue.addedAt('a')).toBe(20);
    await takeNow();
    expect(queue.addedAt('later')).toBe(25);
  });

  test('done of a key that is not in work changes nothing', async () => {
    const { queue, takeNow } = setUp();
    queue.done('a');
    queue.add('a');
    queue.done('a');
    expect([await takeNow(), await takeNow()]).toEqual(['a', undefined]);
  });
});

describe('delays', () => {
  test('of several delayed adds the earliest one counts, and there is only one timer', async () => {
    const { clock, queue, takeNow } = setUp();
    queue.add('a', { delayMs: 100 });
    queue.add('a', { delayMs: 50 });
    queue.add('a', { delayMs: 200, priority: 'resync' });
    queue.add('b', { delayMs: 70 });
    expect(clock.pendingTimers).toBe(1);
    clock.advance(49);
    expect(await takeNow()).toBeUndefined();
    clock.advance(1);
    expect(await takeNow()).toBe('a');
    queue.done('a');
    clock.advance(1000);
    expect([await takeNow(), await takeNow()]).toEqual(['b', undefined]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('an immediate add replaces a delayed one', async () => {
    const { clock, queue, takeNow } = setUp();
    queue.add('a', { delayMs: 100 });
    queue.add('a');
    expect(await takeNow()).toBe('a');
    queue.done('a');
    clock.advance(1000);
    expect(await takeNow()).toBeUndefined();
  });

  test('a delayed add does not delay a key that waits already', async () => {
    const { clock, queue, takeNow } = setUp();
    queue.add('a');
    queue.add('a', { delayMs: 100, priority: 'resync' });
    expect(await takeNow()).toBe('a');
    queue.done('a');
    clock.advance(1000);
    expect(await takeNow()).toBeUndefined();
  });

  test('a delay that is added while the key is in work ends after done', async () => {
    const { clock, queue, takeNow } = setUp();
    queue.add('a');
    await takeNow();
    queue.add('a', { delayMs: 10, priority: 'resync' });
    queue.done('a');
    expect(await takeNow()).toBeUndefined();
    clock.advance(10);
    expect(await takeNow()).toBe('a');
  });

  test('a delay that ends while the key is in work takes effect after done', async () => {
    const { clock, queue, takeNow } = setUp();
    queue.add('a');
    await takeNow();
    queue.add('a', { delayMs: 10 });
    clock.advance(10);
    expect(await takeNow()).toBeUndefined();
    queue.done('a');
    expect(await takeNow()).toBe('a');
  });

  test('a delay is kept if its timer ends early', async () => {
    const clock = new ManualClock();
    const { queue, takeNow } = setUp({
      now: () => clock.now(),
      schedule: (callback, delayMs) => clock.schedule(callback, Math.min(300, delayMs)),
    });
    const delayMs = 1000;
    queue.add('a', { delayMs });
    clock.advance(delayMs - 1);
    expect(await takeNow()).toBeUndefined();
    clock.advance(1);
    expect(await takeNow()).toBe('a');
  });

  test('a key that is replaced many times leaves nothing behind', () => {
    const { clock, queue } = setUp();
    for (let round = 0; round < 10_000; round += 1) {
      queue.add('a', { delayMs: 1_000_000 - round });
    }
    queue.add('a', { delayMs: 5 });
    expect(queue.delayedSize).toBe(1);
    expect(clock.pendingTimers).toBe(1);
  });
});

describe('waiting and ending', () => {
  test('a waiting caller gets the next key', async () => {
    const { queue } = setUp();
    const first = queue.take(never);
    const second = queue.take(never);
    queue.add('a');
    queue.add('b');
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
  });

  test('an aborted wait returns undefined and loses no key', async () => {
    const { queue, takeNow } = setUp();
    const stop = new AbortController();
    const waiting = queue.take(stop.signal);
    stop.abort();
    expect(await waiting).toBeUndefined();
    queue.add('a');
    expect(await queue.take(stop.signal)).toBeUndefined();
    expect(await takeNow()).toBe('a');
  });

  test('shutting down ends every wait, ignores later keys and stops the timer', async () => {
    const { clock, queue } = setUp();
    const waiting = [queue.take(never), queue.take(never)];
    queue.add('later', { delayMs: 10 });
    queue.shutDown();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    queue.add('a');
    expect(await queue.take(never)).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  test('the sizes and the longest wait are available', async () => {
    const { clock, queue, takeNow } = setUp();
    expect(queue.oldestWaitingMs).toBe(0);
    queue.add('a', { priority: 'resync' });
    clock.advance(30);
    queue.add('b');
    queue.add('a');
    queue.add('c', { delayMs: 1000 });
    clock.advance(10);
    expect([queue.size, queue.delayedSize, queue.inWorkSize, queue.oldestWaitingMs]).toEqual([2, 1, 0, 40]);
    await takeNow();
    await takeNow();
    expect([queue.size, queue.inWorkSize, queue.oldestWaitingMs]).toEqual([0, 2, 0]);
  });
});

describe('groups', () => {
  /** A key such as `blue-1` belongs to the group `blue`. */
  function grouped(maxInWork: number) {
    const clock = new ManualClock();
    const queue = new WorkQueue(clock, { groupOf: (key) => key.slice(0, key.indexOf('-')), maxInWork });
    const takeAll = async () => {
      const taken: string[] = [];
      for (;;) {
        const stop = new AbortController();
        const key = queue.take(stop.signal);
        stop.abort();
        const next = await key;
        if (next === undefined) return taken;
        taken.push(next);
      }
    };
    return { clock, queue, takeAll };
  }

  test('have at most so many keys in work', async () => {
    const { queue, takeAll } = grouped(2);
    for (const number of [1, 2, 3, 4]) queue.add(`blue-${String(number)}`);
    queue.add('green-1');
    expect((await takeAll()).toSorted()).toEqual(['blue-1', 'blue-2', 'green-1']);
    expect(queue.size).toBe(2);
    queue.done('blue-2');
    expect(await takeAll()).toEqual(['blue-3']);
    queue.done('green-1');
    expect(await takeAll()).toEqual([]);
  });

  test('of resyncs leave a place for a new key', async () => {
    const { queue, takeAll } = grouped(3);
    for (const number of [1, 2, 3]) queue.add(`blue-${String(number)}`, { priority: 'resync' });
    expect(await takeAll()).toEqual(['blue-1', 'blue-2']);
    queue.add('blue-4');
    expect(await takeAll()).toEqual(['blue-4']);
    queue.done('blue-4');
    expect(await takeAll()).toEqual([]);
    queue.done('blue-1');
    expect(await takeAll()).toEqual(['blue-3']);
  });

  test('with only one place give it to a resync, too', async () => {
    const { queue, takeAll } = grouped(1);
    queue.add('blue-1', { priority: 'resync' });
    expect(await takeAll()).toEqual(['blue-1']);
  });

  test('are served one key each in rotation, new keys of all groups before all resyncs', async () => {
    const { queue, takeAll } = grouped(10);
    queue.add('blue-0', { priority: 'resync' });
    for (const number of [1, 2, 3]) queue.add(`blue-${String(number)}`);
    for (const number of [1, 2]) queue.add(`green-${String(number)}`);
    expect(await takeAll()).toEqual(['blue-1', 'green-1', 'blue-2', 'green-2', 'blue-3', 'blue-0']);
  });

  test('give a waiting worker the next key when a place becomes free', async () => {
    const { queue, takeAll } = grouped(1);
    queue.add('blue-1');
    queue.add('blue-2');
    await takeAll();
    const waiting = queue.take(never);
    queue.done('blue-1');
    await expect(waiting).resolves.toBe('blue-2');
  });

  test('are determined when a key begins to wait, and a key frees the place that it took', async () => {
    const clock = new ManualClock();
    let group = 'before';
    const queue = new WorkQueue(clock, { groupOf: () => group, maxInWork: 1 });
    queue.add('a');
    await queue.take(never);
    group = 'after';
    queue.add('a');
    queue.add('b');
    await expect(queue.take(never)).resolves.toBe('b');
    queue.done('a');
    queue.done('b');
    await expect(queue.take(never)).resolves.toBe('a');
    queue.done('a');
    group = 'before';
    queue.add('c');
    await expect(queue.take(never)).resolves.toBe('c');
  });
});
