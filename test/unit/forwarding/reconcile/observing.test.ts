import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import {
  forum,
  key,
  laden,
  otherSiem,
  type SpecChoice,
  type Stage,
  shop,
  siem,
  specOf,
  usual,
} from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { open, inPlace } = useStages();
const portals = [{ id: shop, enabled: true }];
const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };

function pointed(stage: Stage): string[] {
  return [stage.portal(shop), stage.portal(forum), stage.webhook()].map((one) => stage.pointsAt(one));
}

describe('Observe', () => {
  test('reports what is missing, and writes nothing, not even a finalizer', async () => {
    const stage = await open({ ...usual, mode: 'Observe' });
    await stage.work();
    expect(stage.verdict).toBe('False Drifted');
    expect(stage.status.drift).toEqual([
      { object: 'destination', fields: ['missing'] },
      { object: `portal/${shop}`, fields: ['audit_log_destination_id'] },
      { object: `portal/${forum}`, fields: ['audit_log_destination_id'] },
      { object: 'organization', fields: ['audit_log_destination_id'] },
    ]);
    expect(stage.status.portalsReady).toBe('0/2');
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.cluster.object?.metadata.finalizers).toEqual([]);
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes, stage.reasons]).toEqual([[], 0, []]);
    stage.delete();
    await stage.work();
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.konnectWrites).toEqual([]);
  });

  test.each([usual, inline, { ...usual, api: 'v2' as const }])(
    'finds nothing to report where all is in place: %j',
    async (choice) => {
      const stage = await inPlace(choice);
      stage.cluster.edit(() => specOf({ ...choice, mode: 'Observe' }));
      await stage.work();
      expect(stage.verdict).toBe('True InSync');
      expect(stage.status.drift).toBeUndefined();
      stage.forget();
      await stage.interval();
      expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    },
  );

  test('reports the fields that others changed, without their values, until they are right', async () => {
    const stage = await inPlace();
    stage.cluster.edit(() => specOf({ ...usual, mode: 'Observe' }));
    await stage.work();
    const [{ id } = never()] = stage.destinations;
    changeDestination(stage.konnect.model, stage.organization, id, { ...otherSiem, logFormat: 'json', name: 'CANARY' });
    stage.portal(shop).enabled = false;
    const theirs = stage.createForeign('theirs');
    pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id: theirs.id });
    stage.forget();
    await stage.interval();
    expect(stage.verdict).toBe('False Drifted');
    expect(stage.status.drift).toEqual([
      { object: 'destination', fields: ['name', 'endpoint', 'logFormat'] },
      { object: `portal/${shop}`, fields: ['enabled'] },
      { object: 'organization', fields: ['audit_log_destination_id'] },
    ]);
    expect(stage.condition('Ready')?.message).toContain('destination (name, endpoint, logFormat)');
    expect(stage.reasons).toEqual(['Drifted']);
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.status.portals).toHaveLength(2);
    stage.cluster.edit(() => specOf(usual));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.status.drift).toBeUndefined();
    expect(stage.destinations).toMatchObject([{ name: 'theirs' }, { name: key, ...siem }]);
  });

  test.each([
    [
      'a changed Secret',
      (stage: Stage) => stage.cluster.putSecret('siem', otherSiem),
      { object: 'destination', fields: ['secret', 'endpoint'] },
    ],
    [
      'a portal less',
      (stage: Stage) => stage.cluster.edit(() => specOf({ ...usual, portals, mode: 'Observe' })),
      { object: `portal/${forum}`, fields: ['surplus'] },
    ],
    [
      'a webhook that is gone',
      (stage: Stage) => clearWebhook(stage.konnect.model, stage.organization, stage.portal(forum)),
      { object: `portal/${forum}`, fields: ['audit_log_destination_id'] },
    ],
  ] as const)('reports %s, and goes on to remember what stands', async (_title, change, drift) => {
    const stage = await inPlace();
    stage.cluster.edit(() => specOf({ ...usual, mode: 'Observe' }));
    await stage.work();
    stage.forget();
    change(stage);
    await stage.interval();
    expect(stage.status.drift).toEqual([drift]);
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.status.portals).toMatchObject([{ id: shop }, { id: forum }]);
    expect(stage.status.cleanup).toBeUndefined();
  });

  test('of another region reports what would be attached there, and what is surplus here', async () => {
    const stage = await inPlace();
    stage.cluster.edit(() => specOf({ region: 'eu', portals: [{ id: laden, enabled: true }], mode: 'Observe' }));
    await stage.work();
    expect(stage.status.drift?.map(({ object, fields }) => `${object} ${fields.join()}`)).toEqual([
      `portal/${laden} audit_log_destination_id`,
      `portal/${shop} surplus`,
      `portal/${forum} surplus`,
      'organization surplus',
    ]);
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    stage.cluster.edit(() => specOf({ region: 'eu', portals: [{ id: laden, enabled: true }] }));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage)).toEqual(['nothing off', 'nothing off', 'nothing off']);
  });

  test.each([
    ['NameInUse', (stage: Stage) => stage.createForeign(key)],
    ['PortalNotFound', (stage: Stage) => stage.organization.portals.delete(shop)],
    [
      'WebhookInUse',
      (stage: Stage) => {
        const { id } = stage.createForeign('theirs');
        pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
      },
    ],
  ] as const)('says what would stand in its way: %s', async (reason, prepare) => {
    const stage = await open({ portals, mode: 'Observe' });
    prepare(stage);
    await stage.work();
    expect(stage.verdict).toBe(`False ${reason} Stalled`);
    expect(stage.konnectWrites).toEqual([]);
  });

  test.each([usual, inline])('deleted, it leaves everything as it is, and says so: %j', async (choice) => {
    const stage = await inPlace(choice);
    const before = pointed(stage);
    stage.cluster.edit(() => specOf({ ...choice, mode: 'Observe' }));
    await stage.work();
    stage.delete();
    await stage.work();
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.konnectWrites).toEqual([]);
    expect(pointed(stage)).toEqual(before);
    expect(stage.cluster.announcements.at(-1)).toMatchObject({ reason: 'Retained' });
    expect(stage.cluster.announcements.at(-1)?.note).toContain("the organization's webhook");
  });
});

function never(): never {
  throw new TypeError('unreachable');
}

describe('suspend', () => {
  test('neither asks nor writes, answers the generation, and goes on where it was', async () => {
    const stage = await inPlace();
    stage.cluster.edit((spec) => ({ ...spec, suspend: true }));
    await stage.work();
    expect(stage.verdict).toBe('Unknown Suspended');
    expect(stage.status.observedGeneration).toBe(2);
    expect(stage.condition('Ready')?.observedGeneration).toBe(2);
    const [{ id } = never()] = stage.destinations;
    changeDestination(stage.konnect.model, stage.organization, id, { endpoint: 'https://elsewhere.example.com/' });
    stage.portal(shop).enabled = false;
    stage.cluster.putSecret('siem', otherSiem);
    stage.cluster.edit((spec) => ({ ...spec, portals }));
    stage.forget();
    await stage.interval();
    expect(stage.calls).toEqual([]);
    expect(stage.status.observedGeneration).toBe(3);
    expect(stage.status.portals).toHaveLength(2);
    stage.cluster.edit((spec) => ({ ...spec, suspend: false }));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.destinations).toMatchObject([{ id, ...otherSiem }]);
    expect(pointed(stage)).toEqual([`${key} on`, 'nothing off', `${key} on`]);
    expect(stage.status.corrections).toBeUndefined();
  });

  test('from the start: nothing is looked for', async () => {
    const stage = await open({ ...usual, suspend: true });
    stage.cluster.secrets.clear();
    await stage.work();
    await stage.interval();
    expect(stage.verdict).toBe('Unknown Suspended');
    expect(stage.status.observedGeneration).toBe(1);
    expect(stage.calls).toEqual([]);
    expect(stage.cluster.object?.metadata.finalizers).toEqual([]);
  });

  test('deletion follows the policy all the same', async () => {
    for (const deletionPolicy of ['Delete', 'Retain'] as const) {
      const stage = await inPlace({ ...usual, deletionPolicy });
      stage.cluster.edit((spec) => ({ ...spec, suspend: true }));
      await stage.work();
      stage.delete();
      await stage.work();
      expect(stage.cluster.object).toBeUndefined();
      expect(stage.destinations).toHaveLength(deletionPolicy === 'Delete' ? 0 : 1);
      expect(stage.pointsAt(stage.portal(shop))).toBe(deletionPolicy === 'Delete' ? 'nothing off' : `${key} on`);
    }
  });
});

describe('the annotation that asks for a pass', () => {
  test('is answered with its value, and Konnect is asked anew', async () => {
    const stage = await inPlace();
    const [{ id } = never()] = stage.destinations;
    changeDestination(stage.konnect.model, stage.organization, id, { endpoint: 'https://elsewhere.example.com/' });
    stage.cluster.annotate(reconcileAnnotation, 'now');
    await stage.work();
    expect(stage.status.lastHandledReconcileAt).toBe('now');
    expect(stage.destinations).toMatchObject([siem]);
    expect(stage.verdict).toBe('True InSync');
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    stage.cluster.annotate(reconcileAnnotation, 'again');
    await stage.work();
    expect(stage.status.lastHandledReconcileAt).toBe('again');
    expect(stage.cluster.writes).toBe(1);
  });

  test('is answered while suspended and while observing, and where a Secret is missing', async () => {
    const stage = await open({ ...usual, suspend: true });
    stage.cluster.annotate(reconcileAnnotation, 'one');
    await stage.work();
    expect(stage.status.lastHandledReconcileAt).toBe('one');
    stage.cluster.edit(() => specOf({ ...usual, mode: 'Observe' }));
    stage.cluster.annotate(reconcileAnnotation, 'two');
    await stage.work();
    expect(stage.status.lastHandledReconcileAt).toBe('two');
    stage.cluster.secrets.clear();
    stage.cluster.annotate(reconcileAnnotation, 'three');
    await stage.work();
    expect(stage.status.lastHandledReconcileAt).toBe('three');
  });

  test('is not answered again and again where it is too long to be kept whole', async () => {
    const stage = await inPlace();
    stage.cluster.annotate(reconcileAnnotation, 'x'.repeat(500));
    await stage.work();
    expect(stage.status.lastHandledReconcileAt).toBe('x'.repeat(64));
    stage.forget();
    await stage.interval();
    await stage.pass();
    expect(stage.cluster.writes).toBe(0);
    expect(stage.calls.filter((call) => call === 'GET global/v3/audit-log-destinations')).toHaveLength(1);
  });
});

describe('the scheme before the authorization', () => {
  test.each([
    [{}, { authorizationScheme: 'Splunk' }, 'Splunk CANARY'],
    [{ authorizationScheme: 'Splunk' }, { authorizationScheme: 'Bearer' }, 'Bearer CANARY'],
    [{ authorizationScheme: 'Splunk' }, {}, 'CANARY'],
  ] as const)('%j to %j: one PATCH', async (before, after, authorization) => {
    for (const choice of [usual, inline]) {
      const stage = await open({ ...choice, ...before });
      stage.cluster.putSecret('siem', { ...siem, authorization: 'CANARY' });
      await stage.work();
      stage.forget();
      stage.cluster.edit(() => specOf({ ...choice, ...after }));
      await stage.work();
      expect(stage.konnectWrites).toEqual([
        choice === usual ? 'PATCH global/v3/audit-log-destinations/ID' : 'PATCH us/v2/audit-log-webhook',
      ]);
      const target = stage.webhook().target;
      const sent = target.kind === 'inline' ? target.inline : stage.destinations[0];
      expect(sent).toMatchObject({ endpoint: siem.endpoint, authorization });
      stage.forget();
      await stage.interval();
      expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    }
  });
});
