import { describe, expect, test } from '@jest/globals';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import { entryOf, minuteMs, oneShop } from '../support/gaps.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();

describe('the annotation that requests a replay', () => {
  const good = '2026-01-02T02:00:00Z/2026-01-02T03:00:00Z';

  test('is for every webhook that is on, or for the one that it names', async () => {
    const harness = await inPlace({
      portals: [
        { id: shop, enabled: true },
        { id: forum, enabled: false },
      ],
      organization: { enabled: true },
    });
    harness.cluster.annotate('konnect-audit-log.io/replay', good);
    await harness.work();
    expect(harness.konnectWrites.toSorted()).toEqual([
      'PUT us/v3/audit-log-replay-job',
      `PUT us/v3/portals/${shop}/audit-log-replay-job`,
    ]);
    expect(harness.status.lastHandledReplay).toBe(good);
    expect(harness.webhook().replay).toMatchObject({ startAt: '2026-01-02T02:00:00Z', endAt: '2026-01-02T03:00:00Z' });
    harness.clearRecords();
    await next(harness, minuteMs);
    await next(harness, minuteMs);
    expect(harness.konnectWrites).toEqual([]);
    const named = `${good.replace('02:00:00', '02:30:00')}/organization`;
    harness.cluster.annotate('konnect-audit-log.io/replay', named);
    await harness.work();
    expect(harness.konnectWrites).toEqual(['PUT us/v3/audit-log-replay-job']);
    expect(harness.status.lastHandledReplay).toBe(named);
  });

  test.each<[string, string, string, SpecChoice]>([
    ['no period', 'yesterday', 'is not FROM/TO or FROM/TO/WEBHOOK', {}],
    ['no time zone', '2026-01-02T02:00:00/2026-01-02T03:00:00', 'is not FROM/TO or FROM/TO/WEBHOOK', {}],
    ['a day that does not exist', '2026-01-42T02:00:00Z/2026-01-42T03:00:00Z', 'is not FROM/TO or FROM/TO/WEBHOOK', {}],
    ['the wrong order', '2026-01-02T03:00:00Z/2026-01-02T02:00:00Z', 'ends before it begins', {}],
    ['the future', '2026-01-02T03:00:00Z/2026-01-02T09:00:00Z', 'ends in the future', {}],
    ['what Konnect has deleted', '2025-12-01T03:00:00Z/2025-12-01T09:00:00Z', 'ended more than 7 days ago', {}],
    ['another webhook', `${good}/${forum}`, 'no webhook that it is for is in place and on', {}],
    ['a forwarding that is suspended', good, 'spec.suspend is true', { suspend: true }],
    ['a forwarding that observes', good, 'spec.mode is Observe', { mode: 'Observe' }],
  ])('is answered with a Warning for %s', async (_, value, why, { suspend = false, mode = 'Enforce' }) => {
    const harness = await inPlace(oneShop);
    harness.cluster.edit((spec) => ({ ...spec, suspend, mode }));
    await harness.work();
    harness.clearRecords();
    harness.cluster.annotate('konnect-audit-log.io/replay', value);
    await harness.work();
    expect(harness.cluster.announcements.map(({ type, reason }) => [type, reason])).toEqual([
      ['Warning', 'ReplayRejected'],
    ]);
    expect(harness.cluster.announcements[0]?.note).toContain(why);
    expect(harness.status.lastHandledReplay).toBe(value);
    expect(harness.konnectWrites).toEqual([]);
  });

  test('is refused while a replay of that webhook is in progress', async () => {
    const harness = await inPlace(oneShop);
    harness.konnect.control.behave({ replayDurationMs: 60 * minuteMs });
    harness.cluster.annotate('konnect-audit-log.io/replay', good);
    await harness.work();
    harness.cluster.annotate('konnect-audit-log.io/replay', good.replace('02:00:00', '02:30:00'));
    await harness.work();
    expect(harness.konnectWrites).toHaveLength(1);
    expect(harness.cluster.announcements.at(-1)?.note).toContain(`another replay of portal ${shop} has not ended`);
  });

  test('waits for Konnect, and is answered when Konnect is there again', async () => {
    const harness = await inPlace(oneShop);
    const fault = harness.konnect.control.fail({ kind: 'status', status: 503 });
    harness.restart();
    harness.cluster.annotate('konnect-audit-log.io/replay', good);
    await harness.work(() => harness.outsideCalls > 10).catch(() => undefined);
    expect(harness.status.lastHandledReplay).toBeUndefined();
    fault.remove();
    await harness.settle();
    expect(harness.status.lastHandledReplay).toBe(good);
    expect(harness.portal(shop).replay).toBeDefined();
  });

  test('waits with its replay until deliveries succeed', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 503);
    await next(harness, minuteMs);
    harness.cluster.annotate('konnect-audit-log.io/replay', good);
    await harness.work();
    expect(harness.konnectWrites).toEqual([]);
    expect(entryOf(harness)?.replay?.state).toBe('Requested');
    attempt(harness, harness.portal(shop), 200);
    await next(harness, minuteMs);
    expect(harness.konnectWrites).toHaveLength(1);
  });
});
