import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook, touchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { usual } from '../../../support/forwarding-spec.ts';
import { forum, laden, nowhere, shop, siem } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { nextResync, onlyDestination, useHarness } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { open, inPlace } = useHarness();

describe('what another client changed is corrected', () => {
  test.each([
    ['name', { name: 'renamed' }],
    ['endpoint', { endpoint: 'https://elsewhere.example.com/' }],
    ['authorization', { authorization: 'theirs' }],
    ['logFormat', { logFormat: 'json' }],
    ['skipSSLVerification', { skipSSLVerification: true }],
  ] as const)('in the destination: %s', async (field, change) => {
    const harness = await inPlace();
    const id = onlyDestination(harness);
    changeDestination(harness.konnect.model, harness.organization, id, change);
    await nextResync(harness);
    expect(harness.konnectWrites).toEqual(['PATCH global/v3/audit-log-destinations/ID']);
    expect(harness.destinations).toMatchObject([{ id, name, ...siem, logFormat: 'cef', skipSSLVerification: false }]);
    expect(harness.cluster.announcements).toMatchObject([{ type: 'Warning', reason: 'DestinationCorrected' }]);
    expect(harness.cluster.announcements[0]?.note).toContain(field);
    harness.clearRecords();
    await nextResync(harness);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.writes).toBe(0);
  });

  test('a webhook that was switched off', async () => {
    const harness = await inPlace();
    harness.portal(shop).enabled = false;
    harness.webhook().enabled = false;
    await nextResync(harness);
    expect(harness.konnectWrites).toHaveLength(2);
    expect([harness.portal(shop).enabled, harness.webhook().enabled]).toEqual([true, true]);
    expect(harness.reasons).toEqual(['WebhookCorrected', 'WebhookCorrected']);
  });

  test('a webhook that was pointed elsewhere', async () => {
    const harness = await inPlace();
    const { id } = harness.createForeign('theirs');
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
    pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id });
    await nextResync(harness);
    expect(harness.konnectWrites).toHaveLength(2);
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${name} on`);
    expect(harness.pointsAt(harness.webhook())).toBe(`${name} on`);
    expect(harness.cluster.announcements.every(({ note }) => note.includes(id))).toBe(true);
    expect(harness.destinations.map((one) => one.name)).toEqual([name, 'theirs']);
  });

  test('a webhook that was detached, and a destination that was deleted after that', async () => {
    const harness = await inPlace();
    const before = onlyDestination(harness);
    for (const webhook of [harness.portal(shop), harness.portal(forum), harness.webhook()]) {
      clearWebhook(harness.konnect.model, harness.organization, webhook);
    }
    await nextResync(harness);
    expect(harness.konnectWrites).toHaveLength(3);
    for (const webhook of [harness.portal(shop), harness.portal(forum), harness.webhook()]) {
      clearWebhook(harness.konnect.model, harness.organization, webhook);
    }
    harness.organization.destinations.length = 0;
    harness.clearRecords();
    await nextResync(harness);
    expect(onlyDestination(harness)).not.toBe(before);
    expect(harness.konnectWrites).toHaveLength(4);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.pointsAt(harness.portal(forum))).toBe(`${name} on`);
  });

  test('a webhook that was pointed elsewhere, whose destination no longer exists when it is corrected', async () => {
    const harness = await inPlace();
    const { id } = harness.createForeign('theirs');
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
    const gone = harness.organization.destinations.findIndex(({ destination }) => destination.name === name);
    harness.organization.destinations.splice(gone, 1);
    // The shared list is young enough to be used again, and shows it.
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${name} on`);
  });

  test('a destination that no longer exists, together with every portal, is not reported as in place', async () => {
    const harness = await inPlace({ portals: [{ id: shop, enabled: true }] });
    const id = onlyDestination(harness);
    harness.organization.portals.clear();
    harness.organization.destinations.length = 0;
    await nextResync(harness);
    expect(harness.readiness).toBe('False PortalNotFound Stalled');
    expect(harness.condition('DestinationReady')?.status).toBe('Unknown');
    expect(harness.status.destination).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.announcements).toContainEqual(
      expect.objectContaining({
        type: 'Warning',
        note: expect.stringContaining(`another client deleted destination ${id}`),
      }),
    );
    await nextResync(harness);
    expect(harness.reasons.filter((reason) => reason === 'DestinationDeleted')).toHaveLength(1);
  });

  test('a destination that was deleted: a Warning names it, also after a restart and a failed creation', async () => {
    for (const interrupt of [
      () => undefined,
      (harness: Harness) => harness.restart(),
      (harness: Harness) =>
        harness.konnect.control.fail({ kind: 'status', status: 403, times: 1, match: { method: 'POST' } }),
    ]) {
      const harness = await inPlace();
      harness.organization.destinations.length = 0;
      interrupt(harness);
      await nextResync(harness);
      await nextResync(harness);
      expect(harness.readiness).toBe('True InSync');
      const about = harness.cluster.announcements.filter(({ reason }) => reason.startsWith('Destination'));
      expect(about).toEqual([
        expect.objectContaining({
          type: 'Warning',
          reason: 'DestinationCorrected',
          note: expect.stringContaining(`destination "${name}" in Konnect (deleted)`),
        }),
      ]);
    }
  });

  test('an inline webhook: switched off, another format, another endpoint, another authorization', async () => {
    const harness = await inPlace({ api: 'v2', organization: { enabled: true } });
    const webhook = harness.webhook();
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
      // More than three in a day would be a conflict.
      harness.clock.ms += 8 * 3_600_000;
      change();
      touchWebhook(harness.konnect.model, webhook);
      await nextResync(harness);
      expect(harness.konnectWrites).toEqual(['PATCH us/v2/audit-log-webhook']);
      expect(webhook).toMatchObject({ enabled: true, target: { kind: 'inline', inline } });
      expect(harness.reasons).toEqual(['WebhookCorrected']);
      harness.clearRecords();
      await nextResync(harness);
      expect(harness.konnectWrites).toEqual([]);
      expect(harness.cluster.writes).toBe(0);
    }
  });
});

describe('what the operator never owned stays unchanged', () => {
  test('a destination with the name of the forwarding', async () => {
    const harness = await open();
    const { id } = harness.createForeign(name);
    expect(await harness.reconcile()).toMatchObject({ kind: 'requeue' });
    expect(harness.readiness).toBe('False NameInUse Stalled');
    expect(harness.condition('Ready')?.message).toContain(id);
    expect(harness.konnectWrites).toEqual([]);
    await nextResync(harness);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.destinations).toHaveLength(1);
  });

  test('one that lists do not show yet, so that only the POST reports it', async () => {
    const harness = await open(usual, { staleListMs: 20_000 });
    harness.createForeign(name);
    await harness.reconcile();
    expect(harness.readiness).toBe('False NameInUse Reconciling');
    await harness.settle();
    expect(harness.readiness).toBe('False NameInUse Stalled');
    expect(harness.konnectWrites).toEqual(['POST global/v3/audit-log-destinations']);
    expect(harness.status.destination).toBeUndefined();
  });

  test('a webhook in use, while the others go on', async () => {
    const harness = await open();
    const { id } = harness.createForeign('theirs');
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
    pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id });
    await harness.reconcile();
    expect(harness.readiness).toBe('False WebhookInUse Stalled');
    expect(harness.konnectWrites).toEqual([
      'POST global/v3/audit-log-destinations',
      `PATCH us/v3/portals/${forum}/audit-log-webhook`,
    ]);
    expect(harness.status.portalsReady).toBe('1/2');
    harness.clearRecords();
    await nextResync(harness);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.cluster.writes).toBe(0);
  });

  test('an inline webhook in use, for v3 and for v2', async () => {
    for (const api of ['v3', 'v2'] as const) {
      const harness = await open({ api, organization: { enabled: true } });
      const inline = { endpoint: 'https://theirs.example.com/', authorization: 'x', logFormat: 'cef' } as const;
      pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), {
        kind: 'inline',
        inline: { ...inline, skipSSLVerification: false },
      });
      await harness.reconcile();
      expect(harness.readiness).toBe('False WebhookInUse Stalled');
      expect(harness.konnectWrites).toEqual([]);
    }
  });

  test('an organization webhook that points at a destination, if spec wants v2', async () => {
    const harness = await open({ api: 'v2', organization: { enabled: true } });
    const { id } = harness.createForeign('theirs');
    pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'destination', id });
    await harness.reconcile();
    expect(harness.readiness).toBe('False WebhookInUse Stalled');
    expect(harness.konnectWrites).toEqual([]);
  });

  test('a webhook that points at a deleted destination is attached', async () => {
    const harness = await open({ portals: [{ id: shop, enabled: true }] });
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), {
      kind: 'destination',
      id: nowhere,
    });
    await harness.reconcile();
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${name} on`);
  });
});

describe('a problem with one portal does not affect another', () => {
  test('one of another region is named, with its field, and the others are attached', async () => {
    const harness = await open({
      portals: [
        { id: shop, enabled: true },
        { id: laden, enabled: true },
        { id: forum, enabled: true },
      ],
    });
    await harness.reconcile();
    expect(harness.readiness).toBe('False PortalNotFound Stalled');
    expect(harness.condition('Ready')?.message).toContain(`portal ${laden} does not exist in region us`);
    expect(harness.condition('Ready')?.message).toContain('spec.portals[1].id');
    expect(harness.status.portalsReady).toBe('2/3');
    expect(harness.pointsAt(harness.portal(forum))).toBe(`${name} on`);
    expect(harness.condition('DestinationReady')?.status).toBe('True');
  });

  test('the nil UUID, which names no portal', async () => {
    const nil = '00000000-0000-0000-0000-000000000000';
    const harness = await open({
      portals: [
        { id: shop, enabled: true },
        { id: nil, enabled: true },
      ],
    });
    await harness.reconcile();
    expect(harness.readiness).toBe('False PortalNotFound Stalled');
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${name} on`);
    harness.delete();
    await harness.settle();
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.destinations).toEqual([]);
  });

  test('one that goes while it is attached, between GET and PATCH', async () => {
    const harness = await open();
    const path = `/v3/portals/${shop}/audit-log-webhook`;
    harness.konnect.control.fail({ kind: 'status', status: 404, match: { method: 'PATCH', path }, times: 1 });
    harness.konnect.control.fail({
      kind: 'status',
      status: 404,
      match: { method: 'GET', path: `/v3/portals/${shop}` },
    });
    await harness.reconcile();
    expect(harness.readiness).toBe('False PortalNotFound Stalled');
    expect(harness.status.portalsReady).toBe('1/2');
  });

  test('one whose PATCH fails for a while', async () => {
    const harness = await open();
    const path = `/v3/portals/${shop}/audit-log-webhook`;
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'PATCH', path }, times: 2 });
    await harness.reconcile();
    expect(harness.status.portalsReady).toBe('1/2');
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
  });

  test.each([404, 400] as const)(
    'a destination that is gone by the time of the PATCH (%d) is made anew',
    async (unknownDestination) => {
      const harness = await inPlace(usual, { unknownDestination });
      clearWebhook(harness.konnect.model, harness.organization, harness.portal(shop));
      harness.organization.destinations.length = 0;
      harness.clock.ms += 1_000;
      expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
      expect(harness.condition('Ready')?.message).toContain('no longer exists in Konnect');
      await harness.settle();
      expect(harness.readiness).toBe('True InSync');
      expect([shop, forum].map((id) => harness.pointsAt(harness.portal(id)))).toEqual([`${name} on`, `${name} on`]);
    },
  );
});
