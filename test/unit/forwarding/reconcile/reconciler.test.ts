import { describe, expect, test } from '@jest/globals';
import type { Behavior } from '../../../../sandbox/konnect/behavior.ts';
import { eventually } from '../../../support/eventually.ts';
import { forum, nowhere, otherSiem, type SpecChoice, shop, siem, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { open, inPlace } = useStages();

describe('creating', () => {
  const shapes = ['disabled-empty', 'disabled-absent', 'disabled-nil', 'not-found'] as const;

  test.each(shapes)('makes no call but the needed ones where an unconfigured webhook shows as %s', async (shape) => {
    const stage = await open({ portals: usual.portals ?? [] }, { unconfiguredWebhook: shape });
    expect(await stage.pass()).toEqual({ kind: 'requeue', afterMs: 600_000 });
    const portals = shape === 'not-found' ? [`GET us/v3/portals/${shop}`, `GET us/v3/portals/${forum}`] : [];
    expect(stage.calls.toSorted()).toEqual(
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
    expect(stage.verdict).toBe('True InSync');
    expect(stage.status.portalsReady).toBe('2/2');
    expect(stage.reasons).toEqual(['DestinationCreated', 'WebhookAttached', 'WebhookAttached', 'InSync']);
  });

  test('sends what spec and Secret say, and holds the finalizer', async () => {
    const stage = await inPlace();
    expect(stage.destinations).toMatchObject([{ name, ...siem, logFormat: 'cef', skipSSLVerification: false }]);
    expect([stage.portal(shop), stage.portal(forum), stage.webhook()].map((one) => stage.pointsAt(one))).toEqual(
      Array.from({ length: 3 }, () => `${name} on`),
    );
    expect(stage.cluster.object?.metadata.finalizers).toEqual(['konnect-audit-log.io/cleanup']);
    expect(stage.status).toMatchObject({ organization: { state: 'on' }, observedGeneration: 1 });
  });

  test.each(shapes)('takes the organization webhook that shows as %s, in v3 and inline in v2', async (shape) => {
    const v3 = await inPlace({ organization: { enabled: true } }, { unconfiguredWebhook: shape });
    expect(v3.pointsAt(v3.webhook())).toBe(`${name} on`);
    const v2 = await inPlace({ api: 'v2', organization: { enabled: true } }, { unconfiguredWebhook: shape });
    expect(v2.pointsAt(v2.webhook())).toBe(`${siem.endpoint} on`);
    expect(v2.destinations).toEqual([]);
  });

  test('asks whose token it is and for the list once, for many passes within the interval', async () => {
    const stage = await inPlace();
    for (let count = 0; count < 5; count += 1) await stage.pass();
    expect(stage.calls.filter((call) => call.includes('global'))).toEqual([]);
  });

  test('a webhook with enabled false is attached, off, and ready', async () => {
    const stage = await inPlace({ organization: { enabled: false }, portals: [{ id: shop, enabled: false }] });
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${name} off`);
    expect(stage.pointsAt(stage.webhook())).toBe(`${name} off`);
    expect(stage.status).toMatchObject({
      portalsReady: '1/1',
      portals: [{ state: 'off' }],
      organization: { state: 'off' },
    });
  });

  test('makes no destination as long as there is nothing to attach it to', async () => {
    const stage = await open({ portals: [{ id: nowhere, enabled: true }] });
    await stage.pass();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
  });

  test('waits for a Secret or a key, and says which', async () => {
    const stage = await open();
    stage.cluster.secrets.delete('siem');
    expect(await stage.pass()).toMatchObject({ kind: 'requeue' });
    expect(stage.verdict).toBe('False SecretNotFound Reconciling');
    stage.cluster.putSecret('siem', { endpoint: siem.endpoint });
    await stage.pass();
    expect(stage.verdict).toBe('False SecretKeyNotFound Reconciling');
    stage.cluster.putSecret('siem', { ...siem, endpoint: 'http://CANARY' });
    await stage.pass();
    expect(stage.verdict).toBe('False SecretInvalid Stalled');
    expect(stage.calls).toEqual([]);
    stage.cluster.putSecret('siem', siem);
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
  });
});

describe('a pass that is cut off', () => {
  test.each(['GET', 'POST', 'PATCH'])('rejects with the reason of its signal, in the midst of a %s', async (method) => {
    const stage = await open();
    const stop = new AbortController();
    const reason = new Error('the operator stops');
    stage.konnect.control.fail({ kind: 'latency', ms: 10_000, match: { method } });
    const met = eventually(() => expect(stage.calls.some((call) => call.startsWith(method))).toBe(true));
    const stopping = met.then(() => stop.abort(reason));
    await expect(stage.pass(stop.signal)).rejects.toBe(reason);
    await stopping;
  });
});

describe('a pass without drift', () => {
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
      const stage = await inPlace(choice, behavior);
      stage.clock.ms += 600_000;
      expect(await stage.pass()).toEqual({ kind: 'requeue', afterMs: 600_000 });
      stage.restart();
      await stage.pass();
      expect(stage.konnectWrites).toEqual([]);
      expect(stage.cluster.writes).toBe(0);
      expect(stage.reasons).toEqual([]);
    },
  );
});

describe('a changed Secret', () => {
  test('changes the destination once, with every field', async () => {
    const stage = await inPlace();
    stage.cluster.putSecret('siem', otherSiem);
    await stage.pass();
    expect(stage.konnectWrites).toEqual(['PATCH global/v3/audit-log-destinations/ID']);
    expect(stage.destinations).toMatchObject([otherSiem]);
    stage.forget();
    await stage.pass();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.cluster.writes).toBe(0);
  });

  test('that changes the authorization alone is applied as well, inline too', async () => {
    for (const choice of [usual, { api: 'v2', organization: { enabled: true } }] as const) {
      const stage = await inPlace(choice);
      stage.cluster.putSecret('siem', { ...siem, authorization: 'Bearer CANARYnew' });
      await stage.pass();
      expect(stage.konnectWrites).toHaveLength(1);
      stage.forget();
      await stage.pass();
      expect(stage.konnectWrites).toEqual([]);
      expect(stage.cluster.writes).toBe(0);
    }
  });

  test('changes an inline webhook once', async () => {
    const stage = await inPlace({ api: 'v2', organization: { enabled: true } });
    stage.cluster.putSecret('siem', otherSiem);
    await stage.pass();
    expect(stage.konnectWrites).toEqual(['PATCH us/v2/audit-log-webhook']);
    expect(stage.webhook().target).toMatchObject({ kind: 'inline', inline: otherSiem });
  });

  test('is applied again where the answer to the first try was lost', async () => {
    for (const choice of [usual, { api: 'v2', organization: { enabled: true } }] as const) {
      const stage = await inPlace(choice);
      stage.cluster.putSecret('siem', otherSiem);
      stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 1 });
      expect(await stage.pass()).toMatchObject({ kind: 'retry' });
      await stage.settle();
      expect(stage.verdict).toBe('True InSync');
      expect(JSON.stringify([stage.destinations, stage.webhook()])).not.toContain(siem.endpoint);
    }
  });
});
