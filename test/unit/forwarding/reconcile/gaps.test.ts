import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { Webhook } from '../../../../sandbox/konnect/model.ts';
import { withVerified } from '../../../../src/status/conditions.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { key } from '../../../support/forwarding-spec.ts';
import { forum, otherSiem, shop } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import { entryOf, minuteMs, nowIn, oneShop, shown } from '../support/gaps.ts';
import type { Harness } from '../support/harness.ts';
import { onlyDestination, useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();

const kinds: readonly { title: string; choice: SpecChoice; of: string; path: string; find: (h: Harness) => Webhook }[] =
  [
    { title: 'portal', choice: oneShop, of: shop, path: `v3/portals/${shop}`, find: (h) => h.portal(shop) },
    {
      title: 'organization',
      choice: { organization: { enabled: true } },
      of: 'organization',
      path: 'v3',
      find: (h) => h.webhook(),
    },
    {
      title: 'inline',
      choice: { api: 'v2', organization: { enabled: true } },
      of: 'organization',
      path: 'v2',
      find: (h) => h.webhook(),
    },
  ];

describe.each(kinds)('a webhook ($title) that fails', ({ choice, of, path, find }) => {
  test('has a gap from its last delivery to the next one, which a replay closes', async () => {
    const harness = await inPlace({ ...choice, gapRecovery: 'Replay' });
    const webhook = find(harness);
    harness.konnect.control.behave({ replayQueueMs: 90_000, replayDurationMs: 90_000 });
    attempt(harness, webhook, 200);
    const from = nowIn(harness);
    await next(harness, minuteMs);
    harness.clock.ms += minuteMs;
    attempt(harness, webhook, 503);
    await next(harness, 10 * minuteMs);
    expect(entryOf(harness, of)?.gap).toEqual({ from });
    expect(shown(harness, 'LogsUndelivered')).toMatch(
      /^GapOpen: audit logs of .* since 2026-01-02T03:04:05Z were not delivered/,
    );
    harness.clearRecords();

    attempt(harness, webhook, 200);
    const to = nowIn(harness);
    expect(await next(harness, minuteMs)).toBe(minuteMs);
    const window = { from: from.replace('.000', ''), to: to.replace('.000', '') };
    expect(harness.konnectWrites).toEqual([`PUT us/${path}/audit-log-replay-job`]);
    expect(webhook.replay).toMatchObject({ startAt: window.from, endAt: window.to });
    expect(entryOf(harness, of)).toMatchObject({ gap: { from, to }, replay: { ...window, state: 'Accepted' } });
    expect(harness.cluster.statuses[0]?.delivery?.[0]?.replay?.state).toBe('Requested');

    await next(harness, minuteMs);
    expect(entryOf(harness, of)?.replay?.state).toBe('Pending');
    await next(harness, minuteMs);
    expect(entryOf(harness, of)?.replay?.state).toBe('Running');
    expect(shown(harness, 'LogsUndelivered')).toContain('Replaying: a replay of audit logs of');
    await next(harness, 3 * minuteMs);
    expect(entryOf(harness, of)).toMatchObject({ state: 'Delivered', replay: { ...window, state: 'Completed' } });
    expect(entryOf(harness, of)).not.toHaveProperty('gap');
    expect(harness.condition('LogsUndelivered')).toBeUndefined();
    expect(harness.reasons).toEqual(['ReplayStarted', 'Delivered', 'ReplayCompleted']);
    harness.clearRecords();
    for (let count = 0; count < 5; count += 1) expect(await next(harness, 10 * minuteMs)).toBe(10 * minuteMs);
    expect(harness.calls.filter((call) => call.includes('replay'))).toEqual([]);
    expect(harness.cluster.writes).toBe(0);
  });

  test('is replayed once its last second is over, also if that second ends during a reconciliation', async () => {
    const harness = await inPlace({ ...choice, gapRecovery: 'Replay' });
    const webhook = find(harness);
    attempt(harness, webhook, 503);
    await next(harness, 10 * minuteMs);
    harness.clock.ms += 500;
    attempt(harness, webhook, 200);
    harness.cluster.around = (name, deed) => {
      if (name === 'write status') harness.clock.ms += 600;
      return deed();
    };
    const nextMs = await next(harness, 100);
    expect(harness.konnectWrites.filter((call) => call.startsWith('PUT'))).toEqual([]);
    expect(nextMs).toBeLessThanOrEqual(1_000);
    await next(harness, nextMs);
    expect(harness.konnectWrites.filter((call) => call.startsWith('PUT'))).toHaveLength(1);
  });

  test('is replayed once, whichever call the process dies after', async () => {
    for (let crash = 1; ; crash += 1) {
      const harness = await inPlace({ ...choice, gapRecovery: 'Replay' });
      const webhook = find(harness);
      attempt(harness, webhook, 503);
      await next(harness, 10 * minuteMs);
      attempt(harness, webhook, 200);
      harness.clock.ms += minuteMs;
      harness.clearRecords();
      harness.crashAfter(crash);
      await harness.reconcile().catch(() => undefined);
      const hadAllCalls = harness.outsideCalls < crash;
      await harness.drain();
      for (let count = 0; count < 3; count += 1) {
        harness.restart();
        await next(harness, minuteMs);
      }
      expect(harness.konnectWrites.filter((call) => call.startsWith('PUT'))).toHaveLength(1);
      expect(entryOf(harness, of)).toMatchObject({ replay: { state: 'Completed' } });
      if (hadAllCalls) return;
    }
  });

  test('tells with mode Report which command replays its gap', async () => {
    const harness = await inPlace(choice);
    const webhook = find(harness);
    attempt(harness, webhook, 503);
    await next(harness, 10 * minuteMs);
    attempt(harness, webhook, 200);
    await next(harness, minuteMs);
    const [, value = ''] = /konnect-audit-log.io\/replay=(\S+)$/.exec(shown(harness, 'LogsUndelivered')) ?? [];
    expect(value).toBe(`2026-01-02T03:04:05Z/2026-01-02T03:14:05Z/${of}`);
    expect(shown(harness, 'LogsUndelivered')).toContain(
      'run: kubectl annotate auditlogforwarding sumologic -n platform --overwrite konnect-audit-log.io/replay=',
    );
    expect(harness.reasons).toContain('ReplayAvailable');
    harness.clearRecords();
    for (let count = 0; count < 3; count += 1) await next(harness, 10 * minuteMs);
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);

    harness.cluster.annotate('konnect-audit-log.io/replay', value);
    await harness.work();
    expect(harness.konnectWrites).toEqual([`PUT us/${path}/audit-log-replay-job`]);
    expect(harness.status.lastHandledReplay).toBe(value);
    await next(harness, minuteMs);
    expect(entryOf(harness, of)).not.toHaveProperty('gap');
    expect(entryOf(harness, of)?.replay).toMatchObject({ state: 'Completed', isManual: true });
    expect(harness.condition('LogsUndelivered')).toBeUndefined();
  });
});

describe('a gap opens', () => {
  const diversions: readonly [string, (harness: Harness) => void][] = [
    ['is switched off', (harness) => void (harness.portal(shop).enabled = false)],
    ['is detached', (harness) => clearWebhook(harness.konnect.model, harness.organization, harness.portal(shop))],
    [
      'is pointed elsewhere',
      (harness) => {
        const { id } = harness.createForeign('theirs');
        pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
        attempt(harness, harness.portal(shop), 200);
      },
    ],
    [
      'has a destination with another endpoint',
      (harness) => {
        const endpoint = 'https://elsewhere.example.com/';
        changeDestination(harness.konnect.model, harness.organization, onlyDestination(harness), { endpoint });
        attempt(harness, harness.portal(shop), 200);
      },
    ],
    [
      'has a destination that is gone',
      (harness) => {
        for (const one of harness.organization.destinations) one.to ??= new Date(harness.clock.ms);
      },
    ],
  ];

  test.each(diversions)(
    'if the webhook %s by another client, and ends only with a delivery after the correction',
    async (_, divert) => {
      const harness = await inPlace({ ...oneShop, gapRecovery: 'Replay' });
      attempt(harness, harness.portal(shop), 200);
      const from = nowIn(harness);
      await next(harness, minuteMs);
      divert(harness);
      harness.clearRecords();
      harness.clock.ms += 10 * minuteMs;
      await harness.settle();
      expect(entryOf(harness)?.gap).toEqual({ from, closesAfter: nowIn(harness) });
      expect(harness.pointsAt(harness.portal(shop))).toBe(`${key} on`);
      // Status has the gap before the operator corrects anything.
      expect(harness.cluster.statuses[0]?.delivery).toMatchObject([{ key: shop, gap: { from } }]);
      await next(harness, minuteMs);
      expect(entryOf(harness)?.gap).toEqual({ from, closesAfter: new Date(harness.clock.ms - minuteMs).toISOString() });
      attempt(harness, harness.portal(shop), 200);
      const to = nowIn(harness);
      await next(harness, minuteMs);
      expect(entryOf(harness)?.replay).toMatchObject({ from: from.replace('.000', ''), to: to.replace('.000', '') });
      await next(harness, minuteMs);
      expect(entryOf(harness)).not.toHaveProperty('gap');
    },
  );

  test('if a webhook stays as another client has set it: contested, with mode Observe, or while suspended', async () => {
    for (const change of [{ mode: 'Observe' }, { suspend: true }] as const) {
      const harness = await inPlace(oneShop);
      attempt(harness, harness.portal(shop), 200);
      await next(harness, minuteMs);
      harness.cluster.edit((spec) => ({ ...spec, ...change }));
      await harness.work();
      harness.portal(shop).enabled = false;
      await harness.resync();
      harness.clearRecords();
      await harness.resync();
      expect(harness.cluster.writes).toBe(0);
      harness.cluster.edit((spec) => ({ ...spec, mode: 'Enforce', suspend: false }));
      await harness.work();
      expect(entryOf(harness)?.gap).toMatchObject({ from: '2026-01-02T03:04:05.000Z' });
      expect(entryOf(harness)?.gap).not.toHaveProperty('to');
    }
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 200);
    await next(harness, minuteMs);
    for (let count = 0; count < 4; count += 1) {
      const { id } = harness.createForeign(`theirs-${String(count)}`);
      pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
      await harness.resync();
    }
    expect(harness.readiness).toContain('Contested');
    expect(entryOf(harness)).toMatchObject({ state: 'Unknown', gap: { from: '2026-01-02T03:04:05.000Z' } });
  });

  test('by a rotation only if the old endpoint had failed', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 200);
    await next(harness, minuteMs);
    harness.cluster.putSecret('siem', otherSiem);
    await harness.reconcile();
    await next(harness, minuteMs);
    expect(entryOf(harness)).not.toHaveProperty('gap');
    attempt(harness, harness.portal(shop), 401);
    harness.clearRecords();
    harness.cluster.putSecret('siem', { ...otherSiem, authorization: 'Bearer CANARYthird' });
    await harness.reconcile();
    expect(harness.cluster.statuses[0]?.delivery).toMatchObject([{ gap: { from: '2026-01-02T03:04:05.000Z' } }]);
  });

  test('for nothing that spec says: off and on again, another destination, another portal', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 200);
    await next(harness, minuteMs);
    for (const enabled of [false, true]) {
      harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled }] }));
      await harness.work();
      harness.clock.ms += 60 * minuteMs;
    }
    const since = new Date(harness.clock.ms - 60 * minuteMs).toISOString();
    expect(entryOf(harness)).toMatchObject({ since });
    expect(entryOf(harness)).not.toHaveProperty('gap');
    const { id } = harness.createForeign('theirs');
    harness.cluster.edit(({ destination: _own, ...spec }) => ({ ...spec, destinationRef: { id } }));
    await harness.work();
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: forum, enabled: true }] }));
    await harness.work();
    expect(harness.status.delivery?.map((one) => [one.key, one.gap])).toEqual([[forum, undefined]]);
    attempt(harness, harness.portal(forum), 503);
    const { since: attached } = entryOf(harness, forum) ?? {};
    await next(harness, 10 * minuteMs);
    expect(entryOf(harness, forum)?.gap).toEqual({ from: attached });
  });

  test('and ends when spec switches the webhook off', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 503);
    await next(harness, 10 * minuteMs);
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: false }] }));
    await harness.work();
    expect(entryOf(harness)).toMatchObject({ state: 'Off', gap: { to: nowIn(harness) } });
  });

  test('not with mode None, which forgets the gaps', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 503);
    await next(harness, 10 * minuteMs);
    expect(entryOf(harness)).toHaveProperty('gap');
    harness.cluster.edit((spec) => ({ ...spec, gapRecovery: { mode: 'None' } }));
    await harness.work();
    attempt(harness, harness.portal(shop), 503);
    await next(harness, minuteMs);
    expect(entryOf(harness)).not.toHaveProperty('gap');
    expect(harness.condition('LogsUndelivered')).toBeUndefined();
  });
});

test('the conditions of a gap and Verified have one order, so that a verification costs one write of status', async () => {
  const harness = await inPlace(oneShop);
  const secretRef = { name: 'sumologic-access', accessIDKey: 'accessId', accessKeyKey: 'accessKey' };
  const sumoLogic = { secretRef, deployment: 'us1' as const, query: '_source=Konnect' };
  harness.cluster.edit((spec) => ({ ...spec, verification: { sumoLogic, interval: '15m', window: '1h' } }));
  attempt(harness, harness.portal(shop), 503);
  harness.clock.ms += 10 * minuteMs;
  await harness.work();
  harness.clock.ms += minuteMs;
  attempt(harness, harness.portal(shop), 200);
  await next(harness, minuteMs);
  expect(harness.condition('LogsUndelivered')).toBeDefined();
  const verdict = { status: 'True', reason: 'AllFound', message: 'Konnect audited nothing' } as const;
  const now = new Date(harness.clock.ms);
  const context = { generation: 2, previous: harness.status.conditions ?? [], now, grace: 'none' } as const;
  harness.cluster.setStatus({ ...harness.status, conditions: withVerified(verdict, context) });
  harness.clearRecords();
  await next(harness, minuteMs);
  expect(harness.condition('Verified')).toMatchObject(verdict);
  expect(harness.cluster.writes).toBe(0);
});
