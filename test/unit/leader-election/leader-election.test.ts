import { describe, expect, test } from '@jest/globals';
import { bootTimeClock } from '../../../src/leader-election/leader-election.ts';
import { setUp } from './processes.ts';

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
