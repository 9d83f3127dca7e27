import { describe, expect, test } from '@jest/globals';
import type { FaultKind } from '../../../../sandbox/konnect/faults.ts';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { forum, otherSiem, shop, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { open, inPlace } = useStages();
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
    const stage = await inPlace();
    const before = stage.condition('Ready');
    stage.konnect.control.fail(fault);
    stage.clock.ms += 10 * minuteMs;
    for (const minutes of [0, 10, 10, 9]) {
      stage.clock.ms += minutes * minuteMs;
      expect(await stage.pass()).toMatchObject({ kind: 'retry' });
      expect(stage.condition('Ready')).toEqual(before);
      expect(stage.verdict).toBe('True InSync Reconciling');
    }
    const { writes } = stage.cluster;
    await stage.pass();
    expect(stage.cluster.writes).toBe(writes);
    stage.clock.ms += minuteMs;
    await stage.pass();
    expect(stage.condition('Ready')).toMatchObject({ status: 'Unknown' });
    expect(stage.condition('Reconciling')).toMatchObject({ status: 'True' });
    stage.konnect.control.clearFaults();
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.konnectWrites).toEqual([]);
  },
);

test('with an interval of an hour Ready stays for half an hour', async () => {
  const stage = await inPlace();
  stage.cluster.edit((spec) => ({ ...spec, interval: '1h' }));
  await stage.settle();
  stage.konnect.control.fail({ kind: 'drop-before' });
  stage.clock.ms += 60 * minuteMs;
  await stage.pass();
  stage.clock.ms += 29 * minuteMs;
  await stage.pass();
  expect(stage.condition('Ready')?.status).toBe('True');
  stage.clock.ms += minuteMs;
  await stage.pass();
  expect(stage.condition('Ready')?.status).toBe('Unknown');
});

describe('with anything newer to apply, Ready is False at once', () => {
  test('a new spec', async () => {
    const stage = await inPlace();
    stage.konnect.control.fail({ kind: 'status', status: 503 });
    stage.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: false }] }));
    await stage.pass();
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
    await stage.pass();
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
  });

  test('a new Secret', async () => {
    const stage = await inPlace();
    stage.konnect.control.fail({ kind: 'status', status: 503 });
    stage.cluster.putSecret('siem', otherSiem);
    stage.clock.ms += 10 * minuteMs;
    await stage.pass();
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
  });

  test('nothing was ever applied', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'status', status: 500 });
    await stage.pass();
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
  });
});

describe('patience that Konnect asks for', () => {
  test('reaches the queue', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'status', status: 429, retryAfter: 77, times: 1 });
    expect(await stage.pass()).toMatchObject({ kind: 'retry', minDelayMs: 77_000 });
    expect(stage.verdict).toBe('False RateLimited Reconciling');
  });

  test('the longest counts where several calls were refused', async () => {
    const stage = await open();
    for (const [id, retryAfter] of [
      [shop, 30],
      [forum, 90],
    ] as const) {
      const path = `/v3/portals/${id}/audit-log-webhook`;
      stage.konnect.control.fail({ kind: 'status', status: 429, retryAfter, match: { path } });
    }
    expect(await stage.pass()).toMatchObject({ kind: 'retry', minDelayMs: 90_000 });
  });

  test('without a Retry-After it is the 15 s that other clients of Konnect wait', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'status', status: 429, times: 1 });
    expect(await stage.pass()).toMatchObject({ kind: 'retry', minDelayMs: 15_000 });
  });

  test('of a deletion as well', async () => {
    const stage = await inPlace(usual);
    stage.konnect.control.fail({ kind: 'status', status: 429, retryAfter: 60, match: { method: 'DELETE' } });
    stage.delete();
    expect(await stage.pass()).toMatchObject({ kind: 'retry', minDelayMs: 60_000 });
    expect(stage.verdict).toBe('False RateLimited Reconciling');
  });
});

test.each(['POST', 'PATCH', 'GET'])('a call that is refused again and again (%s) says so once', async (method) => {
  const stage = await open();
  const path = method === 'POST' ? '*' : '*webhook';
  stage.konnect.control.fail({ kind: 'status', status: 403, match: { method, path } });
  await stage.pass();
  expect(stage.verdict).toBe('False PermissionDenied Stalled');
  const ready = stage.condition('Ready');
  expect(ready?.message).not.toContain('kong:trace');
  stage.forget();
  for (let count = 0; count < 3; count += 1) expect(await stage.pass()).toMatchObject({ kind: 'requeue' });
  expect(stage.condition('Ready')).toEqual(ready);
  expect(stage.reasons).toEqual([]);
  // The intent before a POST, and its end.
  expect(stage.cluster.writes).toBe(method === 'POST' ? 6 : 0);
});

test('webhooks that wait for a destination which Konnect did not make are not said to be attached', async () => {
  const stage = await open();
  stage.konnect.control.fail({ kind: 'status', status: 503, match: { operation: 'create-audit-log-destination' } });
  await stage.pass();
  expect(stage.condition('DestinationReady')).toMatchObject({ status: 'False', reason: 'KonnectUnavailable' });
  expect(stage.condition('WebhooksReady')).toMatchObject({ status: 'Unknown', reason: 'NotChecked' });
});

test('a retry is about the generation, what was demanded, and whether it is Konnect that is waited for', async () => {
  const stage = await inPlace();
  stage.konnect.control.fail({ kind: 'status', status: 503 });
  const about = async () => {
    const next = await stage.pass();
    return next.kind === 'retry' ? JSON.stringify(next.backOffKey) : next.kind;
  };
  const first = await about();
  expect(await about()).toBe(first);
  stage.cluster.annotate(reconcileAnnotation, 'now');
  const demanded = await about();
  stage.delete();
  const deleted = await about();
  stage.konnect.control.clearFaults();
  stage.konnect.control.fail({ kind: 'status', status: 409, match: { operation: 'delete-audit-log-destination' } });
  const inUse = await about();
  expect(new Set([first, demanded, deleted, inUse]).size).toBe(4);
  expect(inUse).toContain('waiting');
});
