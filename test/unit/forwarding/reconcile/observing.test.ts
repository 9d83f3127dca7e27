import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { key, type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, laden, otherSiem, shop, siem } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const portals = [{ id: shop, enabled: true }];
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };

function pointed(harness: Harness): string[] {
  return [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one));
}

describe('Observe', () => {
  test('reports what is missing, and writes nothing, not even a finalizer', async () => {
    const harness = await open({ ...usual, mode: 'Observe' });
    await harness.work();
    expect(harness.readiness).toBe('False Drifted');
    expect(harness.status.drift).toEqual([
      { object: 'destination', fields: ['missing'] },
      { object: `portal/${shop}`, fields: ['audit_log_destination_id'] },
      { object: `portal/${forum}`, fields: ['audit_log_destination_id'] },
      { object: 'organization', fields: ['audit_log_destination_id'] },
    ]);
    expect(harness.status.portalsReady).toBe('0/2');
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.object?.metadata.finalizers).toEqual([]);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes, harness.reasons]).toEqual([[], 0, []]);
    harness.delete();
    await harness.work();
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
  });

  test.each([usual, inline, { ...usual, api: 'v2' as const }])(
    'finds nothing to report where all is in place: %j',
    async (choice) => {
      const harness = await inPlace(choice);
      harness.cluster.edit(() => specOf({ ...choice, mode: 'Observe' }));
      await harness.work();
      expect(harness.readiness).toBe('True InSync');
      expect(harness.status.drift).toBeUndefined();
      harness.clearRecords();
      await harness.resync();
      expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    },
  );

  test('reports the fields that others changed, without their values, until they are right', async () => {
    const harness = await inPlace();
    harness.cluster.edit(() => specOf({ ...usual, mode: 'Observe' }));
    await harness.work();
    const [{ id } = never()] = harness.destinations;
    changeDestination(harness.konnect.model, harness.organization, id, {
      ...otherSiem,
      logFormat: 'json',
      name: 'CANARY',
    });
    harness.portal(shop).enabled = false;
    const theirs = harness.createForeign('theirs');
    pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), {
      kind: 'destination',
      id: theirs.id,
    });
    harness.clearRecords();
    await harness.resync();
    expect(harness.readiness).toBe('False Drifted');
    expect(harness.status.drift).toEqual([
      { object: 'destination', fields: ['name', 'endpoint', 'logFormat'] },
      { object: `portal/${shop}`, fields: ['enabled'] },
      { object: 'organization', fields: ['audit_log_destination_id'] },
    ]);
    expect(harness.condition('Ready')?.message).toContain('destination (name, endpoint, logFormat)');
    expect(harness.reasons).toEqual(['Drifted']);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.status.portals).toHaveLength(2);
    harness.cluster.edit(() => specOf(usual));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.drift).toBeUndefined();
    expect(harness.destinations).toMatchObject([{ name: 'theirs' }, { name: key, ...siem }]);
  });

  test.each([
    [
      'a changed Secret',
      (harness: Harness) => harness.cluster.putSecret('siem', otherSiem),
      { object: 'destination', fields: ['secret', 'endpoint'] },
    ],
    [
      'a portal less',
      (harness: Harness) => harness.cluster.edit(() => specOf({ ...usual, portals, mode: 'Observe' })),
      { object: `portal/${forum}`, fields: ['surplus'] },
    ],
    [
      'a webhook that is gone',
      (harness: Harness) => clearWebhook(harness.konnect.model, harness.organization, harness.portal(forum)),
      { object: `portal/${forum}`, fields: ['audit_log_destination_id'] },
    ],
  ] as const)('reports %s, and goes on to remember what stands', async (_title, change, drift) => {
    const harness = await inPlace();
    harness.cluster.edit(() => specOf({ ...usual, mode: 'Observe' }));
    await harness.work();
    harness.clearRecords();
    change(harness);
    await harness.resync();
    expect(harness.status.drift).toEqual([drift]);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.status.portals).toMatchObject([{ id: shop }, { id: forum }]);
    expect(harness.status.cleanup).toBeUndefined();
  });

  test('of another region reports what would be attached there, and what is surplus here', async () => {
    const harness = await inPlace();
    harness.cluster.edit(() => specOf({ region: 'eu', portals: [{ id: laden, enabled: true }], mode: 'Observe' }));
    await harness.work();
    expect(harness.status.drift?.map(({ object, fields }) => `${object} ${fields.join()}`)).toEqual([
      `portal/${laden} audit_log_destination_id`,
      `portal/${shop} surplus`,
      `portal/${forum} surplus`,
      'organization surplus',
    ]);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.cluster.edit(() => specOf({ region: 'eu', portals: [{ id: laden, enabled: true }] }));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness)).toEqual(['nothing off', 'nothing off', 'nothing off']);
  });

  test.each([
    ['NameInUse', (harness: Harness) => harness.createForeign(key)],
    ['PortalNotFound', (harness: Harness) => harness.organization.portals.delete(shop)],
    [
      'WebhookInUse',
      (harness: Harness) => {
        const { id } = harness.createForeign('theirs');
        pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
      },
    ],
  ] as const)('says what would stand in its way: %s', async (reason, prepare) => {
    const harness = await open({ portals, mode: 'Observe' });
    prepare(harness);
    await harness.work();
    expect(harness.readiness).toBe(`False ${reason} Stalled`);
    expect(harness.konnectWrites).toEqual([]);
  });

  test.each([usual, inline])('deleted, it leaves everything as it is, and says so: %j', async (choice) => {
    const harness = await inPlace(choice);
    const before = pointed(harness);
    harness.cluster.edit(() => specOf({ ...choice, mode: 'Observe' }));
    await harness.work();
    harness.delete();
    await harness.work();
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
    expect(pointed(harness)).toEqual(before);
    expect(harness.cluster.announcements.at(-1)).toMatchObject({ reason: 'Retained' });
    expect(harness.cluster.announcements.at(-1)?.note).toContain("the organization's webhook");
  });
});

function never(): never {
  throw new TypeError('unreachable');
}

describe('suspend', () => {
  test('sends nothing to Konnect, reports the generation, and continues later', async () => {
    const harness = await inPlace();
    harness.cluster.edit((spec) => ({ ...spec, suspend: true }));
    await harness.work();
    expect(harness.readiness).toBe('Unknown Suspended');
    expect(harness.status.observedGeneration).toBe(2);
    expect(harness.condition('Ready')?.observedGeneration).toBe(2);
    const [{ id } = never()] = harness.destinations;
    changeDestination(harness.konnect.model, harness.organization, id, { endpoint: 'https://elsewhere.example.com/' });
    harness.portal(shop).enabled = false;
    harness.cluster.putSecret('siem', otherSiem);
    harness.cluster.edit((spec) => ({ ...spec, portals }));
    harness.clearRecords();
    await harness.resync();
    expect(harness.calls).toEqual([]);
    expect(harness.status.observedGeneration).toBe(3);
    expect(harness.status.portals).toHaveLength(2);
    harness.cluster.edit((spec) => ({ ...spec, suspend: false }));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.destinations).toMatchObject([{ id, ...otherSiem }]);
    expect(pointed(harness)).toEqual([`${key} on`, 'nothing off', `${key} on`]);
    const corrected = harness.status.corrections?.map(({ object, at }) => [object, at.length]);
    expect(corrected).toEqual([
      ['destination', 1],
      [`portal/${shop}`, 1],
    ]);
  });

  test('from the start: nothing is looked for', async () => {
    const harness = await open({ ...usual, suspend: true });
    harness.cluster.secrets.clear();
    await harness.work();
    await harness.resync();
    expect(harness.readiness).toBe('Unknown Suspended');
    expect(harness.status.observedGeneration).toBe(1);
    expect(harness.calls).toEqual([]);
    expect(harness.cluster.object?.metadata.finalizers).toEqual([]);
  });

  test('deletion follows the policy all the same', async () => {
    for (const deletionPolicy of ['Delete', 'Retain'] as const) {
      const harness = await inPlace({ ...usual, deletionPolicy });
      harness.cluster.edit((spec) => ({ ...spec, suspend: true }));
      await harness.work();
      harness.delete();
      await harness.work();
      expect(harness.cluster.object).toBeUndefined();
      expect(harness.destinations).toHaveLength(deletionPolicy === 'Delete' ? 0 : 1);
      expect(harness.pointsAt(harness.portal(shop))).toBe(deletionPolicy === 'Delete' ? 'nothing off' : `${key} on`);
    }
  });
});

describe('the annotation that requests a reconciliation', () => {
  test('is answered with its value, and Konnect is read again', async () => {
    const harness = await inPlace();
    const [{ id } = never()] = harness.destinations;
    changeDestination(harness.konnect.model, harness.organization, id, { endpoint: 'https://elsewhere.example.com/' });
    harness.cluster.annotate(reconcileAnnotation, 'now');
    await harness.work();
    expect(harness.status.lastHandledReconcileAt).toBe('now');
    expect(harness.destinations).toMatchObject([siem]);
    expect(harness.readiness).toBe('True InSync');
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.cluster.annotate(reconcileAnnotation, 'again');
    await harness.work();
    expect(harness.status.lastHandledReconcileAt).toBe('again');
    expect(harness.cluster.writes).toBe(1);
  });

  test('is answered while suspended, while observing, and if a Secret is missing', async () => {
    const harness = await open({ ...usual, suspend: true });
    harness.cluster.annotate(reconcileAnnotation, 'one');
    await harness.work();
    expect(harness.status.lastHandledReconcileAt).toBe('one');
    harness.cluster.edit(() => specOf({ ...usual, mode: 'Observe' }));
    harness.cluster.annotate(reconcileAnnotation, 'two');
    await harness.work();
    expect(harness.status.lastHandledReconcileAt).toBe('two');
    harness.cluster.secrets.clear();
    harness.cluster.annotate(reconcileAnnotation, 'three');
    await harness.work();
    expect(harness.status.lastHandledReconcileAt).toBe('three');
  });

  test.each([
    { kind: 'status', status: 429, retryAfter: 77 },
    { kind: 'status', status: 503 },
    { kind: 'drop-before' },
    { kind: 'status', status: 503, match: { path: `/v3/portals/${shop}/*` } },
  ] as const)('is not answered while Konnect does not answer (%j), although Ready stays True', async (fault) => {
    const harness = await inPlace();
    harness.konnect.control.fail(fault);
    harness.cluster.annotate(reconcileAnnotation, 'now');
    await harness.reconcile();
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync Reconciling');
    expect(harness.status.lastHandledReconcileAt).toBeUndefined();
    harness.konnect.control.clearFaults();
    await harness.settle();
    expect(harness.status.lastHandledReconcileAt).toBe('now');
    expect(harness.readiness).toBe('True InSync');
  });

  test('resets the corrections once, also if Konnect answers only in part for long', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { path: `/v3/portals/${forum}/*` } });
    harness.cluster.annotate(reconcileAnnotation, 'now');
    for (let count = 0; count < 5; count += 1) {
      harness.portal(shop).enabled = false;
      harness.clock.ms += 60_000;
      await harness.reconcile();
    }
    expect(harness.reasons.filter((reason) => reason === 'WebhookCorrected')).toHaveLength(3);
    expect(harness.condition('Stalled')?.reason).toBe('Contested');
    expect(harness.status.lastHandledReconcileAt).toBeUndefined();
  });

  test('is answered if Konnect refuses the token', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 401 });
    harness.cluster.annotate(reconcileAnnotation, 'now');
    await harness.work();
    expect(harness.status.lastHandledReconcileAt).toBe('now');
    expect(harness.readiness).toBe('False TokenRejected Stalled');
  });

  test('is answered once even if it is too long for status', async () => {
    const harness = await inPlace();
    harness.cluster.annotate(reconcileAnnotation, 'x'.repeat(500));
    await harness.work();
    expect(harness.status.lastHandledReconcileAt).toBe('x'.repeat(64));
    harness.clearRecords();
    await harness.resync();
    await harness.reconcile();
    expect(harness.cluster.writes).toBe(0);
    expect(harness.calls.filter((call) => call === 'GET global/v3/audit-log-destinations')).toHaveLength(1);
  });
});

describe('the scheme before the authorization', () => {
  test.each([
    [{}, { authorizationScheme: 'Splunk' }, 'Splunk CANARY'],
    [{ authorizationScheme: 'Splunk' }, { authorizationScheme: 'Bearer' }, 'Bearer CANARY'],
    [{ authorizationScheme: 'Splunk' }, {}, 'CANARY'],
  ] as const)('%j to %j: one PATCH', async (before, after, authorization) => {
    for (const choice of [usual, inline]) {
      const harness = await open({ ...choice, ...before });
      harness.cluster.putSecret('siem', { ...siem, authorization: 'CANARY' });
      await harness.work();
      harness.clearRecords();
      harness.cluster.edit(() => specOf({ ...choice, ...after }));
      await harness.work();
      expect(harness.konnectWrites).toEqual([
        choice === usual ? 'PATCH global/v3/audit-log-destinations/ID' : 'PATCH us/v2/audit-log-webhook',
      ]);
      const target = harness.webhook().target;
      const sent = target.kind === 'inline' ? target.inline : harness.destinations[0];
      expect(sent).toMatchObject({ endpoint: siem.endpoint, authorization });
      harness.clearRecords();
      await harness.resync();
      expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    }
  });
});
