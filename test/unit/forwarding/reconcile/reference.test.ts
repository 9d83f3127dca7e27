import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { Destination } from '../../../../sandbox/konnect/model.ts';
import { key, type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, nowhere, sharedSiem, shop, siem } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();

function pointed(harness: Harness): string[] {
  return [harness.portal(shop), harness.portal(forum), harness.webhook()].map((one) => harness.pointsAt(one));
}

const theirsEverywhere = ['theirs on', 'theirs on', 'theirs on'];
const oursEverywhere = [`${key} on`, `${key} on`, `${key} on`];
const nothing = ['nothing off', 'nothing off', 'nothing off'];

/** Refers to a destination of another client, which exists before the first reconciliation. */
async function referring(
  by: 'id' | 'name',
  choice: SpecChoice = usual,
  endpoint?: string,
): Promise<{ harness: Harness; theirs: Destination }> {
  const harness = await open({ ...choice, destinationRef: { name: 'theirs' } });
  const theirs = harness.createForeign('theirs', endpoint);
  harness.cluster.edit(() =>
    specOf({ ...choice, destinationRef: by === 'id' ? { id: theirs.id } : { name: 'theirs' } }),
  );
  harness.cluster.secrets.delete('siem');
  return { harness, theirs };
}

function destinationCalls(harness: Harness): string[] {
  return harness.konnectWrites.filter((call) => call.includes('destinations'));
}

describe.each(['id', 'name'] as const)('a destination of another client, by %s', (by) => {
  test('is attached to, without a Secret of the SIEM, and never changed nor deleted', async () => {
    const { harness, theirs } = await referring(by);
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness)).toEqual(theirsEverywhere);
    expect(harness.status.destination).toEqual({ id: theirs.id, name: by === 'id' ? '' : 'theirs', managed: false });
    changeDestination(harness.konnect.model, harness.organization, theirs.id, {
      endpoint: 'https://new.example.com/',
      logFormat: 'json',
    });
    harness.portal(shop).enabled = false;
    await harness.resync();
    expect(pointed(harness)).toEqual(theirsEverywhere);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.delete();
    await harness.work();
    expect(harness.cluster.object).toBeUndefined();
    expect(pointed(harness)).toEqual(nothing);
    expect(destinationCalls(harness)).toEqual([]);
    expect(harness.destinations).toMatchObject([
      { id: theirs.id, endpoint: 'https://new.example.com/', logFormat: 'json' },
    ]);
  });

  test('replaces the own destination, which is deleted after the webhooks have moved; and back again', async () => {
    const harness = await inPlace();
    const theirs = harness.createForeign('theirs');
    const seen: string[][] = [];
    harness.onKonnectCall = () => seen.push(pointed(harness));
    harness.cluster.edit(() =>
      specOf({ ...usual, destinationRef: by === 'id' ? { id: theirs.id } : { name: 'theirs' } }),
    );
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness)).toEqual(theirsEverywhere);
    expect(harness.destinations).toEqual([theirs]);
    expect(harness.status.cleanup).toBeUndefined();
    harness.cluster.edit(() => specOf(usual));
    await harness.work();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness)).toEqual(oursEverywhere);
    expect(harness.destinations.map((one) => one.name)).toEqual(['theirs', key]);
    expect(harness.destinations[0]).toEqual(theirs);
    expect(seen.flat().filter((one) => one.endsWith(' off'))).toEqual([]);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
  });

  test('that does not exist is a problem, and is found when it exists', async () => {
    const harness = await open({ ...usual, destinationRef: by === 'id' ? { id: nowhere } : { name: 'theirs' } });
    await harness.work();
    expect(harness.readiness).toBe('False DestinationNotFound Stalled');
    expect(harness.condition('Ready')?.message).toContain(by === 'id' ? nowhere : '"theirs"');
    expect(harness.konnectWrites).toEqual([]);
    const { id } = harness.createForeign('theirs');
    if (by === 'id') harness.cluster.edit(() => specOf({ ...usual, destinationRef: { id } }));
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness)).toEqual(theirsEverywhere);
  });

  test('that is deleted later is a problem, and webhooks are attached again when there is another one', async () => {
    const { harness } = await referring(by);
    await harness.work();
    harness.organization.destinations.length = 0;
    harness.clearRecords();
    await harness.resync();
    expect(harness.readiness).toBe('False DestinationNotFound Stalled');
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.status.portals).toHaveLength(2);
    const { id } = harness.createForeign('theirs');
    if (by === 'id') harness.cluster.edit(() => specOf({ ...usual, destinationRef: { id } }));
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness)).toEqual(theirsEverywhere);
  });

  test('that no longer exists does not delay a deletion', async () => {
    const { harness } = await referring(by);
    await harness.work();
    harness.organization.destinations.length = 0;
    await harness.resync();
    harness.delete();
    await harness.work();
    expect(harness.cluster.object).toBeUndefined();
    expect(pointed(harness)).toEqual(nothing);
  });
});

test('several with the same name are a problem that names their IDs', async () => {
  const harness = await open({ ...usual, destinationRef: { name: 'theirs' } }, { duplicateNames: 'allowed' });
  const ids = [harness.createForeign('theirs'), harness.createForeign('theirs')].map(({ id }) => id);
  await harness.work();
  expect(harness.readiness).toBe('False DestinationNotFound Stalled');
  for (const id of ids) expect(harness.condition('Ready')?.message).toContain(id);
  expect(harness.konnectWrites).toEqual([]);
});

test('another one is attached to by re-pointing', async () => {
  const { harness } = await referring('name');
  await harness.work();
  harness.createForeign('others');
  const seen: string[] = [];
  harness.onKonnectCall = () => seen.push(...pointed(harness));
  harness.cluster.edit(() => specOf({ ...usual, destinationRef: { name: 'others' } }));
  await harness.work();
  expect(pointed(harness)).toEqual(['others on', 'others on', 'others on']);
  expect(seen.filter((one) => one.endsWith('off'))).toEqual([]);
  expect(harness.destinations.map((one) => one.name)).toEqual(['theirs', 'others']);
});

test.each([
  ['Never', siem.endpoint, 'False WebhookInUse Stalled'],
  ['IfMatching', siem.endpoint, 'True InSync'],
  ['IfMatching', sharedSiem.endpoint, 'False WebhookInUse Stalled'],
  ['Always', sharedSiem.endpoint, 'True InSync'],
] as const)(
  'a webhook in use is judged by the endpoint of the destination that is referred to: %s, endpoint %s',
  async (adoptionPolicy, endpoint, readiness) => {
    const portals = [{ id: shop, enabled: true }];
    const { harness } = await referring('name', { portals, adoptionPolicy }, endpoint);
    const { id } = harness.createForeign('twin', endpoint);
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(shop), { kind: 'destination', id });
    await harness.work();
    expect(harness.readiness).toBe(readiness);
  },
);

describe('two forwardings that refer to one destination', () => {
  const portals = [{ id: shop, enabled: true }];
  const choice: SpecChoice = { portals, destinationRef: { name: 'theirs' } };
  const younger = 'platform/later';

  async function two(): Promise<Harness> {
    const harness = await open(choice);
    harness.createForeign('theirs');
    await harness.work();
    harness.add(choice, younger);
    await harness.work();
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
    return harness;
  }

  test('do not share a portal, even if no write is needed', async () => {
    const harness = await two();
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.delete(younger);
    await harness.work();
    expect(harness.cluster.objects.has(younger)).toBe(false);
    expect(harness.pointsAt(harness.portal(shop))).toBe('theirs on');
  });

  test('do not detach each other when one of them is deleted', async () => {
    const harness = await two();
    harness.cluster.edit((spec) => ({ ...spec, portals: [...portals, { id: forum, enabled: true }] }), younger);
    await harness.work();
    expect(harness.pointsAt(harness.portal(forum))).toBe('theirs on');
    harness.delete(younger);
    await harness.work();
    expect(harness.cluster.objects.has(younger)).toBe(false);
    expect([harness.portal(shop), harness.portal(forum)].map((one) => harness.pointsAt(one))).toEqual([
      'theirs on',
      'nothing off',
    ]);
  });

  test('hand it over without a write', async () => {
    const harness = await two();
    harness.clearRecords();
    harness.delete();
    await harness.work();
    expect(harness.cluster.object).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.readinessOf(younger)).toBe('True InSync');
    expect(harness.pointsAt(harness.portal(shop))).toBe('theirs on');
    harness.delete(younger);
    await harness.work();
    expect(harness.pointsAt(harness.portal(shop))).toBe('nothing off');
  });
});

test('the name of a destination that spec refers to by ID is not in status', async () => {
  const harness = await open({ ...usual, destinationRef: { name: 'theirs' } });
  const theirs = harness.createForeign(`https://siem.example.com/CANARY${'x'.repeat(100)}`);
  harness.cluster.edit(() => specOf({ ...usual, destinationRef: { id: theirs.id } }));
  await harness.work();
  expect(harness.readiness).toBe('True InSync');
  expect(harness.status.destination).toEqual({ id: theirs.id, name: '', managed: false });
});

test('a reference to nothing under live webhooks writes nothing at rest', async () => {
  const harness = await inPlace();
  harness.cluster.edit(() => specOf({ ...usual, destinationRef: { name: 'misspelt' } }));
  await harness.work();
  await harness.resync();
  harness.clearRecords();
  await harness.resync();
  expect(pointed(harness)).toEqual(oursEverywhere);
  expect(harness.readiness).toBe('False DestinationNotFound Stalled');
  expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
});
