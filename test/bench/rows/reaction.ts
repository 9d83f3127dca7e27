/** How soon a user's change is applied while other work is going on. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, goOperator, type Measurement } from '../row.ts';
import { quantile, quantileOfBuckets } from '../statistics.ts';
import { histogramOf } from '../support/histogram.ts';
import { type OperatorKind, operatorsOf } from '../support/operators.ts';
import { nameOf, Session } from '../support/session.ts';

const newForwardings = 20;
const newEveryMs = 250;
const changedForwardings = 100;
const changesPerSecond = 10;
const changeSeconds = 60;
const queueWait = 'workqueue_queue_duration_seconds';

/** After a restart, all forwardings are resynced. New ones come at the same time. */
async function duringResyncs(bench: Bench, kind: OperatorKind): Promise<Record<string, number>> {
  const { forwardings } = bench;
  await using session = await Session.open(bench, kind, { capacity: forwardings + newForwardings });
  await session.startWith(forwardings);
  await session.stop();
  session.calls.reset();
  await session.start();
  const seconds = await inParallel(newForwardings, newEveryMs, (index) => session.secondsToReady(forwardings + index));
  return { median: quantile(seconds, 0.5), p99: quantile(seconds, 0.99) };
}

/** Changes of spec at a steady rate. */
async function duringChanges(bench: Bench, kind: OperatorKind): Promise<Record<string, number>> {
  await using session = await Session.open(bench, kind, { capacity: changedForwardings });
  await session.startWith(changedForwardings);
  const { metricsURL } = session.operator;
  const before = await histogramOf(metricsURL, queueWait);
  const seconds = await inParallel(changesPerSecond * changeSeconds, 1_000 / changesPerSecond, async (index) => {
    const number = index % changedForwardings;
    const logFormat = Math.floor(index / changedForwardings) % 2 === 0 ? 'json' : 'cef';
    const startedMs = performance.now();
    const generation = await session.patch(number, { spec: { destination: { logFormat } } });
    const readyMs = await session.watch.until(() => session.watch.isReady(nameOf(number), generation));
    return (readyMs - startedMs) / 1_000;
  });
  const waits = (await histogramOf(metricsURL, queueWait)).map(
    ([bound, count]) => [bound, count - (before.find(([other]) => other === bound)?.[1] ?? 0)] as const,
  );
  return {
    median: quantile(seconds, 0.5),
    p99: quantile(seconds, 0.99),
    'wait in the queue, p99': quantileOfBuckets(waits, 0.99),
  };
}

/** Starts `count` attempts, one every `everyMs`, and resolves with their values when all have ended. */
async function inParallel<T>(count: number, everyMs: number, attempt: (index: number) => Promise<T>): Promise<T[]> {
  const startedMs = performance.now();
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await delay(Math.max(0, startedMs + index * everyMs - performance.now()));
      return attempt(index);
    }),
  );
}

export const resync: Measurement = {
  rows: [
    {
      name: 'resync',
      title: 'a new forwarding while all others are resynced, from apply to Ready',
      isSlow: true,
      figures: [
        { name: 'median', unit: 's', targets: [{ ratioTo: goOperator, limit: 1 }] },
        { name: 'p99', unit: 's', targets: [{ limit: 2 }] },
      ],
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    return kinds.map((kind) => ({
      name: kind.name,
      measure: async () => ({ resync: await duringResyncs(bench, kind) }),
    }));
  },
};

export const changes: Measurement = {
  rows: [
    {
      name: 'changes',
      title: 'changes of spec at 10 a second for a minute, from apply to Ready',
      isSlow: true,
      forwardings: changedForwardings,
      figures: [
        { name: 'median', unit: 's', targets: [{ ratioTo: goOperator, limit: 1 }] },
        { name: 'p99', unit: 's' },
        { name: 'wait in the queue, p99', unit: 's', targets: [{ limit: 0.5 }] },
      ],
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    return kinds.map((kind) => ({
      name: kind.name,
      measure: async () => ({ changes: await duringChanges(bench, kind) }),
    }));
  },
};
