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
  /** Whether it works. */
  works: boolean;
  /** Undefined while it runs, then how it ended. */
  ended: string | undefined;
  /** What the lead was told to end for. */
  leading: AbortSignal | undefined;
  trouble: (request: string) => LeaseTrouble | undefined;
  readonly stop: () => void;
  /** Lets the lead end. */
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
        process.ended = 'in good order';
      } catch (error) {
        process.ended = error instanceof Error ? `${error.name}: ${error.message}` : 'oddly';
      }
    }
    void seeEnd();
    return process;
  }

  /** Lets time pass in small steps, and everything happen that is due. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; ; left -= 100) {
      for (let turns = 0; turns < 3; turns += 1) await turn();
      if (left <= 0) return;
      clock.advance(Math.min(100, left));
    }
  }

  return { clock, lease, start, pass };
}

describe('who comes first', () => {
  test('makes the Lease and leads', async () => {
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

describe('who comes second', () => {
  test('stands by, and looks two to four times in a retry period', async () => {
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
    expect([a.ended, b.works]).toEqual(['in good order', true]);
    expect(lease.history).toEqual(['a', '-', 'b']);
    expect(lease.lease).toMatchObject({ holder: 'b', transitions: 1, durationSeconds: 15 });
    expect(a.logged.at(-1)).toBe('lease released');
  });

  test('takes over when nothing has changed for the lease duration, and not before, however old the Lease says it is', async () => {
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

  test('waits as long as the holder’s own duration is, not its own', async () => {
    const { lease, start, pass } = setUp();
    lease.put({ holder: 'dead', durationSeconds: 60, acquireTimeMs: 0, renewTimeMs: 0, transitions: 0 });
    const b = start('b');
    await pass(59_000);
    expect(b.works).toBe(false);
    await pass(2_000);
    expect(b.works).toBe(true);
  });

  test('does not take a Lease that vanished for one that is free', async () => {
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

  test('goes on looking when it cannot look', async () => {
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
    expect(b).toMatchObject({ ended: 'in good order', works: false, changes: [] });
    expect(lease.history).toEqual(['a']);
  });
});

test('of two that come at the same time one leads', async () => {
  const { lease, start, pass } = setUp();
  const both = [start('a'), start('b')];
  await pass(5_000);
  expect(both.filter(({ works }) => works)).toHaveLength(1);
  expect(lease.history).toHaveLength(1);
});

describe('the leader', () => {
  test('goes on over renewals that fail, as long as one succeeds within the renew deadline', async () => {
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

  test('ends when no renewal succeeds within the renew deadline, which is before anybody else begins', async () => {
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
    // As if it were stopped: time passes, and nothing of it runs.
    a.trouble = () => 'swallowed';
    clock.advance(9_800);
    expect(a.mayWrite()).toBe(true);
    clock.advance(99);
    expect(a.mayWrite()).toBe(true);
    clock.advance(1);
    expect(a.mayWrite()).toBe(false);
  });

  test('counts from before the renewal was sent where the answer took its time', async () => {
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
    // Taken at 0 s, renewed by a request that is sent at 2 s and answered at 6 s.
    await pass(6_500);
    expect(a.mayWrite()).toBe(true);
    clock.advance(5_499);
    expect(a.mayWrite()).toBe(true);
    clock.advance(1);
    expect(a.mayWrite()).toBe(false);
  });

  test('goes on when the answer to a renewal is lost', async () => {
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

  test('ends as soon as it sees that another holds the lease', async () => {
    const { lease, start, pass } = setUp();
    const a = start('a');
    await pass(100);
    lease.put({ holder: 'thief', durationSeconds: 15, acquireTimeMs: 0, renewTimeMs: 0, transitions: 1 });
    await pass(2_000);
    expect(a.ended).toBe('FencedError: lease a/b is held by thief');
    expect(a.mayWrite()).toBe(false);
    expect(lease.lease).toMatchObject({ holder: 'thief' });
  });

  test('makes the Lease anew when somebody deletes it, and takes it back when somebody empties it', async () => {
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

  test('renews until its work has ended, and only then releases', async () => {
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
    expect(a.ended).toBe('in good order');
    expect(a.mayWrite()).toBe(false);
    expect(lease.lease).toMatchObject({ holder: '', durationSeconds: 1, transitions: 0 });
  });

  test('may not write any more when the release is on its way', async () => {
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

  test('releases also when a renewal was just under way, and says so when it cannot', async () => {
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
    expect(b.ended).toBe('in good order');
    expect(b.logged.at(-1)).toBe('lease not released, another process acquires it after it has expired');
  });

  test('rejects three seconds after the lease was lost even where its work does not end', async () => {
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
  test('are said in the Lease in whole seconds, never fewer than they are', async () => {
    const { lease, start, pass } = setUp();
    start('a', { times: { leaseDurationMs: 1_500, renewDeadlineMs: 1_000, retryPeriodMs: 200 } });
    await pass(100);
    expect(lease.lease?.durationSeconds).toBe(2);
  });

  test('are told by a clock that moves on', () => {
    const before = bootTimeClock.now();
    expect(before).toBeGreaterThan(0);
    expect(bootTimeClock.now()).toBeGreaterThanOrEqual(before);
  });
});
