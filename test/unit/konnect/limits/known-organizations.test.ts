/** Which organizations and regions the limits know, when they forget them, and what the metrics show of them. */
import { describe, expect, test } from '@jest/globals';
import { rejection } from '../scripted-konnect.ts';
import { limited, settled, setUp } from './limits-scene.ts';

test('idle organizations are forgotten, waiting and failing ones are not', async () => {
  const scene = setUp();
  await scene.fail({}, { ...limited, retryAfterMs: 500_000 });
  for (let count = 0; count < 1_000; count += 1) {
    void scene.ask({ of: `organization-${String(count)}` });
    await scene.endLast();
    scene.clock.advance(200);
  }
  expect(scene.limits.countByState().reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(257);
  expect(await rejection(scene.ask())).toMatchObject({ isWithheld: true });
});

describe('the readings', () => {
  const stated = { limit: 600, remaining: 500 };
  const reading = (change: object) => ({
    organization: 'blue',
    region: 'us',
    budget: 99,
    rateLimit: undefined,
    ...change,
  });

  test('have the budget of each known organization, and what Konnect stated in the last five minutes', async () => {
    const { ask, sent, limits, clock } = setUp({ qps: 0.001 });
    void ask();
    void ask({ of: 'token-a' });
    await settled();
    expect(limits.readings()).toEqual([reading({})]);
    sent[0]?.state(stated);
    expect(limits.readings()).toEqual([reading({ rateLimit: expect.objectContaining(stated) })]);
    clock.advance(5 * 60_000);
    expect(limits.readings()).toMatchObject([{ rateLimit: stated }]);
    clock.advance(1);
    expect(limits.readings()).toMatchObject([{ rateLimit: undefined }]);
  });
});

describe('a region that users invented', () => {
  const notFound = { kind: 'Unreachable', code: 'ENOTFOUND' } as const;

  test('is forgotten a quarter of an hour after its last use, although Konnect never answered there', async () => {
    const scene = setUp();
    for (const path of ['a', 'b', 'a', 'b', 'a', 'b']) {
      void scene.ask({ path, region: 'uss' });
      await scene.endLast(notFound);
    }
    expect(scene.limits.countByState()).toEqual([{ region: 'uss', state: 'failing', count: 1 }]);
    scene.clock.advance(15 * 60_000);
    expect(scene.limits.countByState()).toHaveLength(1);
    scene.clock.advance(1);
    expect(scene.limits.countByState()).toEqual([]);
  });

  test('is not forgotten while a request is in flight, and every use counts', async () => {
    const scene = setUp();
    void scene.ask({ region: 'uss' });
    await settled();
    scene.clock.advance(16 * 60_000);
    expect(scene.limits.countByState()).toHaveLength(1);
    await scene.endLast(notFound);
    void scene.ask({ region: 'uss' });
    await scene.endLast(notFound);
    scene.clock.advance(14 * 60_000);
    expect(scene.limits.countByState()).toHaveLength(1);
  });

  test('is one of at most 21 in the metric, in which real regions keep their names', async () => {
    const scene = setUp();
    for (let count = 0; count < 100; count += 1) {
      void scene.ask({ region: `r${String(count)}` });
      await scene.endLast(notFound);
    }
    for (const organization of ['blue', 'green']) {
      void scene.ask({ of: organization });
      await scene.endLast();
    }
    const counts = scene.limits.countByState();
    expect(counts).toHaveLength(21);
    expect(counts).toContainEqual({ region: 'us', state: 'open', count: 2 });
    expect(counts).toContainEqual({ region: 'other', state: 'open', count: 81 });
  });
});
