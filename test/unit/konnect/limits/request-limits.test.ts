import { describe, expect, test } from '@jest/globals';
import { KonnectError } from '../../../../src/konnect/errors.ts';
import { rejection } from '../scripted-konnect.ts';
import { answer, breakCircuit, broken, limited, settled, setUp } from './limits-scene.ts';

describe('the budget', () => {
  test('is shared by all tokens of an organization in a region, and only by them', async () => {
    const { ask, clock, paths } = setUp({ qps: 1, burst: 2, maxInFlight: 100 });
    for (const path of ['1', '2', '3']) void ask({ path });
    void ask({ path: 'eu', region: 'eu' });
    void ask({ path: 'green', of: 'green' });
    void ask({ path: 'token', of: 'token-a' });
    expect(await paths()).toEqual(['1', '2', 'eu', 'green', 'token']);
    clock.advance(1_000);
    expect(await paths()).toHaveLength(6);
  });

  test('serves writes first, then new work, then resyncs', async () => {
    const { ask, clock, paths, waited } = setUp({ qps: 1, burst: 1, maxInFlight: 100 });
    void ask({ path: 'first' });
    void ask({ path: 'resync', priority: 'resync' });
    void ask({ path: 'new' });
    void ask({ path: 'write', priority: 'resync', method: 'PATCH' });
    await settled();
    for (let second = 0; second < 3; second += 1) {
      clock.advance(1_000);
      await settled();
    }
    expect(await paths()).toEqual(['first', 'write', 'new', 'resync']);
    expect(waited).toEqual([
      ['new', 0],
      ['write', 1_000],
      ['new', 2_000],
      ['resync', 3_000],
    ]);
  });

  test('never delays a creation, because status records when it began', async () => {
    const { ask, paths } = setUp({ qps: 1, burst: 1, maxInFlight: 1 });
    void ask({ path: 'first' });
    void ask({ path: 'second' });
    await settled();
    void ask({ path: 'creation', method: 'POST', operation: 'create destination' });
    expect(await paths()).toEqual(['first', 'creation']);
  });

  test('for the organization of a token is shared by all tokens', async () => {
    const { ask, clock, paths } = setUp({ qps: 1, burst: 2 });
    for (const token of ['token-a', 'token-b', 'token-c']) {
      void ask({ path: token, of: token, region: 'global', operation: 'get organization' });
    }
    expect(await paths()).toEqual(['token-a', 'token-b']);
    clock.advance(1_000);
    expect(await paths()).toHaveLength(3);
  });

  test('stops waiting for a caller whose signal is aborted', async () => {
    const { ask, clock, paths } = setUp({ qps: 1, burst: 1 });
    const leaving = new AbortController();
    void ask({ path: 'first' });
    const left = rejection(ask({ path: 'second', signal: leaving.signal }));
    leaving.abort();
    expect(await left).toMatchObject({ kind: 'Unreachable', code: 'ABORT_ERR', mayHaveHappened: false });
    clock.advance(60_000);
    expect(await paths()).toEqual(['first']);
    expect(await rejection(ask({ signal: leaving.signal }))).toMatchObject({ code: 'ABORT_ERR' });
  });
});

test('the number of requests in flight is limited for each organization and region, also while another one hangs', async () => {
  const { ask, sent, paths } = setUp({ maxInFlight: 2 });
  for (const path of ['1', '2', '3']) void ask({ path });
  void ask({ path: 'new', priority: 'new' });
  void ask({ path: 'write', method: 'PATCH' });
  void ask({ path: 'green', of: 'green' });
  expect(await paths()).toEqual(['1', '2', 'green']);
  sent[0]?.end();
  expect(await paths()).toEqual(['1', '2', 'green', 'write']);
  sent[1]?.end(broken);
  expect(await paths()).toEqual(['1', '2', 'green', 'write', '3']);
});

describe('a Retry-After', () => {
  test.each([limited, broken])('of a $status holds for the whole organization in that region', async (fields) => {
    const { ask, fail, news, withheld, clock, paths } = setUp();
    expect(await fail({}, { ...fields, retryAfterMs: 77_000 })).toMatchObject({ ...fields, retryAfterMs: 77_000 });
    const refused = await rejection(ask({ path: 'other', method: 'PATCH', operation: 'update portal webhook' }));
    expect(refused).toMatchObject({ ...fields, retryAfterMs: 77_000, isWithheld: true, mayHaveHappened: false });
    expect(refused).toMatchObject({ operation: 'update portal webhook', message: expect.stringContaining('not sent') });
    void ask({ path: 'eu', region: 'eu' });
    void ask({ path: 'green', of: 'green' });
    expect(await paths()).toEqual(['any', 'eu', 'green']);
    expect([news, withheld]).toEqual([[`blue us limited ${String(fields.status)} 77000`], ['limited']]);
    clock.advance(76_999);
    expect(await rejection(ask())).toMatchObject({ isWithheld: true });
    clock.advance(1);
    void ask({ path: 'after' });
    expect(await paths()).toEqual(['any', 'eu', 'green', 'after']);
  });

  test('counts as ten minutes at most, and never as zero', async () => {
    const { fail, ask, clock } = setUp();
    expect(await fail({}, { ...limited, retryAfterMs: 3_600_000 })).toMatchObject({ retryAfterMs: 600_000 });
    clock.advance(600_000);
    expect(await fail({}, { ...limited, retryAfterMs: 0 })).toMatchObject({ retryAfterMs: 1_000 });
    expect(await rejection(ask())).toMatchObject({ isWithheld: true });
  });

  test('also stops waiting requests, and leaves no burst for afterwards', async () => {
    const { ask, sent, clock, paths } = setUp({ qps: 1, burst: 50, maxInFlight: 2 });
    const waiting = ['1', '2', '3', '4'].map((path) => rejection(ask({ path })));
    await settled();
    for (const { end } of sent.slice()) end({ ...limited, retryAfterMs: 10_000 });
    expect((await Promise.all(waiting)).slice(2)).toMatchObject([{ isWithheld: true }, { isWithheld: true }]);
    clock.advance(10_000);
    for (let count = 0; count < 20; count += 1) void ask({ path: 'after' });
    // Only the requests that the rate allowed in the meantime, and nothing of the burst.
    expect((await paths()).length).toBeLessThanOrEqual(2 + 10);
  });

  test('is 15 s if it is missing, doubling until there is an answer', async () => {
    const { ask, endLast, fail, clock } = setUp();
    const waits: unknown[] = [];
    for (let count = 0; count < 7; count += 1) {
      const error = await fail({}, limited);
      const waitMs = error instanceof KonnectError ? (error.retryAfterMs ?? 0) : 0;
      waits.push(waitMs);
      clock.advance(waitMs);
    }
    // The smallest jitter: half.
    expect(waits).toEqual([7_500, 15_000, 30_000, 60_000, 120_000, 150_000, 150_000]);
    void ask();
    await endLast();
    expect(await fail({}, limited)).toMatchObject({ retryAfterMs: 7_500 });
  });

  test('of several concurrent requests counts once', async () => {
    const { ask, sent, fail, clock } = setUp();
    for (let count = 0; count < 8; count += 1) void ask();
    await settled();
    for (const { end } of sent.slice()) end(limited);
    await settled();
    clock.advance(7_500);
    expect(await fail({}, limited)).toMatchObject({ retryAfterMs: 15_000 });
  });

  test('ends at different times for different callers', async () => {
    const { fail, ask } = setUp({ random: Math.random });
    await fail({}, { ...limited, retryAfterMs: 60_000 });
    const errors = await Promise.all(Array.from({ length: 50 }, () => rejection(ask())));
    const waits = errors.map((error) => (error instanceof KonnectError ? error.retryAfterMs : undefined));
    expect(new Set(waits).size).toBeGreaterThan(40);
    expect(Math.min(...waits.map(Number))).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...waits.map(Number))).toBeLessThanOrEqual(75_000);
  });
});

describe('an unavailable Konnect', () => {
  test.each([broken, { kind: 'Unreachable', code: 'ETIMEDOUT' } as const])(
    'is left alone, and what it said last is said again',
    async (fields) => {
      const scene = setUp();
      await breakCircuit(scene, fields);
      const refused = await rejection(scene.ask({ path: 'more' }));
      expect(refused).toMatchObject({ ...fields, isWithheld: true, retryAfterMs: 500 });
      expect(scene.sent).toHaveLength(5);
      const cause = 'status' in fields ? String(fields.status) : fields.code;
      expect(scene.news).toEqual([`blue us failing ${cause} 500`]);
      expect(scene.limits.countByState()).toEqual([{ region: 'us', state: 'failing', count: 1 }]);
    },
  );

  test('gets one probe, whose success allows all other requests', async () => {
    const scene = setUp();
    await breakCircuit(scene);
    scene.clock.advance(500);
    const probe = scene.ask({ path: 'probe' });
    expect(await rejection(scene.ask({ path: 'other' }))).toMatchObject({ isWithheld: true });
    await scene.endLast();
    await expect(probe).resolves.toBe(answer);
    void scene.ask({ path: 'after' });
    expect((await scene.paths()).slice(5)).toEqual(['probe', 'after']);
    expect(scene.news.at(-1)).toBe('blue us open - 0');
  });

  test('gets the next request as a probe if the first one was aborted', async () => {
    const scene = setUp();
    await breakCircuit(scene);
    scene.clock.advance(500);
    const leaving = new AbortController();
    const probe = rejection(scene.ask({ path: 'probe', signal: leaving.signal }));
    await settled();
    leaving.abort();
    expect(await probe).toMatchObject({ code: 'ABORT_ERR' });
    void scene.ask({ path: 'next' });
    expect((await scene.paths()).slice(5)).toEqual(['probe', 'next']);
  });

  test('does not concern other organizations and regions', async () => {
    const scene = setUp();
    await breakCircuit(scene);
    void scene.ask({ path: 'green', of: 'green' });
    void scene.ask({ path: 'eu', region: 'eu' });
    expect((await scene.paths()).slice(5)).toEqual(['green', 'eu']);
  });

  test.each(['Unauthorized', 'Forbidden', 'NotFound', 'Conflict', 'Refused', 'UnexpectedAnswer'] as const)(
    'is not what %s shows',
    async (kind) => {
      const scene = setUp();
      for (let count = 0; count < 20; count += 1) await scene.fail({ path: String(count) }, { kind, status: 400 });
      await scene.fail({}, broken);
      expect([scene.news, scene.withheld]).toEqual([[], []]);
    },
  );

  test('is not assumed after aborted requests', async () => {
    const scene = setUp();
    for (let count = 0; count < 20; count += 1) {
      const leaving = new AbortController();
      const left = rejection(scene.ask({ path: String(count), signal: leaving.signal }));
      await settled();
      leaving.abort();
      await left;
    }
    expect(scene.news).toEqual([]);
  });
});
