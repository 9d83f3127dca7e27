import { describe, expect, test } from '@jest/globals';
import { FencedError } from '../../../src/runtime/write-fence.ts';
import { setUp } from './processes.ts';

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
