/** The life of many forwardings of one organization, with one Secret of all, as each operator leads it. */
import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, goOperator, type Measurement, type Row } from '../row.ts';
import { type OperatorKind, operatorsOf } from '../support/operators.ts';
import { defaultLatencyMs, portalsPerForwarding, Session } from '../support/session.ts';
import { usageOf } from '../support/usage.ts';

const most = (limit: number) => ({ ratioTo: goOperator, limit });
/** How many forwardings are created one after the other, beside those that are there. */
const singles = 10;
/** The list of destinations by name, the POST, and the three PATCHes at once. */
const unavoidableRoundTrips = 3;

const memory: Row = {
  name: 'memory',
  title: 'resident memory',
  figures: [
    { name: 'idle', unit: 'MiB', targets: [most(2)] },
    { name: 'with all forwardings', unit: 'MiB', targets: [most(2.2)] },
    { name: 'peak', unit: 'MiB' },
  ],
};
const cold: Row = {
  name: 'cold',
  title: 'from the first apply until all are Ready',
  figures: [
    { name: 'time', unit: 's', targets: [most(0.6)] },
    { name: 'processor time', unit: 's', targets: [most(1.2)] },
    { name: 'calls', unit: 'calls', isCount: true, targets: [most(0.5)] },
  ],
};
const writes: Row = {
  name: 'writes',
  title: 'writes to Kubernetes for the creation of one forwarding',
  figures: [
    { name: 'status and finalizer', unit: 'writes', isCount: true, targets: [{ limit: 3 }] },
    { name: 'events', unit: 'writes', isCount: true, targets: [{ limit: 3 }] },
  ],
};
const one: Row = {
  name: 'one',
  title: 'one more forwarding, from apply to Ready',
  figures: [
    { name: 'time', unit: 's', targets: [most(0.5)] },
    { name: 'time by the latency of its unavoidable calls', unit: '', targets: [{ limit: 1.3 }] },
    { name: 'calls', unit: 'calls', isCount: true },
  ],
};
const restart: Row = {
  name: 'restart',
  title: 'restart without a change, until the last call',
  figures: [
    { name: 'time', unit: 's', targets: [most(0.7)] },
    { name: 'processor time', unit: 's' },
    { name: 'calls', unit: 'calls', isCount: true },
    { name: 'writes to Konnect', unit: 'writes', isCount: true, targets: [{ limit: 0 }] },
  ],
};
const rotate: Row = {
  name: 'rotate',
  title: 'the one Secret of all is rotated, until every destination has it',
  figures: [
    { name: 'time', unit: 's', targets: [most(0.7)] },
    { name: 'calls', unit: 'calls', isCount: true },
    { name: 'writes to Konnect for each destination', unit: 'writes', isCount: true, targets: [{ limit: 1 }] },
  ],
};
const deletion: Row = {
  name: 'delete',
  title: 'all are deleted',
  figures: [
    { name: 'time', unit: 's', targets: [most(0.8)] },
    { name: 'calls', unit: 'calls', isCount: true },
  ],
};

export type Costs = Record<string, Record<string, number | number[]>>;

/** Leads `forwardings` through their life, and measures the wanted rows of it. All rows but `memory` need the creation, so that is always measured. */
export async function live(
  bench: Bench,
  kind: OperatorKind,
  { forwardings, rows }: { forwardings: number; rows: ReadonlySet<string> },
): Promise<Costs> {
  await using session = await Session.open(bench, kind, { capacity: forwardings + singles });
  const costs: Costs = {};
  await session.start();
  if (rows.has('memory')) {
    await delay(5_000);
    costs['memory'] = { idle: (await session.operator.usage()).residentMiB };
  }
  Object.assign(costs, await createAll(session, forwardings));
  if (rows.has('memory')) {
    await delay(5_000);
    const { residentMiB, peakMiB } = await session.operator.usage();
    costs['memory'] = { ...costs['memory'], 'with all forwardings': residentMiB, peak: peakMiB };
  }
  if (rows.has('one')) costs['one'] = await createSingles(session, forwardings);
  if (rows.has('restart')) costs['restart'] = await restartAll(session, forwardings);
  if (rows.has('rotate')) costs['rotate'] = await rotateAll(session);
  if (rows.has('delete')) costs['delete'] = await deleteAll(session);
  return costs;
}

async function createAll(session: Session, forwardings: number): Promise<Costs> {
  const [mark, before] = [await session.lab.mark(), await session.operator.usage()];
  session.calls.reset();
  const startedMs = performance.now();
  await session.create(0, forwardings);
  const readyMs = await session.watch.until(() => session.watch.ready === forwardings);
  await session.untilQuiet(forwardings);
  const after = await session.operator.usage();
  const written = await session.lab.writesSince(mark);
  return {
    cold: {
      time: (readyMs - startedMs) / 1_000,
      'processor time': after.processorSeconds - before.processorSeconds,
      calls: session.calls.counts.all,
    },
    writes: {
      'status and finalizer': (written.status + written.finalizer) / forwardings,
      events: written.events / forwardings,
    },
  };
}

async function createSingles(session: Session, first: number): Promise<Costs[string]> {
  const [seconds, calls]: [number[], number[]] = [[], []];
  for (let index = first; index < first + singles; index += 1) {
    session.calls.reset();
    seconds.push(await session.secondsToReady(index));
    calls.push(session.calls.counts.all);
  }
  return {
    time: seconds,
    'time by the latency of its unavoidable calls': seconds.map(
      (time) => time / ((unavoidableRoundTrips * defaultLatencyMs) / 1_000),
    ),
    calls,
  };
}

async function restartAll(session: Session, forwardings: number): Promise<Costs[string]> {
  await session.stop();
  session.calls.reset();
  const { startedAt } = await session.start();
  await session.untilQuiet(forwardings * portalsPerForwarding);
  const { processorSeconds } = await session.operator.usage();
  const { all, writes: written } = session.calls.counts;
  const time = (session.calls.lastCallAt - startedAt) / 1_000;
  return { time, 'processor time': processorSeconds, calls: all, 'writes to Konnect': written };
}

async function rotateAll(session: Session): Promise<Costs[string]> {
  session.calls.reset();
  const startedMs = performance.now();
  await session.rotate('Bearer second');
  await session.untilRotated('Bearer second');
  const time = (performance.now() - startedMs) / 1_000;
  await session.untilQuiet(session.watch.size);
  const { all, writes: written } = session.calls.counts;
  return { time, calls: all, 'writes to Konnect for each destination': written / session.watch.size };
}

async function deleteAll(session: Session): Promise<Costs[string]> {
  session.calls.reset();
  const startedMs = performance.now();
  await session.delete(0, session.watch.size);
  const endedMs = await session.watch.until(() => session.watch.size === 0);
  return { time: (endedMs - startedMs) / 1_000, calls: session.calls.counts.all };
}

/** Measures a Node that does nothing, with the version that runs the operator. */
async function measureBareNode(): Promise<Costs> {
  const child = spawn(process.execPath, ['--eval', 'setInterval(() => undefined, 1_000)'], { stdio: 'ignore' });
  try {
    await delay(2_000);
    return { memory: { idle: (await usageOf(child.pid ?? 0)).residentMiB } };
  } finally {
    child.kill();
  }
}

export const lifecycle: Measurement = {
  rows: [memory, cold, writes, one, restart, rotate, deletion],
  async contenders(bench, rows) {
    const kinds = await operatorsOf(bench);
    const operators = kinds.map((kind) => ({
      name: kind.name,
      measure: () => live(bench, kind, { forwardings: bench.forwardings, rows }),
    }));
    return rows.has('memory') ? [...operators, { name: 'bare Node', measure: measureBareNode }] : operators;
  },
};
