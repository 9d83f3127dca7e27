import { describe, expect, test } from '@jest/globals';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { type Destination, webhookIn } from '../../../../sandbox/konnect/model.ts';
import { forum, key, type SpecChoice, type Stage, shop, siem, specOf, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { open, inPlace } = useStages();
const name = key;
const portals = [{ id: shop, enabled: true }];
const otherEndpoint = 'https://other.example.com/x';

describe('a destination of our name that was never ours', () => {
  test.each([
    ['IfMatching', siem.endpoint],
    ['Always', otherEndpoint],
    ['Always', siem.endpoint],
  ] as const)('is taken over: %s, endpoint %s', async (adoptionPolicy, endpoint) => {
    const stage = await open({ portals, adoptionPolicy });
    const { id } = stage.createForeign(name, endpoint);
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.konnectWrites).toEqual([
      'PATCH global/v3/audit-log-destinations/ID',
      `PATCH us/v3/portals/${shop}/audit-log-webhook`,
    ]);
    expect(stage.destinations).toMatchObject([{ id, name, ...siem }]);
    expect(stage.status.destination).toMatchObject({ id, managed: true });
    expect(stage.reasons).toContain('DestinationAdopted');
    stage.forget();
    await stage.interval();
    expect(stage.konnectWrites).toEqual([]);
    stage.delete();
    await stage.work();
    expect(stage.destinations).toEqual([]);
    expect(stage.cluster.object).toBeUndefined();
  });

  test.each([
    ['IfMatching', otherEndpoint],
    ['Never', siem.endpoint],
  ] as const)('is left alone, and what to set is said: %s, endpoint %s', async (adoptionPolicy, endpoint) => {
    const stage = await open({ portals, adoptionPolicy });
    const { id } = stage.createForeign(name, endpoint);
    await stage.settle();
    expect(stage.verdict).toBe('False NameInUse Stalled');
    expect(stage.condition('Ready')?.message).toContain(id);
    expect(stage.condition('Ready')?.message).toContain('spec.adoptionPolicy: Always');
    expect(stage.konnectWrites).toEqual([]);
    stage.cluster.edit(() => specOf({ portals, adoptionPolicy: 'Always' }));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.destinations).toMatchObject([{ id, ...siem }]);
  });

  test.each(['IfMatching', 'Always'] as const)(
    'several of them stop it, with their IDs: %s',
    async (adoptionPolicy) => {
      const stage = await open({ portals, adoptionPolicy }, { duplicateNames: 'allowed' });
      const ids = [siem.endpoint, siem.endpoint].map((endpoint) => stage.createForeign(name, endpoint).id);
      await stage.settle();
      expect(stage.verdict).toBe('False NameInUse Stalled');
      for (const id of ids) expect(stage.condition('Ready')?.message).toContain(id);
      expect(stage.konnectWrites).toEqual([]);
    },
  );

  test('is not taken as long as there is nothing to attach it to', async () => {
    const stage = await open({ portals, adoptionPolicy: 'Always' });
    stage.createForeign(name);
    stage.organization.portals.delete(shop);
    await stage.settle();
    expect(stage.konnectWrites).toEqual([]);
  });
});

describe('a webhook in use that was never ours', () => {
  interface Place {
    readonly title: string;
    readonly choice: SpecChoice;
    readonly attach: (stage: Stage, endpoint: string) => Destination | undefined;
    readonly where: (stage: Stage) => string;
    readonly ours: string;
  }

  function attachTo(stage: Stage, endpoint: string, webhook: Parameters<typeof pointWebhook>[2]): Destination {
    const theirs = stage.createForeign('theirs', endpoint);
    pointWebhook(stage.konnect.model, stage.organization, webhook, { kind: 'destination', id: theirs.id });
    webhook.enabled = true;
    return theirs;
  }

  function setInline(stage: Stage, endpoint: string): undefined {
    const inline = { endpoint, authorization: 'theirs', logFormat: 'cef', skipSSLVerification: false } as const;
    pointWebhook(stage.konnect.model, stage.organization, stage.webhook(), { kind: 'inline', inline });
    stage.webhook().enabled = true;
  }

  const organization = { enabled: true };
  const atUs = (stage: Stage) => stage.pointsAt(webhookIn(stage.organization, 'us'));
  const places: readonly Place[] = [
    {
      title: 'of a portal',
      choice: { portals },
      attach: (stage, endpoint) => attachTo(stage, endpoint, stage.portal(shop)),
      where: (stage) => stage.pointsAt(stage.portal(shop)),
      ours: `${name} on`,
    },
    {
      title: 'of the organization, v3',
      choice: { organization },
      attach: (stage, endpoint) => attachTo(stage, endpoint, stage.webhook()),
      where: atUs,
      ours: `${name} on`,
    },
    {
      title: 'of the organization, inline where v3 is wanted',
      choice: { organization },
      attach: setInline,
      where: atUs,
      ours: `${name} on`,
    },
    {
      title: 'of the organization, inline where v2 is wanted',
      choice: { organization, api: 'v2' },
      attach: setInline,
      where: atUs,
      ours: `${siem.endpoint} on`,
    },
    {
      title: 'of the organization, with a destination where v2 is wanted',
      choice: { organization, api: 'v2' },
      attach: (stage, endpoint) => attachTo(stage, endpoint, stage.webhook()),
      where: atUs,
      ours: `${siem.endpoint} on`,
    },
  ];

  const taken = [
    ['IfMatching', siem.endpoint],
    ['Always', otherEndpoint],
  ] as const;
  const left = [
    ['IfMatching', otherEndpoint],
    ['Never', siem.endpoint],
  ] as const;

  test.each(places.flatMap((place) => taken.map(([policy, endpoint]) => ({ ...place, policy, endpoint }))))(
    '$title is taken over: $policy, endpoint $endpoint',
    async ({ choice, attach, where, ours, policy, endpoint }) => {
      const stage = await open({ ...choice, adoptionPolicy: policy });
      const theirs = attach(stage, endpoint);
      const seen: string[] = [];
      stage.onKonnectCall = () => seen.push(where(stage));
      await stage.settle();
      expect(stage.verdict).toBe('True InSync');
      expect(where(stage)).toBe(ours);
      expect(seen.every((one) => one.endsWith(' on'))).toBe(true);
      const event = stage.cluster.announcements.find(({ reason }) => reason === 'WebhookAdopted');
      expect(event?.note).toContain(theirs?.id ?? 'another endpoint');
      expect(event?.note).toContain('left as it is');
      expect(stage.destinations.filter(({ id }) => id === theirs?.id)).toEqual(theirs === undefined ? [] : [theirs]);
      const sent = stage.webhook().target;
      expect(sent.kind === 'inline' ? sent.inline : siem).toMatchObject(siem);
      stage.forget();
      await stage.interval();
      expect(stage.konnectWrites).toEqual([]);
      stage.delete();
      await stage.work();
      expect(where(stage)).toBe('nothing off');
      expect(stage.destinations.map((one) => one.id)).toEqual(theirs === undefined ? [] : [theirs.id]);
    },
  );

  test.each(places.flatMap((place) => left.map(([policy, endpoint]) => ({ ...place, policy, endpoint }))))(
    '$title is left alone, and what to set is said: $policy, endpoint $endpoint',
    async ({ choice, attach, where, policy, endpoint }) => {
      const stage = await open({ ...choice, adoptionPolicy: policy });
      const theirs = attach(stage, endpoint);
      const before = where(stage);
      await stage.settle();
      expect(stage.verdict).toBe('False WebhookInUse Stalled');
      expect(stage.condition('Ready')?.message).toContain('spec.adoptionPolicy: Always');
      expect(stage.condition('Ready')?.message).toContain(theirs?.id ?? 'an endpoint');
      expect(stage.konnectWrites).toEqual([]);
      stage.forget();
      await stage.interval();
      expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
      stage.delete();
      await stage.work();
      expect(where(stage)).toBe(before);
    },
  );
});

describe('after its status was wiped, everything is found again', () => {
  const choices: readonly SpecChoice[] = [
    usual,
    { api: 'v2', organization: { enabled: true } },
    { ...usual, api: 'v2' },
    { portals: [{ id: forum, enabled: false }] },
  ];

  test.each(choices)('without a duplicate, and with the authorization sent once: %j', async (choice) => {
    const stage = await inPlace(choice);
    const before = stage.destinations.map(({ id }) => id);
    const pointed = [stage.portal(shop), stage.portal(forum), stage.webhook()].map((one) => stage.pointsAt(one));
    stage.cluster.wipeStatus();
    stage.restart();
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.konnectWrites.toSorted()).toEqual([
      ...(before.length === 0 ? [] : ['PATCH global/v3/audit-log-destinations/ID']).map((call) =>
        choice.api === 'v2' ? call.replace('v3', 'v2') : call,
      ),
      ...(choice.api === 'v2' ? ['PATCH us/v2/audit-log-webhook'] : []),
    ]);
    expect(stage.destinations.map(({ id }) => id)).toEqual(before);
    expect([stage.portal(shop), stage.portal(forum), stage.webhook()].map((one) => stage.pointsAt(one))).toEqual(
      pointed,
    );
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    stage.delete();
    await stage.work();
    expect(stage.destinations).toEqual([]);
    expect([stage.portal(shop), stage.portal(forum), stage.webhook()].map((one) => stage.pointsAt(one))).toEqual(
      Array.from({ length: 3 }, () => 'nothing off'),
    );
  });

  test('and deleted just then, nothing is written, and nothing was forgotten but by whoever wiped it', async () => {
    const stage = await inPlace();
    stage.cluster.wipeStatus();
    stage.delete();
    await stage.settle();
    expect(stage.konnectWrites).toEqual([]);
  });
});
