import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { Webhook } from '../../../../sandbox/konnect/model.ts';
import type { DeliveryStatus } from '../../../../src/api/v1alpha1.ts';
import { withVerified } from '../../../../src/status/conditions.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { key } from '../../../support/forwarding-spec.ts';
import { forum, otherSiem, shop } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import type { Harness } from '../support/harness.ts';
import { onlyDestination, useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const oneShop: SpecChoice = { portals: [{ id: shop, enabled: true }] };

function entryOf(harness: Harness, of = shop): DeliveryStatus | undefined {
  return harness.status.delivery?.find((one) => one.key === of);
}

function nowIn(harness: Harness): string {
  return new Date(harness.clock.ms).toISOString();
}

function shown(harness: Harness, type: string): string {
  const { reason = '-', message = '-' } = harness.condition(type) ?? {};
  return `${reason}: ${message}`;
}

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
      },
    ],
    [
      'has a destination with another endpoint',
      (harness) =>
        void changeDestination(harness.konnect.model, harness.organization, onlyDestination(harness), {
          endpoint: 'https://elsewhere.example.com/',
        }),
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
      attempt(harness, harness.portal(shop), 200);
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
    await next(harness, minuteMs);
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: false }] }));
    await harness.work();
    expect(entryOf(harness)).toMatchObject({ state: 'Off', gap: { to: nowIn(harness) } });
  });

  test('not with mode None, which forgets the gaps', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 503);
    await next(harness, minuteMs);
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

/** A webhook that failed and delivers again, with a replay that Konnect has not got yet. */
async function beforeReplay(choice: SpecChoice = {}): Promise<Harness> {
  const harness = await inPlace({ ...oneShop, gapRecovery: 'Replay', ...choice });
  attempt(harness, harness.portal(shop), 503);
  await next(harness, 10 * minuteMs);
  attempt(harness, harness.portal(shop), 200);
  harness.clock.ms += minuteMs;
  harness.clearRecords();
  return harness;
}

describe('a replay', () => {
  test('waits while Konnect runs another one of that webhook, and is then requested', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.behave({ replayDurationMs: 5 * minuteMs });
    const job = {
      startAt: nowIn(harness),
      endAt: nowIn(harness),
      acceptedAt: new Date(harness.clock.ms),
      pending: 0,
      failed: false,
    };
    harness.portal(shop).replay = { ...job, startedAt: new Date(harness.clock.ms) };
    const waits = [await next(harness, 0)];
    expect(entryOf(harness)?.replay?.state).toBe('Requested');
    for (let count = 0; count < 2; count += 1) waits.push(await next(harness, minuteMs));
    expect(waits).toEqual([1, 2, 3].map((one) => one * minuteMs));
    expect(harness.konnectWrites).toHaveLength(1);
    await next(harness, 3 * minuteMs);
    expect(harness.konnectWrites).toHaveLength(2);
    expect(entryOf(harness)?.replay?.state).toBe('Accepted');
  });

  test('whose answer is lost is found, however Konnect shows its times', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.behave({ replayTimes: 'with-offset' });
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'PUT' }, times: 1 });
    await next(harness, 0);
    expect(entryOf(harness)?.replay?.state).toBe('Requested');
    await next(harness, minuteMs);
    expect(entryOf(harness)?.replay?.state).toBe('Completed');
    expect(harness.konnectWrites).toHaveLength(1);
  });

  test('that fails is requested once more after an hour, then it stays said', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.behave({ replayOutcome: 'failed' });
    await next(harness, 0);
    expect(await next(harness, minuteMs)).toBe(10 * minuteMs);
    expect(shown(harness, 'LogsUndelivered')).toMatch(
      /^ReplayFailed: the replay of .* failed: the operator requests it once more at 2026-/,
    );
    for (let count = 0; count < 12; count += 1) await next(harness, 10 * minuteMs);
    expect(harness.konnectWrites).toHaveLength(2);
    expect(shown(harness, 'LogsUndelivered')).toMatch(
      /^ReplayFailed: .* failed: correct the cause, then run: kubectl annotate/,
    );
    expect(harness.reasons.filter((reason) => reason === 'ReplayFailed')).toHaveLength(2);
    expect(entryOf(harness)).toHaveProperty('gap.to');
    harness.clearRecords();
    for (let count = 0; count < 12; count += 1) await next(harness, 10 * minuteMs);
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
  });

  test('that Konnect refuses counts as failed, and the message has the status', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { method: 'PUT' } });
    await next(harness, 0);
    expect(entryOf(harness)?.replay).toMatchObject({ state: 'Failed', code: 403 });
    expect(shown(harness, 'LogsUndelivered')).toContain(
      'failed, because Konnect refused it (HTTP 403): the operator requests it once more',
    );
    expect(harness.readiness).toBe('True InSync');
  });

  test('is not requested before deliveries succeed, nor by a forwarding that observes', async () => {
    const harness = await beforeReplay({ mode: 'Enforce' });
    harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' }));
    await harness.work();
    expect(harness.konnectWrites).toEqual([]);
    expect(shown(harness, 'LogsUndelivered')).toContain('set spec.mode to Enforce');
    attempt(harness, harness.portal(shop), 503);
    harness.cluster.edit((spec) => ({ ...spec, mode: 'Enforce' }));
    await harness.work();
    expect(harness.konnectWrites.filter((call) => call.includes('replay'))).toEqual([]);
    expect(entryOf(harness)?.gap).toEqual({ from: '2026-01-02T03:04:05.000Z' });
  });

  test('is requested for each webhook with its own window, after one status that has them all', async () => {
    const harness = await inPlace({ ...oneShop, organization: { enabled: true }, gapRecovery: 'Replay' });
    const webhooks = [harness.portal(shop), harness.webhook()];
    for (const webhook of webhooks) attempt(harness, webhook, 503);
    await next(harness, 10 * minuteMs);
    for (const webhook of webhooks) {
      attempt(harness, webhook, 200);
      harness.clock.ms += minuteMs;
    }
    harness.clearRecords();
    await next(harness, minuteMs);
    expect(harness.konnectWrites.toSorted()).toEqual([
      `PUT us/v3/audit-log-replay-job`,
      `PUT us/v3/portals/${shop}/audit-log-replay-job`,
    ]);
    expect(harness.cluster.statuses[0]?.delivery?.map(({ replay }) => replay?.state)).toEqual([
      'Requested',
      'Requested',
    ]);
    expect(webhooks.map(({ replay }) => replay?.endAt)).toEqual(['2026-01-02T03:14:05Z', '2026-01-02T03:15:05Z']);
  });
});

describe('a gap that gets old', () => {
  test('is warned of after six days, is being lost after seven, and the loss is said', async () => {
    const harness = await inPlace({ ...oneShop, gapRecovery: 'Replay' });
    attempt(harness, harness.portal(shop), 503);
    await next(harness, minuteMs);
    harness.clock.ms += 6 * dayMs - 5 * minuteMs;
    expect(await next(harness, 0)).toBeLessThanOrEqual(4 * minuteMs);
    expect(harness.condition('LogLossImminent')).toBeUndefined();
    harness.clearRecords();
    await next(harness, 4 * minuteMs);
    expect(shown(harness, 'LogLossImminent')).toBe(
      `GapSixDaysOld: audit logs of portal ${shop} since 2026-01-02T03:04:05Z were not delivered, and Konnect deletes them after 7 days: see LogsUndelivered`,
    );
    expect(harness.reasons).toContain('GapSixDaysOld');
    harness.clearRecords();
    await next(harness, dayMs);
    expect(shown(harness, 'LogLossImminent')).toContain('LogsLost: Konnect deletes audit logs of');
    expect(harness.reasons).toContain('LogsLost');

    harness.clearRecords();
    attempt(harness, harness.portal(shop), 200);
    await next(harness, 60 * minuteMs);
    const from = new Date(harness.clock.ms - 7 * dayMs + 5 * minuteMs).toISOString().replace('.000', '');
    expect(entryOf(harness)?.replay).toMatchObject({ from });
    expect(harness.cluster.announcements.find(({ reason }) => reason === 'LogsLost')?.note).toBe(
      `audit logs of portal ${shop} from 2026-01-02T03:04:05Z to ${from} are lost: they were not delivered, and Konnect keeps audit logs for 7 days`,
    );
    await next(harness, minuteMs);
    expect(harness.condition('LogLossImminent')).toBeUndefined();
  });

  test('is given up with mode Report when all of it is lost', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 503);
    await next(harness, minuteMs);
    attempt(harness, harness.portal(shop), 200);
    await next(harness, minuteMs);
    harness.clearRecords();
    await next(harness, 7 * dayMs);
    expect(entryOf(harness)).not.toHaveProperty('gap');
    expect(harness.reasons).toContain('LogsLost');
    expect(harness.condition('LogsUndelivered')).toBeUndefined();
    expect(harness.condition('LogLossImminent')).toBeUndefined();
  });

  test('is given up with its replay although spec has switched the webhook off', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { method: 'PUT' }, times: 1 });
    await next(harness, 0);
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: false }] }));
    await harness.work();
    expect(entryOf(harness)).toMatchObject({
      state: 'Off',
      replay: { state: 'Failed', retryTime: expect.any(String) },
    });
    harness.clearRecords();
    await next(harness, 7 * dayMs);
    expect(entryOf(harness)?.replay).not.toHaveProperty('retryTime');
    expect(await next(harness, 10 * minuteMs)).toBe(10 * minuteMs);
    expect(entryOf(harness)).not.toHaveProperty('gap');
    expect(harness.reasons).toContain('LogsLost');
    expect(harness.condition('LogLossImminent')).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
  });
});

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
