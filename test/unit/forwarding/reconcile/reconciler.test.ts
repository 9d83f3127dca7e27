import { describe, expect, test } from '@jest/globals';
import type { Behavior } from '../../../../sandbox/konnect/behavior.ts';
import { eventually } from '../../../support/eventually.ts';
import { type SpecChoice, usual } from '../../../support/forwarding-spec.ts';
import { forum, nowhere, otherSiem, shop, siem, tokens } from '../../../support/konnect-fixtures.ts';
import { nextResync, useHarness } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { open, inPlace } = useHarness();

describe('creating', () => {
  const shapes = ['disabled-empty', 'disabled-absent', 'disabled-nil', 'not-found'] as const;

  test.each(shapes)('sends only the necessary requests if an unconfigured webhook shows as %s', async (shape) => {
    const harness = await open({ portals: usual.portals ?? [] }, { unconfiguredWebhook: shape });
    expect(await harness.reconcile()).toEqual({ kind: 'requeue', afterMs: 600_000 });
    const portals = shape === 'not-found' ? [`GET us/v3/portals/${shop}`, `GET us/v3/portals/${forum}`] : [];
    expect(harness.calls.toSorted()).toEqual(
      [
        'GET global/v3/organizations/me',
        'GET global/v3/audit-log-destinations',
        `GET us/v3/portals/${shop}/audit-log-webhook`,
        `GET us/v3/portals/${forum}/audit-log-webhook`,
        ...portals,
        'POST global/v3/audit-log-destinations',
        `PATCH us/v3/portals/${shop}/audit-log-webhook`,
        `PATCH us/v3/portals/${forum}/audit-log-webhook`,
      ].toSorted(),
    );
    expect(harness.readiness).toBe('True InSync');
    expect(harness.status.portalsReady).toBe('2/2');
    expect(harness.reasons).toEqual(['DestinationCreated', 'WebhookAttached', 'InSync']);
  });

  test('says which webhooks it has attached, in one event for those that are on and one for those that are off', async () => {
    const portals = [shop, forum].map((id) => ({ id, enabled: id === shop }));
    const harness = await open({ portals, organization: { enabled: true } });
    await harness.reconcile();
    const id = harness.status.destination?.id ?? '';
    const attached = harness.cluster.announcements.filter(({ reason }) => reason === 'WebhookAttached');
    expect(attached.map(({ note }) => note)).toEqual([
      `portal ${shop} and the organization's webhook forward to destination ${id}`,
      `portal ${forum} is switched off and attached to destination ${id}`,
    ]);
  });

  test('sends what spec and Secret say, and adds the finalizer', async () => {
    const harness = await inPlace();
    expect(harness.destinations).toMatchObject([{ name, ...siem, logFormat: 'cef', skipSSLVerification: false }]);
    expect(
      [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one)),
    ).toEqual(Array.from({ length: 3 }, () => `${name} on`));
    expect(harness.cluster.object?.metadata.finalizers).toEqual(['konnect-audit-log.io/cleanup']);
    expect(harness.status).toMatchObject({ organization: { state: 'on' }, observedGeneration: 1 });
  });

  test.each(shapes)('takes the organization webhook that shows as %s, in v3 and inline in v2', async (shape) => {
    const v3 = await inPlace({ organization: { enabled: true } }, { unconfiguredWebhook: shape });
    expect(v3.pointsAt(v3.webhook())).toBe(`${name} on`);
    const v2 = await inPlace({ api: 'v2', organization: { enabled: true } }, { unconfiguredWebhook: shape });
    expect(v2.pointsAt(v2.webhook())).toBe(`${siem.endpoint} on`);
    expect(v2.destinations).toEqual([]);
  });

  test('reads the organization and the list once for many reconciliations within the interval', async () => {
    const harness = await inPlace();
    for (let count = 0; count < 5; count += 1) await harness.reconcile();
    expect(harness.calls.filter((call) => call.includes('global'))).toEqual([]);
  });

  test('a webhook with enabled false is attached, off, and ready', async () => {
    const harness = await inPlace({ organization: { enabled: false }, portals: [{ id: shop, enabled: false }] });
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${name} off`);
    expect(harness.pointsAt(harness.webhook())).toBe(`${name} off`);
    expect(harness.status).toMatchObject({
      portalsReady: '1/1',
      portals: [{ state: 'off' }],
      organization: { state: 'off' },
    });
  });

  test('makes no destination as long as there is nothing to attach it to', async () => {
    const harness = await open({ portals: [{ id: nowhere, enabled: true }] });
    await harness.reconcile();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.readiness).toBe('False PortalNotFound Stalled');
  });

  test('waits for a Secret or a key, and says which', async () => {
    const harness = await open();
    harness.cluster.secrets.delete('siem');
    expect(await harness.reconcile()).toMatchObject({ kind: 'requeue' });
    expect(harness.readiness).toBe('False SecretNotFound Reconciling');
    harness.cluster.putSecret('siem', { endpoint: siem.endpoint });
    await harness.reconcile();
    expect(harness.readiness).toBe('False SecretKeyNotFound Reconciling');
    harness.cluster.putSecret('siem', { ...siem, endpoint: 'http://CANARY' });
    await harness.reconcile();
    expect(harness.readiness).toBe('False SecretInvalid Stalled');
    expect(harness.calls).toEqual([]);
    harness.cluster.putSecret('siem', siem);
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
  });
});

describe('a reconciliation that is aborted', () => {
  test.each(['GET', 'POST', 'PATCH'])('rejects with the reason of its signal, in the midst of a %s', async (method) => {
    const harness = await open();
    const stop = new AbortController();
    const reason = new Error('the operator stops');
    harness.konnect.control.fail({ kind: 'latency', ms: 10_000, match: { method } });
    const met = eventually(() => expect(harness.calls.some((call) => call.startsWith(method))).toBe(true));
    const stopping = met.then(() => stop.abort(reason));
    await expect(harness.reconcile(stop.signal)).rejects.toBe(reason);
    await stopping;
  });
});

describe('a reconciliation without drift', () => {
  const behaviors: Partial<Behavior>[] = [
    {},
    { patchAnswersUpdatedAt: false },
    { firstUpdatedAt: 'zero' },
    { firstUpdatedAt: 'malformed' },
    { fillPatchDefaults: false, patchStatus: 201 },
  ];
  const choices: SpecChoice[] = [usual, { api: 'v2', organization: { enabled: true } }, { ...usual, api: 'v2' }];

  test.each(behaviors.flatMap((behavior) => choices.map((choice) => [behavior, choice] as const)))(
    'writes nothing to Konnect and nothing to Kubernetes (%j, %j)',
    async (behavior, choice) => {
      const harness = await inPlace(choice, behavior);
      harness.clock.ms += 600_000;
      expect(await harness.reconcile()).toEqual({ kind: 'requeue', afterMs: 600_000 });
      harness.restart();
      await harness.reconcile();
      expect(harness.konnectWrites).toEqual([]);
      expect(harness.cluster.writes).toBe(0);
      expect(harness.reasons).toEqual([]);
    },
  );
});

describe('a changed Secret', () => {
  test('changes the destination once, with every field', async () => {
    const harness = await inPlace();
    harness.cluster.putSecret('siem', otherSiem);
    await harness.reconcile();
    expect(harness.konnectWrites).toEqual(['PATCH global/v3/audit-log-destinations/ID']);
    expect(harness.destinations).toMatchObject([otherSiem]);
    harness.clearRecords();
    await harness.reconcile();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.writes).toBe(0);
  });

  test('that changes the authorization alone is applied as well, inline too', async () => {
    for (const choice of [usual, { api: 'v2', organization: { enabled: true } }] as const) {
      const harness = await inPlace(choice);
      harness.cluster.putSecret('siem', { ...siem, authorization: 'Bearer CANARYnew' });
      await harness.reconcile();
      expect(harness.konnectWrites).toHaveLength(1);
      harness.clearRecords();
      await harness.reconcile();
      expect(harness.konnectWrites).toEqual([]);
      expect(harness.cluster.writes).toBe(0);
    }
  });

  test.each<[string, SpecChoice, string, Record<string, string>]>([
    ['a placeholder', usual, 'siem', { ...siem, endpoint: '<path:secret/data/CANARY#endpoint>' }],
    ['quotes', { api: 'v2', organization: { enabled: true } }, 'siem', { ...siem, authorization: '"Bearer CANARY"' }],
    ['a second scheme word', usual, 'siem', { ...siem, authorization: 'Bearer Bearer CANARY' }],
    ['a placeholder in place of the token', usual, 'konnect', { token: '${CANARY}' }],
  ])('with %s overwrites nothing, and the next valid one is applied', async (_what, choice, secret, values) => {
    const harness = await inPlace(choice);
    const before = structuredClone(harness.organization);
    harness.cluster.putSecret(secret, values);
    await harness.reconcile();
    expect(harness.readiness).toBe('False SecretInvalid Stalled');
    expect(harness.condition('Ready')?.message).toMatch(/what is set up there keeps sending$/);
    await nextResync(harness);
    expect(harness.calls).toEqual([]);
    expect(harness.organization).toEqual(before);
    harness.cluster.putSecret('konnect', { token: tokens.blue });
    harness.cluster.putSecret('siem', otherSiem);
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites).toHaveLength(1);
  });

  test('changes an inline webhook once', async () => {
    const harness = await inPlace({ api: 'v2', organization: { enabled: true } });
    harness.cluster.putSecret('siem', otherSiem);
    await harness.reconcile();
    expect(harness.konnectWrites).toEqual(['PATCH us/v2/audit-log-webhook']);
    expect(harness.webhook().target).toMatchObject({ kind: 'inline', inline: otherSiem });
  });

  test('is applied again if the answer to the first request was lost', async () => {
    for (const choice of [usual, { api: 'v2', organization: { enabled: true } }] as const) {
      const harness = await inPlace(choice);
      harness.cluster.putSecret('siem', otherSiem);
      harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 1 });
      expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
      await harness.settle();
      expect(harness.readiness).toBe('True InSync');
      expect(JSON.stringify([harness.destinations, harness.webhook()])).not.toContain(siem.endpoint);
    }
  });
});
