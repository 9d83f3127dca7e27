import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../sandbox/konnect/model/destinations.ts';
import { clearWebhook, pointWebhook, touchWebhook } from '../../sandbox/konnect/model/webhooks.ts';
import { forum, laden, nowhere, own, type SpecChoice, type Stage, shop, siem, tokens, usual } from './stage.ts';
import { useStages } from './stages.ts';

const name = 'platform/sumologic';
const { open, inPlace } = useStages();

function onlyDestination(stage: Stage): string {
  const [only, ...others] = stage.destinations;
  if (only === undefined || others.length > 0) throw new TypeError('there is not exactly one destination');
  return only.id;
}

/** A pass after the shared list is old enough to be read again. */
async function nextPass(stage: Stage) {
  stage.clock.ms += 600_000;
  return stage.pass();
}

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

describe('a lost answer to the creation', () => {
  test('is found again by the intent, with no second POST', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
    expect(stage.status.destination?.creating?.name).toBe(name);
    stage.restart();
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.konnectWrites.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    expect(stage.status.destination?.id).toBe(onlyDestination(stage));
    expect(stage.status.destination?.creating).toBeUndefined();
  });

  test('is waited for as long as lists may be stale', async () => {
    const stage = await open(usual, { staleListMs: 25_000, duplicateNames: 'allowed' });
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    onlyDestination(stage);
  });

  test('is found under its own name although the forwarding wants another by now', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'renamed' } }));
    await stage.settle();
    onlyDestination(stage);
    expect(stage.destinations).toMatchObject([{ name: 'renamed' }]);
  });

  test('comes to a second POST only after that time, where the first was never carried out', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-before', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.clock.ms += 29_000;
    await stage.pass();
    expect(stage.verdict).toBe('False Creating Reconciling');
    expect(stage.konnectWrites.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    stage.clock.ms += 2_000;
    await stage.pass();
    expect(stage.verdict).toBe('True InSync');
    onlyDestination(stage);
  });

  test('and what it made is deleted where nothing wants it any longer', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.cluster.edit(({ portals: _portals, ...spec }) => ({
      ...spec,
      konnect: { ...spec.konnect, auditLogsAPI: 'v2' },
    }));
    await stage.settle();
    expect(stage.destinations).toEqual([]);
    expect(stage.verdict).toBe('True InSync');
  });
});

describe('a lost answer to an attachment', () => {
  const choices: SpecChoice[] = [usual, { api: 'v2', organization: { enabled: true } }, { ...usual, api: 'v2' }];

  test.each(choices)('is found to be ours (%j)', async (choice) => {
    const stage = await open(choice);
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
  });

  test.each(choices)('is undone where the forwarding is deleted before it was seen (%j)', async (choice) => {
    const stage = await open(choice);
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    await stage.pass();
    stage.delete();
    await stage.settle();
    expect(stage.destinations).toEqual([]);
    const webhooks = [stage.portal(shop), stage.portal(forum), stage.webhook()];
    expect(webhooks.map((one) => stage.pointsAt(one))).toEqual(['nothing off', 'nothing off', 'nothing off']);
  });

  test('is undone where the portal leaves spec before it was seen', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    await stage.pass();
    stage.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await stage.settle();
    expect(stage.pointsAt(stage.portal(forum))).toBe('nothing off');
  });
});

describe('what was never ours is not touched', () => {
  test('a destination of our name', async () => {
    const stage = await open();
    const { id } = stage.createForeign(name);
    expect(await stage.pass()).toMatchObject({ kind: 'again' });
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

  test('an organisation webhook that points at a destination, where v2 is wanted', async () => {
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

describe('a token', () => {
  test('of another organisation, where the portals are not, leaves everything as it stands', async () => {
    const stage = await inPlace({ portals: usual.portals ?? [] });
    stage.cluster.putSecret('konnect', { token: tokens.green });
    await nextPass(stage);
    expect(stage.verdict).toBe('False PortalNotFound Stalled');
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.status.cleanup).toHaveLength(3);
    stage.cluster.putSecret('konnect', { token: tokens.blue });
    await nextPass(stage);
    expect(stage.verdict).toBe('True InSync');
    expect(stage.status.cleanup).toBeUndefined();
    expect(stage.status.portals).toHaveLength(2);
  });

  test('of another organisation changes nothing while a creation in this one is not answered, and its token forgotten', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.restart();
    stage.cluster.putSecret('konnect', { token: tokens.green });
    stage.forget();
    await stage.pass();
    expect(stage.verdict).toBe('False OrganizationChanged Stalled');
    expect(stage.konnectWrites).toEqual([]);
  });

  test('that may not ask whose it is does nothing before, and goes on after it was proved', async () => {
    const stage = await open();
    stage.cluster.putSecret('konnect', { token: tokens.unproven });
    await stage.pass();
    expect(stage.verdict).toBe('False OrganizationUnproven Stalled');
    stage.cluster.putSecret('konnect', { token: tokens.blue });
    await stage.settle();
    stage.cluster.putSecret('konnect', { token: tokens.unproven });
    stage.portal(shop).enabled = false;
    await nextPass(stage);
    expect(stage.verdict).toBe('True InSync');
    expect(stage.portal(shop).enabled).toBe(true);
  });

  test('that is refused, or may not write, is named', async () => {
    const stage = await open();
    stage.cluster.putSecret('konnect', { token: 'kpat_unknownCANARY' });
    await stage.pass();
    expect(stage.verdict).toBe('False TokenRejected Stalled');
    expect(stage.condition('SecretsResolved')?.status).toBe('False');
    stage.cluster.putSecret('konnect', { token: tokens.readOnly });
    await stage.pass();
    expect(stage.verdict).toBe('False PermissionDenied Stalled');
    expect(stage.status.destination).toBeUndefined();
    expect(stage.condition('Ready')?.message).toContain('Secret konnect, key token');
  });
});
