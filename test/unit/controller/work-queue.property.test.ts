import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { WorkQueue } from '../../../src/controller/work-queue.ts';
import type { Priority } from '../../../src/runtime/priority.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** One key of the model, which is as simple as possible. */
interface Row {
  ready?: { priority: Priority; turn: number } | undefined;
  inWork: boolean;
  again?: Priority | undefined;
  dueAt?: number | undefined;
  duePriority?: Priority | undefined;
}

function best(a: Priority, b: Priority | undefined): Priority {
  return [a, b].includes('new') ? 'new' : 'resync';
}

class Model {
  now = 0;
  #turn = 0;
  readonly rows = new Map<string, Row>();

  row(key: string): Row {
    const row = this.rows.get(key) ?? { inWork: false };
    this.rows.set(key, row);
    return row;
  }

  addNow(key: string, priority: Priority): void {
    const row = this.row(key);
    row.dueAt = undefined;
    row.duePriority = undefined;
    if (row.inWork) row.again = best(priority, row.again);
    else if (row.ready === undefined || (row.ready.priority === 'resync' && priority === 'new'))
      row.ready = { priority, turn: ++this.#turn };
  }

  addLater(key: string, priority: Priority, delayMs: number): void {
    const row = this.row(key);
    if (row.ready !== undefined || row.again !== undefined) return;
    row.dueAt = Math.min(row.dueAt ?? Number.POSITIVE_INFINITY, this.now + delayMs);
    row.duePriority = best(priority, row.duePriority);
  }

  take(): string | undefined {
    const rank = ({ priority, turn }: { priority: Priority; turn: number }) => (priority === 'new' ? 0 : 1e9) + turn;
    const ready = [...this.rows].flatMap(([key, row]) =>
      row.ready === undefined ? [] : [{ key, at: rank(row.ready) }],
    );
    const first = ready.sort((a, b) => a.at - b.at)[0]?.key;
    if (first !== undefined) {
      const row = this.row(first);
      row.ready = undefined;
      row.inWork = true;
    }
    return first;
  }

  done(key: string): void {
    const row = this.row(key);
    const { again, inWork } = row;
    row.again = undefined;
    row.inWork = false;
    if (inWork && again !== undefined) this.addNow(key, again);
  }

  advance(ms: number): void {
    this.now += ms;
    const due = [...this.rows].filter(([, row]) => row.dueAt !== undefined && row.dueAt <= this.now);
    for (const [key, row] of due.sort(([, a], [, b]) => (a.dueAt ?? 0) - (b.dueAt ?? 0)))
      this.addNow(key, row.duePriority ?? 'new');
  }
}

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const priority = fc.constantFrom<Priority>('new', 'resync');
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), key, priority, delayMs: fc.constant(0) }),
  // Each key and step has a delay of its own, so that no two are due at the same time. Then any order would be correct.
  fc.record({ kind: fc.constant('add' as const), key, priority, delayMs: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('take' as const) }),
  fc.record({ kind: fc.constant('done' as const), key }),
  fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 25 }) }),
);

test('behaves like its model, with any steps in any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const clock = new ManualClock();
      const queue = new WorkQueue(clock);
      const model = new Model();
      const takes: { real: string | undefined; modeled: string | undefined }[] = [];
      for (const [index, now] of steps.entries()) {
        switch (now.kind) {
          case 'add': {
            const delayMs = now.delayMs === 0 ? 0 : now.delayMs + index / 1000;
            queue.add(now.key, { priority: now.priority, delayMs });
            if (delayMs === 0) model.addNow(now.key, now.priority);
            else model.addLater(now.key, now.priority, delayMs);
            break;
          }
          case 'take': {
            const stop = new AbortController();
            const taken = queue.take(stop.signal);
            stop.abort();
            takes.push({ real: await taken, modeled: model.take() });
            break;
          }
          case 'done':
            queue.done(now.key);
            model.done(now.key);
            break;
          case 'advance':
            clock.advance(now.ms);
            model.advance(now.ms);
            break;
        }
        const rows = [...model.rows.values()];
        expect({ ready: queue.size, delayed: queue.delayedSize, inWork: queue.inWorkSize }).toEqual({
          ready: rows.filter((row) => row.ready !== undefined).length,
          delayed: rows.filter((row) => row.dueAt !== undefined).length,
          inWork: rows.filter((row) => row.inWork).length,
        });
        expect(clock.pendingTimers).toBe(queue.delayedSize > 0 ? 1 : 0);
      }
      expect(takes.map(({ real }) => real)).toEqual(takes.map(({ modeled }) => modeled));
    }),
    { numRuns: 500 },
  );
});

test('no added key is lost: without further adds, every key is taken', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ key, priority, delayMs: fc.nat(50) }), { minLength: 1 }), async (adds) => {
      const clock = new ManualClock();
      const queue = new WorkQueue(clock);
      for (const { key: added, ...options } of adds) queue.add(added, options);
      clock.advance(100);
      const taken = new Set<string>();
      while (queue.size > 0) {
        const next = await queue.take(new AbortController().signal);
        if (next === undefined) break;
        expect(taken.has(next)).toBe(false);
        taken.add(next);
        queue.done(next);
      }
      expect(taken).toEqual(new Set(adds.map((add) => add.key)));
    }),
    { numRuns: 200 },
  );
});

test('no group has more keys in work than allowed, no key waits while its group has room, and none is lost', async () => {
  const added = fc.record({ kind: fc.constant('add' as const), key: fc.nat(11), priority });
  const taken = fc.record({ kind: fc.constant('take' as const) });
  const done = fc.record({ kind: fc.constant('done' as const), index: fc.nat(11) });
  const acts = fc.array(fc.oneof(added, taken, done), { maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3 }), acts, async (maxInWork, steps) => {
      const group = (name: string) => String(Number(name) % 3);
      const queue = new WorkQueue(new ManualClock(), { groupOf: group, maxInWork });
      const inWork = new Map<string, Priority>();
      const wanted = new Set<string>();
      const heldUp: string[] = [];
      const give = async (): Promise<string | undefined> => {
        const stop = new AbortController();
        const next = queue.take(stop.signal);
        stop.abort();
        const name = await next;
        if (name === undefined) return undefined;
        expect(inWork.has(name)).toBe(false);
        inWork.set(name, queue.priorityOf(name) ?? 'new');
        wanted.delete(name);
        const together = [...inWork].filter(([other]) => group(other) === group(name));
        expect(together.length).toBeLessThanOrEqual(maxInWork);
        const resyncs = together.filter(([, how]) => how === 'resync').length;
        expect(resyncs).toBeLessThanOrEqual(Math.max(1, maxInWork - 1));
        return name;
      };
      for (const act of steps) {
        if (act.kind === 'add') {
          wanted.add(String(act.key));
          queue.add(String(act.key), { priority: act.priority });
        } else if (act.kind === 'take') {
          const name = await give();
          const groups = [...wanted].filter((one) => !inWork.has(one)).map(group);
          const free = groups.filter((one) => ![...inWork.keys()].some((other) => group(other) === one));
          if (name === undefined) heldUp.push(...free);
        } else {
          const name = [...inWork.keys()][act.index % Math.max(1, inWork.size)];
          if (name === undefined) continue;
          inWork.delete(name);
          queue.done(name);
        }
      }
      while (queue.size > 0 || inWork.size > 0) {
        while ((await give()) !== undefined);
        const [name] = inWork.keys();
        if (name === undefined) throw new Error('keys wait while nothing is in work');
        inWork.delete(name);
        queue.done(name);
      }
      expect([heldUp, [...wanted]]).toEqual([[], []]);
      expect(queue.inWorkSize).toBe(0);
    }),
    { numRuns: 500 },
  );
});
