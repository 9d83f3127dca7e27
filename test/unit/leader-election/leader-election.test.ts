import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import {
  bootTimeClock,
  LeaderElection,
  type LeaderElectionOptions,
} from '../../../src/leader-election/leader-election.ts';
import type { LeaseTimes } from '../../../src/leader-election/lease.ts';
import { FencedError } from '../../../src/runtime/write-fence.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { LeaseInMemory, type LeaseTrouble } from './lease-in-memory.ts';

const times: LeaseTimes = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };
/** 2026-01-01 */
const epochMs = 1_767_225_600_000;

interface Process {
  readonly logged: string[];
  /** Whether `lead` is running. */
  works: boolean;
  /** How the process ended. Undefined while it runs. */
  ended: string | undefined;
  /** The signal of `lead`. */
  leading: AbortSignal | undefined;
  trouble: (request: string) => LeaseTrouble | undefined;
  readonly stop: () => void;
  /** Lets `lead` end. */
  readonly finish: () => void;
  readonly mayWrite: () => boolean;
  readonly hasAttempted: () => boolean;
  readonly changes: boolean[];
}

function setUp() {
  const clock = new ManualClock();
  const lease = new LeaseInMemory();

  function start(identity: string, options: Partial<LeaderElectionOptions> & { lingers?: boolean } = {}): Process {
    const { lingers = false, ...overrides } = options;
    const logged: string[] = [];
    const write = (_fields: object, message: string) => void logged.push(message);
    const stop = new AbortController();
    const finished = Promise.withResolvers<void>();
    const election = new LeaderElection({
      store: lease.for(identity, (request) => process.trouble(request)),
      name: 'lease a/b',
      identity,
      times,
      clock,
      now: () => epochMs + clock.now(),
      random: () => 0,
      log: { debug: write, info: write, warn: write, error: write },
      onChange: (leads) => process.changes.push(leads),
      ...overrides,
    });
    const process: Process = {
      logged,
      works: false,
      ended: undefined,
      leading: undefined,
      trouble: () => undefined,
      changes: [],
      stop: () => stop.abort(),
      finish: finished.resolve,
      hasAttempted: () => election.hasAttempted,
      mayWrite() {
        try {
          election.fence();
          return true;
        } catch (error) {
          if (error instanceof FencedError) return false;
          throw error;
        }
      },
    };
    const run = election.run(stop.signal, async (leading) => {
      process.works = true;
      process.leading = leading;
      leading.addEventListener('abort', () => {
        if (!lingers) finished.resolve();
      });
      await finished.promise;
      process.works = false;
    });
    async function seeEnd(): Promise<void> {
      try {
        await run;
        process.ended = 'resolved';
      } catch (error) {
        process.ended = error instanceof Error ? `${error.name}: ${error.message}` : 'not an error';
      }
    }
    void seeEnd();
    return process;
  }

  /** Advances the clock in small steps. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; ; left -= 100) {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      if (left <= 0) return;
      clock.advance(Math.min(100, left));
    }
  }

  return { clock, lease, start, pass };
}

describe('the first process', () => {
  test('creates the Lease and is the leader', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a');
    expect(a.mayWrite()).toBe(false);
    await pass(100);
    expect(a).toMatchObject({ works: true, changes: [true] });
    expect(a.mayWrite()).toBe(true);
    expect(a.logged).toEqual(['lease acquired, this process is the leader']);
    expect(lease.lease).toMatchObject({
      holder: 'a',
      durationSeconds: 15,
      transitions: 0,
      acquireTime: '2026-01-01T00:00:00.000Z',
      renewTime: '2026-01-01T00:00:00.000Z',
    });
  });

  test('renews every retry period, with the time of the renewal and that of the acquisition', async () => {
    const { lease, start, pass } = setUp();
    start('a');
    await pass(20_100);
    expect(lease.requests).toEqual(['a get', 'a create', ...Array.from({ length: 10 }, () => 'a update')]);
    expect(lease.lease).toMatchObject({ acquireTime: '2026-01-01T00:00:00.000Z', transitions: 0 });
    expect(lease.lease?.renewTime).toMatch(/^2026-01-01T00:00:20/);
  });
});

describe('the second process', () => {
  test('is on standby, and reads the Lease two to four times in a retry period', async () => {
    const { lease, start, pass } = setUp();
    start('a');
    await pass(100);
    const often = start('b');
    const seldom = start('c', { random: () => 0.999 });
    await pass(20_000);
    expect([often, seldom]).toMatchObject([{ works: false }, { works: false }]);
    expect([often.mayWrite(), seldom.mayWrite()]).toEqual([false, false]);
    expect(often.logged).toEqual(['standing by: another process holds the lease']);
    const looks = (who: string) => lease.requests.filter((request) => request === `${who} get`).length;
    expect(looks('b')).toBeGreaterThan(35);
    expect(looks('c')).toBeGreaterThan(17);
    expect(looks('c')).toBeLessThan(22);
    expect(lease.history).toEqual(['a']);
  });

  test('takes over within a second when the lease is released, and counts the transition', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a');
    await pass(100);
    const b = start('b', { random: () => 0.999 });
    await pass(5_000);
    a.stop();
    await pass(1_100);
    expect([a.ended, b.works]).toEqual(['resolved', true]);
    expect(lease.history).toEqual(['a', '-', 'b']);
    expect(lease.lease).toMatchObject({ holder: 'b', transitions: 1, durationSeconds: 15 });
    expect(a.logged.at(-1)).toBe('lease released');
  });

  test('takes over when the Lease has not changed for its duration, whatever times are in it', async () => {
    const { lease, start, pass } = setUp();
    lease.put({ holder: 'dead', durationSeconds: 15, acquireTimeMs: 0, renewTimeMs: 0, transitions: 7 });
    const b = start('b');
    await pass(14_900);
    expect(b.works).toBe(false);
    await pass(700);
    expect(b.works).toBe(true);
    expect(lease.lease).toMatchObject({ holder: 'b', transitions: 8 });
  });

  test('does not take over from a leader whose clock is years behind', async () => {
    const { clock, start, pass } = setUp();
    const a = start('a', { now: () => clock.now() });
    await pass(100);
    const b = start('b');
    await pass(60_000);
    expect([a.works, b.works]).toEqual([true, false]);
  });

  test('waits for the duration of the holder, not for its own', async () => {
    const { lease, start, pass } = setUp();
    lease.put({ holder: 'dead', durationSeconds: 60, acquireTimeMs: 0, renewTimeMs: 0, transitions: 0 });
    const b = start('b');
    await pass(59_000);
    expect(b.works).toBe(false);
    await pass(2_000);
    expect(b.works).toBe(true);
  });

  test('does not take a deleted Lease as a free one', async () => {
    const { lease, start, pass } = setUp();
    lease.put({ holder: 'a', durationSeconds: 15, acquireTimeMs: 0, renewTimeMs: 0, transitions: 0 });
    const b = start('b');
    await pass(5_000);
    lease.lease = undefined;
    await pass(9_000);
    expect(b.works).toBe(false);
    await pass(2_000);
    expect(b.works).toBe(true);
  });

  test('retries when the Lease cannot be read', async () => {
    const { start, pass } = setUp();
    const b = start('b');
    b.trouble = () => 'refused';
    await pass(10_000);
    expect(b.logged).toContain('lease cannot be read or acquired, retrying');
    expect(b.hasAttempted()).toBe(false);
    b.trouble = () => undefined;
    await pass(3_000);
    expect([b.works, b.hasAttempted()]).toEqual([true, true]);
  });

  test('ends at once when it is stopped', async () => {
    const { start, pass, lease } = setUp();
    start('a');
    await pass(100);
    const b = start('b');
    await pass(1_000);
    b.stop();
    await pass(100);
    expect(b).toMatchObject({ ended: 'resolved', works: false, changes: [] });
    expect(lease.history).toEqual(['a']);
  });
});

test('one of two simultaneous processes is the leader', async () => {
  const { lease, start, pass } = setUp();
  const both = [start('a'), start('b')];
  await pass(5_000);
  expect(both.filter(({ works }) => works)).toHaveLength(1);
  expect(lease.history).toHaveLength(1);
});

describe('the leader', () => {
  test('continues after failed renewals, as long as one succeeds within the renew deadline', async () => {
    const { start, pass } = setUp();
    const a = start('a');
    await pass(100);
    a.trouble = () => 'refused';
    await pass(7_500);
    a.trouble = () => undefined;
    await pass(30_000);
    expect(a).toMatchObject({ works: true, ended: undefined });
    expect(a.logged).toContain('lease renewal failed, retrying');
  });

  test('ends when no renewal succeeds within the renew deadline, before another process begins', async () => {
    const { start, pass } = setUp();
    const a = start('a');
    await pass(100);
    const b = start('b');
    await pass(4_000);
    a.trouble = () => 'swallowed';
    await pass(10_100);
    expect(a.ended).toBe('FencedError: lease a/b was not renewed within 10000 ms');
    expect(a.leading?.reason).toBeInstanceOf(FencedError);
    expect([a.mayWrite(), b.works]).toEqual([false, false]);
    expect(a.changes).toEqual([true, false]);
    expect(a.logged.at(-1)).toBe('lease lost, this process exits');
    await pass(6_000);
    expect(b.works).toBe(true);
  });

  test('may not write from the renew deadline on, counted from before the renewal was sent', async () => {
    const { clock, start, pass } = setUp();
    const a = start('a');
    await pass(100);
    // As if the process were stopped: time passes, and it does not run.
    a.trouble = () => 'swallowed';
    clock.advance(9_800);
    expect(a.mayWrite()).toBe(true);
    clock.advance(99);
    expect(a.mayWrite()).toBe(true);
    clock.advance(1);
    expect(a.mayWrite()).toBe(false);
  });

  test('counts from before the renewal was sent, also if the answer is slow', async () => {
    const { clock, lease, start, pass } = setUp();
    const slow = lease.for('a');
    const a = start('a', {
      store: {
        ...slow,
        update: async (...args) => {
          const answer = await slow.update(...args);
          await new Promise<void>((resolve) => clock.schedule(resolve, 4_000));
          return answer;
        },
      },
    });
    // Acquired at 0 s, renewed by a request that is sent at 2 s and answered at 6 s.
    await pass(6_500);
    expect(a.mayWrite()).toBe(true);
    clock.advance(5_499);
    expect(a.mayWrite()).toBe(true);
    clock.advance(1);
    expect(a.mayWrite()).toBe(false);
  });

  test('continues when the answer to a renewal is lost', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a');
    await pass(100);
    a.trouble = (request) => (request === 'update' ? 'answer-lost' : undefined);
    await pass(2_000);
    a.trouble = () => undefined;
    await pass(20_000);
    expect(a).toMatchObject({ works: true, ended: undefined });
    expect(lease.lease).toMatchObject({ transitions: 0, acquireTime: '2026-01-01T00:00:00.000Z' });
  });

  test('ends when it sees that another process holds the lease', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a');
    await pass(100);
    lease.put({ holder: 'thief', durationSeconds: 15, acquireTimeMs: 0, renewTimeMs: 0, transitions: 1 });
    await pass(2_000);
    expect(a.ended).toBe('FencedError: lease a/b is held by thief');
    expect(a.mayWrite()).toBe(false);
    expect(lease.lease).toMatchObject({ holder: 'thief' });
  });

  test('creates a deleted Lease again, and acquires an emptied one again', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a');
    await pass(100);
    lease.lease = undefined;
    await pass(2_000);
    expect(lease.lease).toMatchObject({ holder: 'a' });
    lease.put({ holder: '', durationSeconds: 1, acquireTimeMs: 0, renewTimeMs: 0, transitions: 0 });
    await pass(2_000);
    expect(lease.lease).toMatchObject({ holder: 'a' });
    expect(a.works).toBe(true);
  });

  test('renews until its work has ended, and releases the lease only then', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a', { lingers: true });
    await pass(100);
    const b = start('b');
    a.stop();
    await pass(30_000);
    expect(a).toMatchObject({ works: true, ended: undefined });
    expect([a.mayWrite(), b.works]).toEqual([true, false]);
    a.finish();
    await pass(100);
    expect(a.ended).toBe('resolved');
    expect(a.mayWrite()).toBe(false);
    expect(lease.lease).toMatchObject({ holder: '', durationSeconds: 1, transitions: 0 });
  });

  test('may not write when the release is in flight', async () => {
    const { start, pass } = setUp();
    const a = start('a');
    await pass(100);
    const seen: boolean[] = [];
    a.trouble = () => {
      seen.push(a.mayWrite());
      return undefined;
    };
    a.stop();
    await pass(100);
    expect(seen).toEqual([false]);
  });

  test('releases the lease also during a renewal, and logs when it cannot', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a');
    await pass(100);
    a.trouble = (request) => (request === 'update' ? 'answer-lost' : 'refused');
    await pass(2_000);
    a.trouble = () => undefined;
    a.stop();
    await pass(100);
    expect([lease.lease?.holder, a.logged.at(-1)]).toEqual(['', 'lease released']);

    const b = start('b');
    await pass(100);
    b.trouble = () => 'refused';
    b.stop();
    await pass(100);
    expect(b.ended).toBe('resolved');
    expect(b.logged.at(-1)).toBe('lease not released, another process acquires it after it has expired');
  });

  test('rejects three seconds after the lease was lost if its work does not end', async () => {
    const { start, pass } = setUp();
    const a = start('a', { lingers: true });
    await pass(100);
    a.trouble = () => 'refused';
    await pass(10_100);
    expect(a.ended).toBeUndefined();
    await pass(3_000);
    expect(a.ended).toContain('FencedError');
  });
});

describe('the times', () => {
  test('are rounded up to whole seconds in the Lease', async () => {
    const { lease, start, pass } = setUp();
    start('a', { times: { leaseDurationMs: 1_500, renewDeadlineMs: 1_000, retryPeriodMs: 200 } });
    await pass(100);
    expect(lease.lease?.durationSeconds).toBe(2);
  });

  test('are measured by a clock that advances', () => {
    const before = bootTimeClock.now();
    expect(before).toBeGreaterThan(0);
    expect(bootTimeClock.now()).toBeGreaterThanOrEqual(before);
  });
});
