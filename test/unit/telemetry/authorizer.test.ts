import { describe, expect, test } from '@jest/globals';
import type { Log } from '../../../src/runtime/log.ts';
import { createAuthorizer, type Decision } from '../../../src/telemetry/authorizer.ts';

/** Decisions by token. The review of every other token fails. */
function setUp(decisions: Readonly<Record<string, Exclude<Decision, 'unknown'>>>) {
  const clock = { ms: 0 };
  const asked: string[] = [];
  const logged: string[] = [];
  const write = (_: object, message: string) => logged.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const authorizer = createAuthorizer({
    review: async (token) => {
      asked.push(token);
      const decision = decisions[token];
      if (decision === undefined) throw new Error('no answer');
      return decision;
    },
    log,
    nowMs: () => clock.ms,
  });
  return { clock, asked, logged, authorizer };
}

describe('the authorizer', () => {
  test.each([undefined, '', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', 'Bearer a b', 'Bearer é', 'abc'])(
    'asks nobody about %j',
    async (authorization) => {
      const { authorizer, asked } = setUp({});
      expect(await authorizer(authorization)).toBe('unauthenticated');
      expect(asked).toEqual([]);
    },
  );

  test('allows only tokens whose owner has access', async () => {
    const { authorizer } = setUp({ good: 'allowed', other: 'forbidden', bad: 'unauthenticated' });
    expect(await authorizer('Bearer good')).toBe('allowed');
    expect(await authorizer('bearer good')).toBe('allowed');
    expect(await authorizer('Bearer other')).toBe('forbidden');
    expect(await authorizer('Bearer bad')).toBe('unauthenticated');
    expect(await authorizer('Bearer goo')).toBe('unknown');
  });

  test('reviews a token once for concurrent requests, and remembers the decision for a while', async () => {
    const { authorizer, asked, clock } = setUp({ good: 'allowed', other: 'forbidden' });
    const all = await Promise.all(Array.from({ length: 50 }, () => authorizer('Bearer good')));
    expect(new Set(all)).toEqual(new Set(['allowed']));
    await authorizer('Bearer other');
    clock.ms = 9_999;
    await authorizer('Bearer other');
    clock.ms = 59_999;
    await authorizer('Bearer good');
    expect(asked).toEqual(['good', 'other']);
    clock.ms = 60_000;
    await authorizer('Bearer good');
    await authorizer('Bearer other');
    expect(asked).toEqual(['good', 'other', 'good', 'other']);
  });

  test('does not remember a failed review, and logs it once a minute', async () => {
    const { authorizer, asked, clock, logged } = setUp({});
    for (const ms of [0, 1, 59_999, 60_000]) {
      clock.ms = ms;
      expect(await authorizer('Bearer any')).toBe('unknown');
    }
    expect(asked).toHaveLength(4);
    expect(logged).toHaveLength(2);
  });

  test('reviews at most two unknown tokens at a time, and remembers a limited number of tokens', async () => {
    const { authorizer, asked } = setUp(
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`t${String(index)}`, 'unauthenticated'])),
    );
    const together = Array.from({ length: 300 }, (_, index) => authorizer(`Bearer t${String(index)}`));
    expect(asked).toHaveLength(2);
    expect((await Promise.all(together)).filter((decision) => decision === 'unknown')).toHaveLength(298);
    for (let index = 0; index < 300; index += 1) await authorizer(`Bearer t${String(index)}`);
    const before = asked.length;
    await authorizer('Bearer t299');
    expect(asked).toHaveLength(before);
    await authorizer('Bearer t0');
    expect(asked).toHaveLength(before + 1);
  });
});
