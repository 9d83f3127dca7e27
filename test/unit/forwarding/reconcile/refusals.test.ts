/** When the operator looks again at a forwarding that Konnect refuses something, and how often it then asks Konnect. */
import { describe, expect, test } from '@jest/globals';
import { BackOff, delayAfter } from '../../../../src/controller/back-off.ts';
import { type Reason, reasons, stalled } from '../../../../src/forwarding/problems.ts';
import { isRefused, readyOf } from '../../../../src/forwarding/reconcile/conclude.ts';
import { secretsReport } from '../../../../src/forwarding/reconcile/health-report.ts';
import { key, usual } from '../../../support/forwarding-spec.ts';
import { forum, kiosk, nowhere, otherSiem, shop, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const daily = { ...usual, interval: '24h' };
const revoked = { kind: 'status', status: 401 } as const;

/** What ends the problem. An event announces every change in Kubernetes, except for Portals. No event announces one in Konnect. */
const endedBy: Record<Reason, 'Konnect' | 'Kubernetes' | 'the operator'> = {
  SecretNotFound: 'Kubernetes',
  SecretKeyNotFound: 'Kubernetes',
  SecretInvalid: 'Kubernetes',
  SecretForbidden: 'Kubernetes',
  AuthRefNotFound: 'Kubernetes',
  AuthRefNotServed: 'Kubernetes',
  AuthRefForbidden: 'Kubernetes',
  AuthRefMismatch: 'Kubernetes',
  TokenRejected: 'Konnect',
  PermissionDenied: 'Konnect',
  RequestRefused: 'Konnect',
  OrganizationUnproven: 'Konnect',
  OrganizationChanged: 'Kubernetes',
  NameInUse: 'Konnect',
  WebhookInUse: 'Konnect',
  Claimed: 'Kubernetes',
  Contested: 'Kubernetes',
  DestinationNotFound: 'Konnect',
  HandingOver: 'the operator',
  LeftBehind: 'Kubernetes',
  PortalNotFound: 'Konnect',
  PortalRefNotFound: 'Kubernetes',
  PortalRefNotReady: 'Kubernetes',
  PortalRefMismatch: 'Kubernetes',
  PortalRefNotServed: 'Kubernetes',
  PortalRefForbidden: 'Kubernetes',
  PortalRefUnreadable: 'Kubernetes',
  PortalRefConflict: 'Kubernetes',
  Applying: 'the operator',
  Creating: 'the operator',
  DestinationInUse: 'the operator',
  Detaching: 'the operator',
  RateLimited: 'the operator',
  KonnectUnavailable: 'the operator',
  UnexpectedAnswer: 'the operator',
  TokenGone: 'Kubernetes',
};

test.each(Object.values(reasons))('%s is resynced early only if a change in Konnect ends it', (reason) => {
  expect(isRefused(secretsReport([stalled(reason, '')]))).toBe(endedBy[reason] === 'Konnect');
});

/** Reconciles as the operator's queue does, for this time. Returns the delays between the reconciliations. */
async function workFor(harness: Harness, forMs: number): Promise<number[]> {
  const backOff = new BackOff({ baseMs: 1_000, maxMs: 300_000, jitter: 'equal', random: () => 0.99 });
  const endMs = harness.clock.ms + forMs;
  const delaysMs: number[] = [];
  while (harness.clock.ms <= endMs) {
    const delayMs = delayAfter(key, await harness.reconcile(), backOff) ?? Number.POSITIVE_INFINITY;
    delaysMs.push(delayMs);
    harness.clock.ms += delayMs;
  }
  return delaysMs;
}

describe('with an interval of 24 hours', () => {
  test('a revoked token is tried again with back-off up to 5 minutes, and at once with its next one', async () => {
    const harness = await inPlace(daily);
    harness.konnect.control.fail(revoked);
    const delaysMs = await workFor(harness, 3_600_000);
    expect(delaysMs).toEqual(delaysMs.toSorted((a, b) => a - b));
    expect([delaysMs[0], Math.max(...delaysMs)]).toEqual([10_000, expect.closeTo(300_000, -4)]);
    expect(harness.condition('Ready')?.reason).toBe('TokenRejected');
    expect(harness.konnectWrites).toEqual([]);
    harness.konnect.control.clearFaults();
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    expect(await harness.reconcile()).toEqual({ kind: 'requeue', afterMs: 86_400_000 });
  });

  test('a refusal of one object is looked at again within 5 minutes', async () => {
    const harness = await inPlace(daily);
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { path: `/v3/portals/${shop}/*` } });
    expect(Math.max(...(await workFor(harness, 3_600_000)))).toBeLessThanOrEqual(300_000);
    expect(harness.readiness).toBe('False PermissionDenied Stalled');
  });

  test('a problem that only a change in Kubernetes ends waits for that change', async () => {
    const harness = await open(daily);
    harness.cluster.putSecret('siem', { endpoint: 'no URL', authorization: 'x' });
    expect(await harness.reconcile()).toEqual({ kind: 'requeue', afterMs: 86_400_000 });
    expect(harness.readiness).toBe('False SecretInvalid Stalled');
  });
});

test('an interval below 5 minutes is kept', async () => {
  const harness = await open({ portals: [{ id: nowhere, enabled: true }], interval: '1m' });
  expect(Math.max(...(await workFor(harness, 3_600_000)))).toBe(60_000);
  expect(harness.readiness).toBe('False PortalNotFound Stalled');
});

test('Ready does not alternate while Konnect refuses a change of a webhook with an endpoint of its own', async () => {
  const harness = await inPlace({ api: 'v2', organization: { enabled: true } });
  harness.cluster.putSecret('siem', otherSiem);
  harness.konnect.control.fail({ kind: 'status', status: 403, match: { method: 'PATCH' } });
  await harness.reconcile();
  harness.clearRecords();
  await workFor(harness, 3_600_000);
  expect(harness.konnectWrites.length).toBeGreaterThan(10);
  const reasonsWritten = harness.cluster.statuses.map(({ conditions }) => readyOf(conditions)?.reason);
  expect(new Set(reasonsWritten)).toEqual(new Set(['PermissionDenied']));
  expect(harness.readiness).toBe('False PermissionDenied Stalled');
  harness.konnect.control.clearFaults();
  await harness.reconcile();
  expect(harness.readiness).toBe('True InSync');
});

describe('several forwardings of one organization', () => {
  const others = ['platform/b', 'platform/c'];

  async function refused(): Promise<Harness> {
    const harness = await open({ portals: [{ id: shop, enabled: true }], interval: '24h' });
    for (const [index, id] of [forum, kiosk].entries())
      harness.add({ portals: [{ id, enabled: true }], interval: '24h' }, others[index] ?? '');
    await harness.work();
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { path: '/v3/portals/*' } });
    await harness.resync();
    expect([key, ...others].map((of) => harness.readinessOf(of))).toEqual(
      Array.from({ length: 3 }, () => 'False PermissionDenied Stalled'),
    );
    return harness;
  }

  test('share the early resyncs', async () => {
    const harness = await refused();
    expect(await harness.reconcile()).toMatchObject({ early: { minDelayMs: 30_000 } });
  });

  test('are all looked at as soon as one of them recovers', async () => {
    const harness = await refused();
    harness.konnect.control.clearFaults();
    await harness.reconcile();
    await harness.work();
    expect(others.map((of) => harness.readinessOf(of))).toEqual(['True InSync', 'True InSync']);
  });

  test('are not looked at because of an outage, or of one that is suspended', async () => {
    const harness = await refused();
    harness.konnect.control.clearFaults();
    harness.konnect.control.fail({ kind: 'drop-before' });
    await harness.reconcile();
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
    harness.cluster.edit((spec) => ({ ...spec, suspend: true }));
    harness.konnect.control.clearFaults();
    await harness.work();
    expect(others.map((of) => harness.readinessOf(of))).toEqual(
      Array.from({ length: 2 }, () => 'False PermissionDenied Stalled'),
    );
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { path: '/v3/portals/*' } });
    expect(await harness.reconcileKey(others[0] ?? '')).toMatchObject({ early: { minDelayMs: 20_000 } });
  });

  test('cost one request a minute for a token that is revoked', async () => {
    const harness = await refused();
    harness.konnect.control.clearFaults();
    harness.konnect.control.fail({ ...revoked, match: { token: tokens.blue } });
    for (const of of [key, ...others]) await harness.reconcileKey(of);
    harness.clock.ms += 60_000;
    harness.clearRecords();
    for (let count = 0; count < 5; count += 1) for (const of of [key, ...others]) await harness.reconcileKey(of);
    expect(harness.calls).toEqual(['GET global/v3/organizations/me']);
  });
});
