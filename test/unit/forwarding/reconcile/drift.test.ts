import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook, touchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { forum, laden, nowhere, shop, siem, usual } from '../support/harness.ts';
import { nextPass, onlyDestination, useStages } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { open, inPlace } = useStages();

describe('what somebody else changed is put right', () => {
  test.each([
    ['name', { name: 'renamed' }],
    ['endpoint', { endpoint: 'https://elsewhere.example.com/' }],
    ['authorization', { authorization: 'theirs' }],
    ['logFormat', { logFormat: 'json' }],
    ['skipSSLVerification', { skipSSLVerification: true }],
  ] as const)('in the destination: %s', async (field, change) => {
    const stage = await inPlace();
    const id = onlyDestination(stage);
    changeDestination(stage.konnect.model, stage.organization, id, change);
    await nextPass(stage);
    expect(stage.konnectWrites).toEqual(['PATCH global/v3/audit-log-destinations/ID']);
    expect(stage.destinations).toMatchObject([{ id, name, ...siem, logFormat: 'cef', skipSSLVerification: false }]);
    expect(stage.cluster.announcements).toMatchObject([{ type: 'Warning', reason: 'DestinationCorrected' }]);
    expect(stage.cluster.announcements[0]?.note).toContain(field);
    stage.forget();
    await nextPass(stage);
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.cluster.writes).toBe(0);
  });

  test('a webhook that was switched off', async () => {
    const stage = await inPlace();
    stage.portal(shop).enabled = false;
    stage.webhook().enabled = false;
    await nextPass(stage);
    expect(stage.konnectWrites).toHaveLength(2);
    expect([stage.portal(shop).enabled, stage.webhook().enabled]).toEqual([true, true]);
    expect(stage.reasons).toEqual(['WebhookCorrected', 'WebhookCorrected']);
  });

  test('a webhook that was pointed elsewhere', async () => {
    const stage = await inPlace();
    const { id } = stage.createForeign('theirs');
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
    pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id });
    await nextPass(stage);
    expect(stage.konnectWrites).toHaveLength(2);
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${name} on`);
    expect(stage.pointsAt(stage.webhook())).toBe(`${name} on`);
    expect(stage.cluster.announcements.every(({ note }) => note.includes(id))).toBe(true);
    expect(stage.destinations.map((one) => one.name)).toEqual([name, 'theirs']);
  });

  test('a webhook that was detached, and a destination that was deleted after that', async () => {
    const stage = await inPlace();
    const before = onlyDestination(stage);
    for (const webhook of [stage.portal(shop), stage.portal(forum), stage.webhook()]) {
      clearWebhook(stage.konnect.model, stage.organization, webhook);
    }
    await nextPass(stage);
    expect(stage.konnectWrites).toHaveLength(3);
    for (const webhook of [stage.portal(shop), stage.portal(forum), stage.webhook()]) {
      clearWebhook(stage.konnect.model, stage.organization, webhook);
    }
    stage.organization.destinations.length = 0;
    stage.forget();
    await nextPass(stage);
    expect(onlyDestination(stage)).not.toBe(before);
    expect(stage.konnectWrites).toHaveLength(4);
    expect(stage.verdict).toBe('True InSync');
    expect(stage.pointsAt(stage.portal(forum))).toBe(`${name} on`);
  });

  test('a webhook that was pointed elsewhere, whose destination turns out to be gone while that is put right', async () => {
    const stage = await inPlace();
    const { id } = stage.createForeign('theirs');
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
    const gone = stage.organization.destinations.findIndex(({ destination }) => destination.name === name);
    stage.organization.destinations.splice(gone, 1);
    // The shared list is young enough to be used again, and shows it.
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${name} on`);
  });

  test('a destination that is gone, with every portal, is not said to be in place', async () => {
    const stage = await inPlace({ portals: [{ id: shop, enabled: true }] });
    stage.organization.portals.clear();
    stage.organization.destinations.length = 0;
    await nextPass(stage);
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
    expect(stage.condition('DestinationReady')?.status).toBe('Unknown');
    expect(stage.status.destination).toBeUndefined();
    expect(stage.konnectWrites).toEqual([]);
  });

  test('an inline webhook: switched off, another format, another endpoint, another authorization', async () => {
    const stage = await inPlace({ api: 'v2', organization: { enabled: true } });
    const webhook = stage.webhook();
    const inline = { ...siem, logFormat: 'cef', skipSSLVerification: false } as const;
    const changes = [
      () => {
        webhook.enabled = false;
      },
      () => {
        webhook.target = { kind: 'inline', inline: { ...inline, logFormat: 'cps' } };
      },
      () => {
        webhook.target = { kind: 'inline', inline: { ...inline, endpoint: 'https://elsewhere.example.com/' } };
      },
      () => {
        webhook.target = { kind: 'inline', inline: { ...inline, authorization: 'theirs' } };
      },
    ];
    for (const change of changes) {
      // More than three in a day would be a war.
      stage.clock.ms += 8 * 3_600_000;
      change();
      touchWebhook(stage.konnect.model, webhook);
      await nextPass(stage);
      expect(stage.konnectWrites).toEqual(['PATCH us/v2/audit-log-webhook']);
      expect(webhook).toMatchObject({ enabled: true, target: { kind: 'inline', inline } });
      expect(stage.reasons).toEqual(['WebhookCorrected']);
      stage.forget();
      await nextPass(stage);
      expect(stage.konnectWrites).toEqual([]);
      expect(stage.cluster.writes).toBe(0);
    }
  });
});

describe('what was never ours is not touched', () => {
  test('a destination of our name', async () => {
    const stage = await open();
    const { id } = stage.createForeign(name);
    expect(await stage.pass()).toMatchObject({ kind: 'requeue' });
    expect(stage.verdict).toBe('False NameInUse Stalled');
    expect(stage.condition('Ready')?.message).toContain(id);
    expect(stage.konnectWrites).toEqual([]);
    await nextPass(stage);
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.destinations).toHaveLength(1);
  });

  test('one that lists do not show yet, which only the POST tells of', async () => {
    const stage = await open(usual, { staleListMs: 20_000 });
    stage.createForeign(name);
    await stage.pass();
    expect(stage.verdict).toBe('False NameInUse Reconciling');
    await stage.settle();
    expect(stage.verdict).toBe('False NameInUse Stalled');
    expect(stage.konnectWrites).toEqual(['POST global/v3/audit-log-destinations']);
    expect(stage.status.destination).toBeUndefined();
  });

  test('a webhook in use, while the others go on', async () => {
    const stage = await open();
    const { id } = stage.createForeign('theirs');
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
    pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id });
    await stage.pass();
    expect(stage.verdict).toBe('False WebhookInUse Stalled');
    expect(stage.konnectWrites).toEqual([
      'POST global/v3/audit-log-destinations',
      `PATCH us/v3/portals/${forum}/audit-log-webhook`,
    ]);
    expect(stage.status.portalsReady).toBe('1/2');
    stage.forget();
    await nextPass(stage);
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.cluster.writes).toBe(0);
  });

  test('an inline webhook in use, whether v3 or v2 is wanted', async () => {
    for (const api of ['v3', 'v2'] as const) {
      const stage = await open({ api, organization: { enabled: true } });
      const inline = { endpoint: 'https://theirs.example.com/', authorization: 'x', logFormat: 'cef' } as const;
      pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), {
        kind: 'inline',
        inline: { ...inline, skipSSLVerification: false },
      });
      await stage.pass();
      expect(stage.verdict).toBe('False WebhookInUse Stalled');
      expect(stage.konnectWrites).toEqual([]);
    }
  });

  test('an organization webhook that points at a destination, where v2 is wanted', async () => {
    const stage = await open({ api: 'v2', organization: { enabled: true } });
    const { id } = stage.createForeign('theirs');
    pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'destination', id });
    await stage.pass();
    expect(stage.verdict).toBe('False WebhookInUse Stalled');
    expect(stage.konnectWrites).toEqual([]);
  });

  test('a webhook that points at a destination which is gone is taken', async () => {
    const stage = await open({ portals: [{ id: shop, enabled: true }] });
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id: nowhere });
    await stage.pass();
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${name} on`);
  });
});

describe('one bad portal never holds up another', () => {
  test('one of another region is named, with its field, and the others are attached', async () => {
    const stage = await open({
      portals: [
        { id: shop, enabled: true },
        { id: laden, enabled: true },
        { id: forum, enabled: true },
      ],
    });
    await stage.pass();
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
    expect(stage.condition('Ready')?.message).toContain(`portal ${laden} does not exist in region us`);
    expect(stage.condition('Ready')?.message).toContain('spec.portals[1].id');
    expect(stage.status.portalsReady).toBe('2/3');
    expect(stage.pointsAt(stage.portal(forum))).toBe(`${name} on`);
    expect(stage.condition('DestinationReady')?.status).toBe('True');
  });

  test('the nil UUID, which names no portal', async () => {
    const nil = '00000000-0000-0000-0000-000000000000';
    const stage = await open({
      portals: [
        { id: shop, enabled: true },
        { id: nil, enabled: true },
      ],
    });
    await stage.pass();
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
    expect(stage.pointsAt(stage.portal(shop))).toBe(`${name} on`);
    stage.delete();
    await stage.settle();
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.destinations).toEqual([]);
  });

  test('one that goes while it is attached, between GET and PATCH', async () => {
    const stage = await open();
    const path = `/v3/portals/${shop}/audit-log-webhook`;
    stage.konnect.control.fail({ kind: 'status', status: 404, match: { method: 'PATCH', path }, times: 1 });
    stage.konnect.control.fail({ kind: 'status', status: 404, match: { method: 'GET', path: `/v3/portals/${shop}` } });
    await stage.pass();
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
    expect(stage.status.portalsReady).toBe('1/2');
  });

  test('one whose PATCH fails for a while', async () => {
    const stage = await open();
    const path = `/v3/portals/${shop}/audit-log-webhook`;
    stage.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'PATCH', path }, times: 2 });
    await stage.pass();
    expect(stage.status.portalsReady).toBe('1/2');
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
  });

  test.each([404, 400] as const)(
    'a destination that is gone by the time of the PATCH (%d) is made anew',
    async (unknownDestination) => {
      const stage = await inPlace(usual, { unknownDestination });
      clearWebhook(stage.konnect.model, stage.organization, stage.portal(shop));
      stage.organization.destinations.length = 0;
      stage.clock.ms += 1_000;
      expect(await stage.pass()).toMatchObject({ kind: 'retry' });
      expect(stage.condition('Ready')?.message).toContain('is gone from Konnect');
      await stage.settle();
      expect(stage.verdict).toBe('True InSync');
      expect([shop, forum].map((id) => stage.pointsAt(stage.portal(id)))).toEqual([`${name} on`, `${name} on`]);
    },
  );
});
