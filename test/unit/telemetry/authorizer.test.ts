import { describe, expect, test } from '@jest/globals';
import type { Log } from '../../../src/runtime/log.ts';
import { createGuard, type Verdict } from '../../../src/telemetry/authorizer.ts';

/** Verdicts by token; of any other token it cannot be found out. */
function setUp(verdicts: Readonly<Record<string, Exclude<Verdict, 'unknown'>>>) {
  const clock = { ms: 0 };
  const asked: string[] = [];
  const logged: string[] = [];
  const write = (_: object, message: string) => logged.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const guard = createGuard({
    review: async (token) => {
      asked.push(token);
      const verdict = verdicts[token];
      if (verdict === undefined) throw new Error('no answer');
      return verdict;
    },
    log,
    nowMs: () => clock.ms,
  });
  return { clock, asked, logged, guard };
}

describe('the guard', () => {
  test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'Bearer a b', 'Bearer é', 'abc'])(
    'asks nobody about %j',
    async (authorization) => {
      const { guard, asked } = setUp({});
      expect(await guard(authorization)).toBe('unauthenticated');
      expect(asked).toEqual([]);
    },
  );

  test('lets in whose token may, and nobody else', async () => {
    const { guard } = setUp({ good: 'allowed', other: 'forbidden', bad: 'unauthenticated' });
    expect(await guard('Bearer good')).toBe('allowed');
    expect(await guard('bearer good')).toBe('allowed');
    expect(await guard('Bearer other')).toBe('forbidden');
    expect(await guard('Bearer bad')).toBe('unauthenticated');
    expect(await guard('Bearer goo')).toBe('unknown');
  });

  test('asks once for all who come together, and holds what it heard for a while', async () => {
    const { guard, asked, clock } = setUp({ good: 'allowed', other: 'forbidden' });
    const all = await Promise.all(Array.from({ length: 50 }, () => guard('Bearer good')));
    expect(new Set(all)).toEqual(new Set(['allowed']));
    await guard('Bearer other');
    clock.ms = 9_999;
    await guard('Bearer other');
    clock.ms = 59_999;
    await guard('Bearer good');
    expect(asked).toEqual(['good', 'other']);
    clock.ms = 60_000;
    await guard('Bearer good');
    await guard('Bearer other');
    expect(asked).toEqual(['good', 'other', 'good', 'other']);
  });

  test('does not hold what could not be found out, and complains about it once a minute', async () => {
    const { guard, asked, clock, logged } = setUp({});
    for (const ms of [0, 1, 59_999, 60_000]) {
      clock.ms = ms;
      expect(await guard('Bearer any')).toBe('unknown');
    }
    expect(asked).toHaveLength(4);
    expect(logged).toHaveLength(2);
  });

  test('makes two questions at a time at most of ever new tokens, and remembers a bounded number of them', async () => {
    const { guard, asked } = setUp(
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`t${String(index)}`, 'unauthenticated'])),
    );
    const together = Array.from({ length: 300 }, (_, index) => guard(`Bearer t${String(index)}`));
    expect(asked).toHaveLength(2);
    expect((await Promise.all(together)).filter((verdict) => verdict === 'unknown')).toHaveLength(298);
    for (let index = 0; index < 300; index += 1) await guard(`Bearer t${String(index)}`);
    const before = asked.length;
    await guard('Bearer t299');
    expect(asked).toHaveLength(before);
    await guard('Bearer t0');
    expect(asked).toHaveLength(before + 1);
  });
});
