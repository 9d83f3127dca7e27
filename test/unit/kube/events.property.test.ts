import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { KubeError } from '../../../src/kube/errors.ts';
import { EventRecorder } from '../../../src/kube/events.ts';
import type { Patch } from '../../../src/kube/kube-client.ts';

const regarding = { apiVersion: 'example.io/v1', kind: 'Widget', namespace: 'a', name: 'x', uid: 'u1' };
const step = fc.oneof(
  fc.record({ kind: fc.constant('record' as const), note: fc.constantFrom('p', 'q', 'r') }),
  fc.record({ kind: fc.constant('turn' as const) }),
  fc.record({ kind: fc.constant('microtask' as const) }),
  fc.record({ kind: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 50_000 }) }),
);

interface Sent {
  metadata: { name: string };
  note: string;
  series?: { count: number };
}

interface Stored {
  note: string;
  count: number;
}

/** Stores Events as the API server does. Each answer takes some turns of the event loop, and some answers are lost. */
class Events {
  readonly stored = new Map<string, Stored>();
  readonly #fates: fc.Stream<number>;

  constructor(fates: number[]) {
    this.#fates = fc.stream(endless(fates));
  }

  async create<T>(_path: string, body: object): Promise<T> {
    const { metadata, note, series }: Sent = JSON.parse(JSON.stringify(body));
    if (this.stored.has(metadata.name)) throw new KubeError('there', { kind: 'Conflict', reason: 'AlreadyExists' });
    this.stored.set(metadata.name, { note, count: series?.count ?? 1 });
    await this.#answer();
    return JSON.parse('{}');
  }

  async patch<T>(path: string, patch: Patch): Promise<T> {
    const stored = this.stored.get(path.split('/').at(-1) ?? '');
    if (stored === undefined) throw new KubeError('not there', { kind: 'NotFound' });
    const { series }: Sent = JSON.parse(JSON.stringify(patch.kind === 'merge' ? patch.body : {}));
    stored.count = series?.count ?? 0;
    await this.#answer();
    return JSON.parse('{}');
  }

  async #answer(): Promise<void> {
    const fate = this.#fates.next().value;
    for (let turn = 0; turn < fate % 4; turn += 1) await nextTurn();
    if (fate > 8) throw new KubeError('lost', { kind: 'Timeout' });
  }
}

test('the count of each event is the number of times that it was recorded, however slow the server is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.array(fc.nat(9), { minLength: 1 }), async (steps, fates) => {
      const events = new Events([...fates, 0]);
      const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
      const recorder = new EventRecorder({
        client: events,
        log: { debug() {}, info() {}, warn() {}, error() {} },
        reportingInstance: 'pod',
        timeOfDay: () => clock.now,
        now: () => clock.now,
        seriesIdleMs: Number.POSITIVE_INFINITY,
      });
      const stop = new AbortController();
      const running = recorder.run(stop.signal);
      const seen = new Map<string, number>();
      for (const now of steps) {
        if (now.kind === 'record') {
          recorder.record({ regarding, type: 'Normal', reason: 'R', action: 'A', note: now.note });
          seen.set(now.note, (seen.get(now.note) ?? 0) + 1);
        } else if (now.kind === 'turn') await nextTurn();
        else if (now.kind === 'microtask') await Promise.resolve();
        else clock.now += now.ms;
      }
      stop.abort();
      await running;
      // The last flush tries each event once. If an answer is lost there, the Event is correct anyway.
      const counted = new Map([...events.stored.values()].map(({ note, count }) => [note, count]));
      expect(counted).toEqual(seen);
      expect(events.stored.size).toBe(seen.size);
    }),
    { numRuns: 300 },
  );
});

function* endless(values: number[]): Generator<number, never> {
  for (;;) yield* values;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
