import { describe, expect, test } from '@jest/globals';
import type { FaultKind } from '../../../../sandbox/konnect/faults.ts';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { usual } from '../../../support/forwarding-spec.ts';
import { forum, otherSiem, shop } from '../../../support/konnect-fixtures.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const minuteMs = 60_000;

const outages: FaultKind[] = [
  { kind: 'drop-before' },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 502, body: 'html' },
  { kind: 'status', status: 429, retryAfter: 77 },
  { kind: 'wrong-types' },
  { kind: 'redirect' },
];

test.each(outages)(
  'while Konnect is in trouble (%j) Ready stays for three intervals, then is Unknown',
  async (fault) => {
    const harness = await inPlace();
    const before = harness.condition('Ready');
    harness.konnect.control.fail(fault);
    harness.clock.ms += 10 * minuteMs;
    for (const minutes of [0, 10, 10, 9]) {
      harness.clock.ms += minutes * minuteMs;
      expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
      expect(harness.condition('Ready')).toEqual(before);
      expect(harness.readiness).toBe('True InSync Reconciling');
    }
    const { writes } = harness.cluster;
    await harness.reconcile();
    expect(harness.cluster.writes).toBe(writes);
    harness.clock.ms += minuteMs;
    await harness.reconcile();
    expect(harness.condition('Ready')).toMatchObject({ status: 'Unknown' });
    expect(harness.condition('Reconciling')).toMatchObject({ status: 'True' });
    harness.konnect.control.clearFaults();
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites).toEqual([]);
  },
);

test.each<[string, (round: number) => FaultKind, RegExp]>([
  [
    'servers that answer 503, 500 and 502 by turns',
    (round) => ({ kind: 'status', status: [503, 500, 502][round % 3] ?? 500 }),
    /^[^:]+: Konnect failed \(HTTP 503\); the operator retries\. If this lasts, see Konnect's status page$/,
  ],
  [
    'limits that end later each time',
    (round) => ({ kind: 'status', status: 429, retryAfter: 77 + round }),
    /^Konnect limits the requests of this organization \(HTTP 429\); the operator waits until 2026-01-02T03:16:00Z, and longer/,
  ],
])('%s are one message, one event and one write', async (_title, faultOf, expected) => {
  const harness = await inPlace();
  harness.clock.ms += 10 * minuteMs;
  for (let round = 0; round < 6; round += 1) {
    harness.konnect.control.clearFaults();
    harness.konnect.control.fail(faultOf(round));
    await harness.reconcile();
    harness.clock.ms += minuteMs;
  }
  expect(harness.condition('Reconciling')?.message).toMatch(expected);
  expect(harness.cluster.announcements.map(({ note }) => note)).toEqual([expect.stringMatching(expected)]);
  expect(harness.cluster.writes).toBe(1);
});

test('a failure of every call is one sentence, whatever it was for', async () => {
  const harness = await open();
  harness.konnect.control.fail({ kind: 'status', status: 503, match: { path: '*audit-log*' } });
  await harness.reconcile();
  expect(harness.condition('Ready')?.message).toBe(
    "more than three objects: Konnect failed (HTTP 503); the operator retries. If this lasts, see Konnect's status page",
  );
});

test('with an interval of an hour Ready stays for half an hour', async () => {
  const harness = await inPlace();
  harness.cluster.edit((spec) => ({ ...spec, interval: '1h' }));
  await harness.settle();
  harness.konnect.control.fail({ kind: 'drop-before' });
  harness.clock.ms += 60 * minuteMs;
  await harness.reconcile();
  harness.clock.ms += 29 * minuteMs;
  await harness.reconcile();
  expect(harness.condition('Ready')?.status).toBe('True');
  harness.clock.ms += minuteMs;
  await harness.reconcile();
  expect(harness.condition('Ready')?.status).toBe('Unknown');
});

describe('if something newer has to be applied, Ready is False at once', () => {
  test('a new spec', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 503 });
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: false }] }));
    await harness.reconcile();
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
    await harness.reconcile();
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
  });

  test('a new Secret', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 503 });
    harness.cluster.putSecret('siem', otherSiem);
    harness.clock.ms += 10 * minuteMs;
    await harness.reconcile();
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
  });

  test('nothing was ever applied', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'status', status: 500 });
    await harness.reconcile();
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
  });
});

describe('a delay that Konnect asks for', () => {
  test('reaches the queue', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'status', status: 429, retryAfter: 77, times: 1 });
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry', minDelayMs: 77_000 });
    expect(harness.readiness).toBe('False RateLimited Reconciling');
  });

  test('the longest one counts if several calls were refused', async () => {
    const harness = await open();
    for (const [id, retryAfter] of [
      [shop, 30],
      [forum, 90],
    ] as const) {
      const path = `/v3/portals/${id}/audit-log-webhook`;
      harness.konnect.control.fail({ kind: 'status', status: 429, retryAfter, match: { path } });
    }
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry', minDelayMs: 90_000 });
  });

  test('without a Retry-After it is the 15 s that other clients of Konnect wait', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'status', status: 429, times: 1 });
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry', minDelayMs: 15_000 });
  });

  test('of a deletion as well', async () => {
    const harness = await inPlace(usual);
    harness.konnect.control.fail({ kind: 'status', status: 429, retryAfter: 60, match: { method: 'DELETE' } });
    harness.delete();
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry', minDelayMs: 60_000 });
    expect(harness.readiness).toBe('False RateLimited Reconciling');
  });
});

test.each(['POST', 'PATCH', 'GET'])('a call that is refused repeatedly (%s) records one event', async (method) => {
  const harness = await open();
  const path = method === 'POST' ? '*' : '*webhook';
  harness.konnect.control.fail({ kind: 'status', status: 403, match: { method, path } });
  await harness.reconcile();
  expect(harness.readiness).toBe('False PermissionDenied Stalled');
  const ready = harness.condition('Ready');
  expect(ready?.message).not.toContain('kong:trace');
  harness.clearRecords();
  for (let count = 0; count < 3; count += 1) expect(await harness.reconcile()).toMatchObject({ kind: 'requeue' });
  expect(harness.condition('Ready')).toEqual(ready);
  expect(harness.reasons).toEqual([]);
  expect(harness.cluster.writes).toBe(0);
});

test('webhooks that wait for a destination are not reported as attached', async () => {
  const harness = await open();
  harness.konnect.control.fail({ kind: 'status', status: 503, match: { operation: 'create-audit-log-destination' } });
  await harness.reconcile();
  expect(harness.condition('DestinationReady')).toMatchObject({ status: 'False', reason: 'KonnectUnavailable' });
  expect(harness.condition('WebhooksReady')).toMatchObject({ status: 'Unknown', reason: 'NotChecked' });
});

test('the back-off of a retry depends on the generation, the request, and whether Konnect is unavailable', async () => {
  const harness = await inPlace();
  harness.konnect.control.fail({ kind: 'status', status: 503 });
  const about = async () => {
    const next = await harness.reconcile();
    return next.kind === 'retry' ? JSON.stringify(next.backOffKey) : next.kind;
  };
  const first = await about();
  expect(await about()).toBe(first);
  harness.cluster.annotate(reconcileAnnotation, 'now');
  const demanded = await about();
  harness.delete();
  const deleted = await about();
  harness.konnect.control.clearFaults();
  harness.konnect.control.fail({ kind: 'status', status: 409, match: { operation: 'delete-audit-log-destination' } });
  const inUse = await about();
  expect(new Set([first, demanded, deleted, inUse]).size).toBe(4);
  expect(inUse).toContain('waiting');
});
