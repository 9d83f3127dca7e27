import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { LeaderElection } from '../../../src/leader-election/leader-election.ts';
import type { LeaseStore } from '../../../src/leader-election/lease.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { LeaseInMemory, type LeaseTrouble } from './lease-in-memory.ts';

const times = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
const stepMs = 250;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A process with a clock that is too fast or too slow. It can be stopped, as by SIGSTOP. */
class Machine {
  readonly clock: Clock;
  #stopped = false;
  readonly #waiting: (() => void)[] = [];

  constructor(world: ManualClock, rate: number, aheadMs: number) {
    this.clock = {
      now: () => aheadMs + world.now() * rate,
      schedule: (callback, delayMs) => {
        let isOff = false;
        const cancel = world.schedule(
          () =>
            this.run(() => {
              if (!isOff) callback();
            }),
          delayMs / rate,
        );
        return () => {
          isOff = true;
          cancel();
        };
      },
    };
  }

  stop(): void {
    this.#stopped = true;
  }

  go(): void {
    this.#stopped = false;
    for (const callback of this.#waiting.splice(0)) callback();
  }

  /** Runs `callback` now, or when the process continues. */
  run(callback: () => void): void {
    if (this.#stopped) this.#waiting.push(callback);
    else callback();
  }
}

type Step =
  | { kind: 'stop' | 'go' | 'end'; who: number }
  /** A fault for this many of its requests. */
  | { kind: 'trouble'; who: number; trouble: LeaseTrouble; requests: number }
  | { kind: 'slow'; who: number; thereMs: number; backMs: number };

const steps: fc.Arbitrary<{ afterMs: number; step: Step }[]> = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 24_000 }),
    step: fc.oneof(
      fc.record({ kind: fc.constantFrom('stop', 'go', 'end'), who: fc.nat(2) }),
      fc.record({
        kind: fc.constant('trouble'),
        who: fc.nat(2),
        trouble: fc.constantFrom('refused', 'answer-lost', 'swallowed'),
        requests: fc.integer({ min: 1, max: 8 }),
      }),
      fc.record({
        kind: fc.constant('slow'),
        who: fc.nat(2),
        thereMs: fc.integer({ min: 0, max: 6_000 }),
        backMs: fc.integer({ min: 0, max: 6_000 }),
      }),
    ),
  }),
  { maxLength: 12 },
);

/** A place for one process. When it ends, another one begins. */
class Place {
  readonly machine: Machine;
  elections: LeaderElection[] = [];
  faults: LeaseTrouble[] = [];
  thereMs = 0;
  backMs = 0;
  works = false;
  #stop = new AbortController();
  readonly #world: ManualClock;
  readonly #lease: LeaseInMemory;
  readonly #name: string;

  constructor(world: ManualClock, lease: LeaseInMemory, name: string, clock: { rate: number; aheadMs: number }) {
    this.#world = world;
    this.#lease = lease;
    this.#name = name;
    this.machine = new Machine(world, clock.rate, clock.aheadMs);
    this.begin();
  }

  begin(): void {
    const identity = `${this.#name}${String(this.elections.length)}`;
    const stop = new AbortController();
    this.#stop = stop;
    const election = new LeaderElection({
      store: this.#store(identity),
      name: 'lease a/b',
      identity,
      times,
      clock: this.machine.clock,
      now: () => this.machine.clock.now(),
      random: () => 0.5,
      log: silent,
    });
    this.elections.push(election);
    const lead = (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        this.works = true;
        signal.addEventListener('abort', () => {
          this.works = false;
          resolve();
        });
      });
    const again = () => this.begin();
    election.run(stop.signal, lead).then(again, again);
  }

  end(): void {
    this.machine.run(() => this.#stop.abort());
  }

  /** Requests and answers take their time, and a stopped process gets no answer. */
  #store(identity: string): LeaseStore {
    const there = this.#lease.for(identity, () => this.faults.shift());
    const slowly = async <T>(ask: () => Promise<T>): Promise<T> => {
      const { thereMs, backMs } = this;
      await this.#travel(thereMs);
      const answer = ask();
      answer.catch(() => undefined);
      await this.#travel(backMs);
      await answer.catch(() => undefined);
      await new Promise<void>((resolve) => this.machine.run(resolve));
      return answer;
    };
    return {
      get: (signal) => slowly(() => there.get(signal)),
      create: (change, signal) => slowly(() => there.create(change, signal)),
      update: (lease, change, signal) => slowly(() => there.update(lease, change, signal)),
    };
  }

  async #travel(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => this.#world.schedule(resolve, ms));
  }
}

function mayWrite(election: LeaderElection): boolean {
  try {
    election.fence();
    return true;
  } catch {
    return false;
  }
}

test('at no time do the fences of two processes allow writes, and in the end there is one leader', async () => {
  let handovers = 0;
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.array(fc.record({ rate: fc.double({ min: 0.9, max: 1.1, noNaN: true }), aheadMs: fc.nat(1e9) }), {
        minLength: 2,
        maxLength: 3,
      }),
      async (story, clocks) => {
        const world = new ManualClock();
        const lease = new LeaseInMemory();
        const places = clocks.map((clock, index) => new Place(world, lease, 'abc'[index] ?? '', clock));

        async function pass(ms: number): Promise<void> {
          for (let left = ms; left > 0; left -= stepMs) {
            world.advance(stepMs);
            await turn();
            await turn();
            const able = places.flatMap(({ elections }) => elections).filter(mayWrite);
            expect(able.length).toBeLessThanOrEqual(1);
          }
        }

        for (const { afterMs, step } of story) {
          await pass(afterMs);
          const place = places[step.who];
          if (place === undefined) continue;
          if (step.kind === 'stop') place.machine.stop();
          else if (step.kind === 'go') place.machine.go();
          else if (step.kind === 'end') place.end();
          else if (step.kind === 'slow') Object.assign(place, step);
          else if (step.kind === 'trouble')
            place.faults.push(...Array.from({ length: step.requests }, () => step.trouble));
        }
        for (const place of places) {
          Object.assign(place, { faults: [], thereMs: 0, backMs: 0 });
          place.machine.go();
        }
        await pass(40_000);
        expect(places.filter(({ works }) => works)).toHaveLength(1);
        expect(places.flatMap(({ elections }) => elections).filter(mayWrite)).toHaveLength(1);
        handovers += lease.history.length - 1;
      },
    ),
    { numRuns: 100 },
  );
  expect(handovers).toBeGreaterThan(30);
});
