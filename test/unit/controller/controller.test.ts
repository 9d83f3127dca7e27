import { expect, test } from '@jest/globals';
import { BackOff } from '../../../src/controller/back-off.ts';
import { type ControllerOptions, runController } from '../../../src/controller/controller.ts';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { ReconcileResult } from '../../../src/runtime/reconcile-result.ts';
import { FencedError } from '../../../src/runtime/write-fence.ts';
import { eventually } from '../../support/eventually.ts';
import { ManualClock } from '../../support/manual-clock.ts';

type Pass = { key: string; signal: AbortSignal; end: (result: ReconcileResult) => void; fail: (error: Error) => void };

function setUp(overrides: Partial<ControllerOptions> = {}) {
  const clock = new ManualClock();
  const queue = new WorkQueue(clock);
  const stop = new AbortController();
  const passes: Pass[] = [];
  const logged: { fields: object; message: string }[] = [];
  const write = (fields: object, message: string) => void logged.push({ fields, message });
  const ended = runController({
    queue,
    clock,
    concurrency: 1,
    backOff: new BackOff({ baseMs: 100, maxMs: 1000, jitter: 'equal', random: () => 0 }),
    graceMs: 5000,
    log: { debug: write, info: write, warn: write, error: write },
    signal: stop.signal,
    reconcile: (key, signal) =>
      new Promise((end, fail) => {
        passes.push({ key, signal, end, fail });
      }),
    ...overrides,
  });
  const pass = async (index: number) =>
    eventually(() => {
      const found = passes[index];
      if (found === undefined) throw new Error(`pass ${index} has not begun`);
      return found;
    });
  const idle = () => eventually(() => expect(queue.inWorkSize).toBe(0));
  return { clock, queue, stop, passes, logged, ended, pass, idle };
}

test('a key that is done is not reconciled until it is added again', async () => {
  const { clock, queue, stop, ended, pass, idle } = setUp();
  queue.add('a');
  (await pass(0)).end({ kind: 'done' });
  await idle();
  expect([queue.size, queue.delayedSize]).toEqual([0, 0]);
  clock.advance(1e9);
  queue.add('a');
  (await pass(1)).end({ kind: 'done' });
  stop.abort();
  await ended;
});

test('a reconciliation that may no longer write is aborted, not failed', async () => {
  const outcomes: string[] = [];
  const { queue, stop, logged, ended, pass, idle } = setUp({ onReconcile: (_key, outcome) => outcomes.push(outcome) });
  queue.add('a');
  (await pass(0)).fail(new FencedError('not led'));
  await idle();
  stop.abort();
  await ended;
  expect([outcomes, logged.map(({ message }) => message)]).toEqual([['aborted'], ['reconcile aborted']]);
});

test('work in progress is aborted at once if the reason is that nothing may be written', async () => {
  const { queue, stop, ended, pass } = setUp();
  queue.add('a');
  const { signal, fail } = await pass(0);
  stop.abort(new FencedError('lost'));
  expect(signal.aborted).toBe(true);
  fail(new Error('aborted'));
  await ended;
});

test('requeue runs after its time and after new work, and resets the failures', async () => {
  const { clock, queue, stop, passes, ended, pass, idle } = setUp();
  queue.add('a');
  (await pass(0)).fail(new Error('once'));
  await idle();
  clock.advance(50);
  (await pass(1)).end({ kind: 'requeue', afterMs: 600 });
  await idle();
  queue.add('busy');
  await pass(2);
  clock.advance(600);
  queue.add('new');
  (await pass(2)).end({ kind: 'done' });
  (await pass(3)).end({ kind: 'done' });
  (await pass(4)).end({ kind: 'retry' });
  expect(passes.map(({ key }) => key)).toEqual(['a', 'a', 'busy', 'new', 'a']);
  await idle();
  clock.advance(49);
  expect(passes).toHaveLength(5);
  clock.advance(1);
  (await pass(5)).end({ kind: 'done' });
  stop.abort();
  await ended;
});

test('an early resync waits for the back-off, at least for its minDelayMs, and at most for the interval', async () => {
  const { clock, queue, stop, passes, ended, pass, idle } = setUp();
  const early = { minDelayMs: 70, backOffKey: { request: '', cause: 'refused' } };
  queue.add('a');
  for (const [index, delayMs] of [70, 100, 150].entries()) {
    (await pass(index)).end({ kind: 'requeue', afterMs: 150, early });
    await idle();
    clock.advance(delayMs - 1);
    expect(passes).toHaveLength(index + 1);
    clock.advance(1);
    await pass(index + 1);
    expect(queue.priorityOf('a')).toBe('resync');
  }
  (await pass(3)).end({ kind: 'done' });
  stop.abort();
  await ended;
});

test('retry waits for the back-off, and at least for minDelayMs', async () => {
  const { clock, queue, stop, passes, ended, pass, idle } = setUp();
  queue.add('a');
  (await pass(0)).end({ kind: 'retry' });
  await idle();
  clock.advance(50);
  (await pass(1)).end({ kind: 'retry', minDelayMs: 77_000 });
  await idle();
  clock.advance(76_999);
  expect(passes).toHaveLength(2);
  clock.advance(1);
  (await pass(2)).end({ kind: 'retry', minDelayMs: 1 });
  await idle();
  clock.advance(199);
  expect(passes).toHaveLength(3);
  clock.advance(1);
  (await pass(3)).end({ kind: 'done' });
  stop.abort();
  await ended;
});

test('an error is logged and retried with growing delays, and neither it nor an error of a hook stops the controller', async () => {
  const { clock, queue, stop, passes, logged, ended, pass, idle } = setUp({
    onReconcile: () => {
      throw new Error('hook');
    },
  });
  const cause = new Error('broken');
  queue.add('a');
  (await pass(0)).fail(cause);
  await idle();
  expect(logged[0]).toEqual({
    fields: { key: 'a', err: cause, failures: 1, retryMs: 50 },
    message: 'reconcile failed',
  });
  expect(logged[1]?.message).toBe('reconcile hook failed');
  clock.advance(50);
  (await pass(1)).fail(cause);
  await idle();
  clock.advance(99);
  expect(passes).toHaveLength(2);
  clock.advance(1);
  (await pass(2)).end({ kind: 'done' });
  stop.abort();
  await ended;
});

test('a new key stays before resyncs while it is retried, and is a resync afterwards', async () => {
  const { clock, queue, stop, passes, ended, pass } = setUp();
  queue.add('busy');
  queue.add('new');
  (await pass(0)).end({ kind: 'done' });
  (await pass(1)).end({ kind: 'retry' });
  queue.add('busy');
  await pass(2);
  queue.add('old', { priority: 'resync' });
  clock.advance(50);
  (await pass(2)).end({ kind: 'done' });
  (await pass(3)).fail(new Error('once'));
  queue.add('older', { priority: 'resync' });
  (await pass(4)).end({ kind: 'done' });
  await pass(5);
  clock.advance(100);
  (await pass(5)).end({ kind: 'done' });
  (await pass(6)).end({ kind: 'done' });
  expect(passes.map(({ key }) => key)).toEqual(['busy', 'new', 'busy', 'new', 'old', 'older', 'new']);
  stop.abort();
  await ended;
});

test('a controller that is stopped before it starts does nothing', async () => {
  const queue = new WorkQueue();
  const passes: string[] = [];
  queue.add('a');
  await runController({
    queue,
    reconcile: (key) => {
      passes.push(key);
      return Promise.resolve({ kind: 'done' });
    },
    concurrency: 2,
    backOff: new BackOff({ baseMs: 1, maxMs: 1, jitter: 'full', random: () => 0 }),
    graceMs: 60_000,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    signal: AbortSignal.abort(),
  });
  expect(passes).toEqual([]);
});

test('as many keys run concurrently as allowed, and never the same key twice', async () => {
  const { queue, stop, passes, ended, pass } = setUp({ concurrency: 3 });
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  await pass(2);
  queue.add('a');
  expect(passes.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  (await pass(0)).end({ kind: 'done' });
  expect((await pass(3)).key).toBe('d');
  (await pass(1)).end({ kind: 'done' });
  expect((await pass(4)).key).toBe('a');
  for (const { end } of passes) end({ kind: 'done' });
  stop.abort();
  await ended;
});

test('on abort, work in progress may end, and no new work begins', async () => {
  const { clock, queue, stop, passes, ended, pass } = setUp();
  queue.add('a');
  queue.add('b');
  const { signal, end } = await pass(0);
  stop.abort();
  clock.advance(4999);
  expect(signal.aborted).toBe(false);
  end({ kind: 'done' });
  await ended;
  expect(passes).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

test('after the grace period work in progress is aborted, which is not a failure', async () => {
  const outcomes: string[] = [];
  const { clock, queue, stop, logged, ended, pass } = setUp({
    onReconcile: (key, outcome, durationMs) => outcomes.push(`${key} ${outcome} ${durationMs}`),
  });
  queue.add('a');
  const { signal, fail } = await pass(0);
  signal.addEventListener('abort', () => fail(new Error('stopped midway')));
  stop.abort();
  clock.advance(5000);
  await ended;
  expect(outcomes).toEqual(['a aborted 5000']);
  expect(logged.map(({ message }) => message)).toEqual(['reconcile aborted']);
});
