import { describe, expect, test } from '@jest/globals';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { type Destination, webhookIn } from '../../../../sandbox/konnect/model.ts';
import { key, type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, shop, siem } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const name = key;
const portals = [{ id: shop, enabled: true }];
const otherEndpoint = 'https://other.example.com/x';

describe('a destination with the name of the forwarding that the operator never owned', () => {
  test.each([
    ['IfMatching', siem.endpoint],
    ['Always', otherEndpoint],
    ['Always', siem.endpoint],
  ] as const)('is taken over: %s, endpoint %s', async (adoptionPolicy, endpoint) => {
    const harness = await open({ portals, adoptionPolicy });
    const { id } = harness.createForeign(name, endpoint);
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites).toEqual([
      'PATCH global/v3/audit-log-destinations/ID',
      `PATCH us/v3/portals/${shop}/audit-log-webhook`,
    ]);
    expect(harness.destinations).toMatchObject([{ id, name, ...siem }]);
    expect(harness.status.destination).toMatchObject({ id, managed: true });
    expect(harness.reasons).toContain('DestinationAdopted');
    harness.clearRecords();
    await harness.resync();
    expect(harness.konnectWrites).toEqual([]);
    harness.delete();
    await harness.work();
    expect(harness.destinations).toEqual([]);
    expect(harness.cluster.object).toBeUndefined();
  });

  test.each([
    ['IfMatching', otherEndpoint],
    ['Never', siem.endpoint],
  ] as const)('is left alone, and what to set is said: %s, endpoint %s', async (adoptionPolicy, endpoint) => {
    const harness = await open({ portals, adoptionPolicy });
    const { id } = harness.createForeign(name, endpoint);
    await harness.settle();
    expect(harness.readiness).toBe('False NameInUse Stalled');
    expect(harness.condition('Ready')?.message).toContain(id);
    expect(harness.condition('Ready')?.message).toContain('spec.adoptionPolicy: Always');
    expect(harness.konnectWrites).toEqual([]);
    harness.cluster.edit(() => specOf({ portals, adoptionPolicy: 'Always' }));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.destinations).toMatchObject([{ id, ...siem }]);
  });

  test.each(['IfMatching', 'Always'] as const)(
    'several of them stop it, with their IDs: %s',
    async (adoptionPolicy) => {
      const harness = await open({ portals, adoptionPolicy }, { duplicateNames: 'allowed' });
      const ids = [siem.endpoint, siem.endpoint].map((endpoint) => harness.createForeign(name, endpoint).id);
      await harness.settle();
      expect(harness.readiness).toBe('False NameInUse Stalled');
      for (const id of ids) expect(harness.condition('Ready')?.message).toContain(id);
      expect(harness.konnectWrites).toEqual([]);
    },
  );

  test('is not taken as long as there is nothing to attach it to', async () => {
    const harness = await open({ portals, adoptionPolicy: 'Always' });
    harness.createForeign(name);
    harness.organization.portals.delete(shop);
    await harness.settle();
    expect(harness.konnectWrites).toEqual([]);
  });
});

describe('a webhook in use that the operator never owned', () => {
  interface Place {
    readonly title: string;
    readonly choice: SpecChoice;
    readonly attach: (harness: Harness, endpoint: string) => Destination | undefined;
    readonly where: (harness: Harness) => string;
    readonly ours: string;
  }

  function attachTo(harness: Harness, endpoint: string, webhook: Parameters<typeof pointWebhook>[2]): Destination {
    const theirs = harness.createForeign('theirs', endpoint);
    pointWebhook(harness.konnect.model, harness.organization, webhook, { kind: 'destination', id: theirs.id });
    webhook.enabled = true;
    return theirs;
  }

  function setInline(harness: Harness, endpoint: string): undefined {
    const inline = { endpoint, authorization: 'theirs', logFormat: 'cef', skipSSLVerification: false } as const;
    pointWebhook(harness.konnect.model, harness.organization, harness.webhook(), { kind: 'inline', inline });
    harness.webhook().enabled = true;
  }

  const organization = { enabled: true };
  const atUs = (harness: Harness) => harness.pointsAt(webhookIn(harness.organization, 'us'));
  const places: readonly Place[] = [
    {
      title: 'of a portal',
      choice: { portals },
      attach: (harness, endpoint) => attachTo(harness, endpoint, harness.portal(shop)),
      where: (harness) => harness.pointsAt(harness.portal(shop)),
      ours: `${name} on`,
    },
    {
      title: 'of the organization, v3',
      choice: { organization },
      attach: (harness, endpoint) => attachTo(harness, endpoint, harness.webhook()),
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
      attach: (harness, endpoint) => attachTo(harness, endpoint, harness.webhook()),
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
      const harness = await open({ ...choice, adoptionPolicy: policy });
      const theirs = attach(harness, endpoint);
      const seen: string[] = [];
      harness.onKonnectCall = () => seen.push(where(harness));
      await harness.settle();
      expect(harness.readiness).toBe('True InSync');
      expect(where(harness)).toBe(ours);
      expect(seen.every((one) => one.endsWith(' on'))).toBe(true);
      const event = harness.cluster.announcements.find(({ reason }) => reason === 'WebhookAdopted');
      expect(event?.note).toContain(theirs?.id ?? 'another endpoint');
      expect(event?.note).toContain('left unchanged');
      expect(harness.destinations.filter(({ id }) => id === theirs?.id)).toEqual(theirs === undefined ? [] : [theirs]);
      const sent = harness.webhook().target;
      expect(sent.kind === 'inline' ? sent.inline : siem).toMatchObject(siem);
      harness.clearRecords();
      await harness.resync();
      expect(harness.konnectWrites).toEqual([]);
      harness.delete();
      await harness.work();
      expect(where(harness)).toBe('nothing off');
      expect(harness.destinations.map((one) => one.id)).toEqual(theirs === undefined ? [] : [theirs.id]);
    },
  );

  test.each(places.flatMap((place) => left.map(([policy, endpoint]) => ({ ...place, policy, endpoint }))))(
    '$title is left alone, and what to set is said: $policy, endpoint $endpoint',
    async ({ choice, attach, where, policy, endpoint }) => {
      const harness = await open({ ...choice, adoptionPolicy: policy });
      const theirs = attach(harness, endpoint);
      const before = where(harness);
      await harness.settle();
      expect(harness.readiness).toBe('False WebhookInUse Stalled');
      expect(harness.condition('Ready')?.message).toContain('spec.adoptionPolicy: Always');
      expect(harness.condition('Ready')?.message).toContain(theirs?.id ?? 'another endpoint');
      expect(harness.konnectWrites).toEqual([]);
      harness.clearRecords();
      await harness.resync();
      expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
      harness.delete();
      await harness.work();
      expect(where(harness)).toBe(before);
    },
  );
});

describe('after status was emptied, the operator finds everything again', () => {
  const choices: readonly SpecChoice[] = [
    usual,
    { api: 'v2', organization: { enabled: true } },
    { ...usual, api: 'v2' },
    { portals: [{ id: forum, enabled: false }] },
  ];

  test.each(choices)('without a duplicate, and with the authorization sent once: %j', async (choice) => {
    const harness = await inPlace(choice);
    const before = harness.destinations.map(({ id }) => id);
    const pointed = [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) =>
      harness.pointsAt(one),
    );
    harness.cluster.wipeStatus();
    harness.restart();
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites.toSorted()).toEqual([
      ...(before.length === 0 ? [] : ['PATCH global/v3/audit-log-destinations/ID']).map((call) =>
        choice.api === 'v2' ? call.replace('v3', 'v2') : call,
      ),
      ...(choice.api === 'v2' ? ['PATCH us/v2/audit-log-webhook'] : []),
    ]);
    expect(harness.destinations.map(({ id }) => id)).toEqual(before);
    expect(
      [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one)),
    ).toEqual(pointed);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.delete();
    await harness.work();
    expect(harness.destinations).toEqual([]);
    expect(
      [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one)),
    ).toEqual(Array.from({ length: 3 }, () => 'nothing off'));
  });

  test('and the forwarding deleted at once, the operator writes nothing', async () => {
    const harness = await inPlace();
    harness.cluster.wipeStatus();
    harness.delete();
    await harness.settle();
    expect(harness.konnectWrites).toEqual([]);
  });
});
