import { describe, expect, test } from '@jest/globals';
import { changeDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { Destination } from '../../../../sandbox/konnect/model.ts';
import { forum, key, nowhere, type SpecChoice, type Stage, shop, specOf, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { open, inPlace } = useStages();

function pointed(stage: Stage): string[] {
  return [stage.portal(shop), stage.portal(forum), stage.webhook()].map((one) => stage.pointsAt(one));
}

const theirsEverywhere = ['theirs on', 'theirs on', 'theirs on'];
const oursEverywhere = [`${key} on`, `${key} on`, `${key} on`];
const nothing = ['nothing off', 'nothing off', 'nothing off'];

/** Refers to somebody else's destination, which is made before anything happens. */
async function referring(
  by: 'id' | 'name',
  choice: SpecChoice = usual,
): Promise<{ stage: Stage; theirs: Destination }> {
  const stage = await open({ ...choice, destinationRef: { name: 'theirs' } });
  const theirs = stage.createForeign('theirs');
  stage.cluster.edit(() => specOf({ ...choice, destinationRef: by === 'id' ? { id: theirs.id } : { name: 'theirs' } }));
  stage.cluster.secrets.delete('siem');
  return { stage, theirs };
}

function destinationCalls(stage: Stage): string[] {
  return stage.konnectWrites.filter((call) => call.includes('destinations'));
}

describe.each(['id', 'name'] as const)('a destination of somebody else, by %s', (by) => {
  test('is attached to, without a Secret of the SIEM, and never changed nor deleted', async () => {
    const { stage, theirs } = await referring(by);
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage)).toEqual(theirsEverywhere);
    expect(stage.status.destination).toEqual({ id: theirs.id, name: by === 'id' ? '' : 'theirs', managed: false });
    changeDestination(stage.konnect.model, stage.organization, theirs.id, {
      endpoint: 'https://new.example.com/',
      logFormat: 'json',
    });
    stage.portal(shop).enabled = false;
    await stage.interval();
    expect(pointed(stage)).toEqual(theirsEverywhere);
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    stage.delete();
    await stage.work();
    expect(stage.cluster.object).toBeUndefined();
    expect(pointed(stage)).toEqual(nothing);
    expect(destinationCalls(stage)).toEqual([]);
    expect(stage.destinations).toMatchObject([
      { id: theirs.id, endpoint: 'https://new.example.com/', logFormat: 'json' },
    ]);
  });

  test('takes the place of our own by re-pointing, and our own is deleted; and back again', async () => {
    const stage = await inPlace();
    const theirs = stage.createForeign('theirs');
    const seen: string[][] = [];
    stage.onKonnectCall = () => seen.push(pointed(stage));
    stage.cluster.edit(() =>
      specOf({ ...usual, destinationRef: by === 'id' ? { id: theirs.id } : { name: 'theirs' } }),
    );
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage)).toEqual(theirsEverywhere);
    expect(stage.destinations).toEqual([theirs]);
    expect(stage.status.cleanup).toBeUndefined();
    stage.cluster.edit(() => specOf(usual));
    await stage.work();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage)).toEqual(oursEverywhere);
    expect(stage.destinations.map((one) => one.name)).toEqual(['theirs', key]);
    expect(stage.destinations[0]).toEqual(theirs);
    expect(seen.flat().filter((one) => one.endsWith(' off'))).toEqual([]);
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
  });

  test('that is not there stops it, and says so; and is found when it comes', async () => {
    const stage = await open({ ...usual, destinationRef: by === 'id' ? { id: nowhere } : { name: 'theirs' } });
    await stage.work();
    expect(stage.verdict).toBe('False DestinationNotFound Stalled');
    expect(stage.condition('Ready')?.message).toContain(by === 'id' ? nowhere : '"theirs"');
    expect(stage.konnectWrites).toEqual([]);
    const { id } = stage.createForeign('theirs');
    if (by === 'id') stage.cluster.edit(() => specOf({ ...usual, destinationRef: { id } }));
    await stage.interval();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage)).toEqual(theirsEverywhere);
  });

  test('that is gone later says so, and what pointed at it is taken again when there is one', async () => {
    const { stage } = await referring(by);
    await stage.work();
    stage.organization.destinations.length = 0;
    stage.forget();
    await stage.interval();
    expect(stage.verdict).toBe('False DestinationNotFound Stalled');
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.status.portals).toHaveLength(2);
    const { id } = stage.createForeign('theirs');
    if (by === 'id') stage.cluster.edit(() => specOf({ ...usual, destinationRef: { id } }));
    await stage.interval();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage)).toEqual(theirsEverywhere);
  });

  test('that is gone by the time of deletion is no reason to stay', async () => {
    const { stage } = await referring(by);
    await stage.work();
    stage.organization.destinations.length = 0;
    await stage.interval();
    stage.delete();
    await stage.work();
    expect(stage.cluster.object).toBeUndefined();
    expect(pointed(stage)).toEqual(nothing);
  });
});

test('several of the name stop it, with their IDs', async () => {
  const stage = await open({ ...usual, destinationRef: { name: 'theirs' } }, { duplicateNames: 'allowed' });
  const ids = [stage.createForeign('theirs'), stage.createForeign('theirs')].map(({ id }) => id);
  await stage.work();
  expect(stage.verdict).toBe('False DestinationNotFound Stalled');
  for (const id of ids) expect(stage.condition('Ready')?.message).toContain(id);
  expect(stage.konnectWrites).toEqual([]);
});

test('another one is attached to by re-pointing', async () => {
  const { stage } = await referring('name');
  await stage.work();
  stage.createForeign('others');
  const seen: string[] = [];
  stage.onKonnectCall = () => seen.push(...pointed(stage));
  stage.cluster.edit(() => specOf({ ...usual, destinationRef: { name: 'others' } }));
  await stage.work();
  expect(pointed(stage)).toEqual(['others on', 'others on', 'others on']);
  expect(seen.filter((one) => one.endsWith('off'))).toEqual([]);
  expect(stage.destinations.map((one) => one.name)).toEqual(['theirs', 'others']);
});

test.each(['Never', 'IfMatching', 'Always'] as const)(
  'a webhook in use is judged by the endpoint of the destination that is referred to: %s',
  async (adoptionPolicy) => {
    const portals = [{ id: shop, enabled: true }];
    const { stage } = await referring('name', { portals, adoptionPolicy });
    const { id } = stage.createForeign('twin');
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(shop), { kind: 'destination', id });
    await stage.work();
    expect(stage.verdict).toBe(adoptionPolicy === 'Never' ? 'False WebhookInUse Stalled' : 'True InSync');
  },
);

describe('two forwardings that refer to one destination', () => {
  const portals = [{ id: shop, enabled: true }];
  const choice: SpecChoice = { portals, destinationRef: { name: 'theirs' } };
  const younger = 'platform/later';

  async function two(): Promise<Stage> {
    const stage = await open(choice);
    stage.createForeign('theirs');
    await stage.work();
    stage.add(choice, younger);
    await stage.work();
    expect([stage.verdict, stage.verdictOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
    return stage;
  }

  test('do not share a portal, though nothing would have to be written', async () => {
    const stage = await two();
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    stage.delete(younger);
    await stage.work();
    expect(stage.cluster.objects.has(younger)).toBe(false);
    expect(stage.pointsAt(stage.portal(shop))).toBe('theirs on');
  });

  test('do not detach each other, when one that holds something else goes', async () => {
    const stage = await two();
    stage.cluster.edit((spec) => ({ ...spec, portals: [...portals, { id: forum, enabled: true }] }), younger);
    await stage.work();
    expect(stage.pointsAt(stage.portal(forum))).toBe('theirs on');
    stage.delete(younger);
    await stage.work();
    expect(stage.cluster.objects.has(younger)).toBe(false);
    expect([stage.portal(shop), stage.portal(forum)].map((one) => stage.pointsAt(one))).toEqual([
      'theirs on',
      'nothing off',
    ]);
  });

  test('hand it over without a write', async () => {
    const stage = await two();
    stage.forget();
    stage.delete();
    await stage.work();
    expect(stage.cluster.object).toBeUndefined();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.verdictOf(younger)).toBe('True InSync');
    expect(stage.pointsAt(stage.portal(shop))).toBe('theirs on');
    stage.delete(younger);
    await stage.work();
    expect(stage.pointsAt(stage.portal(shop))).toBe('nothing off');
  });
});

test('what Konnect calls a destination that is referred to by its ID stays out of status, however long it is and whatever it holds', async () => {
  const stage = await open({ ...usual, destinationRef: { name: 'theirs' } });
  const theirs = stage.createForeign(`https://siem.example.com/CANARY${'x'.repeat(100)}`);
  stage.cluster.edit(() => specOf({ ...usual, destinationRef: { id: theirs.id } }));
  await stage.work();
  expect(stage.verdict).toBe('True InSync');
  expect(stage.status.destination).toEqual({ id: theirs.id, name: '', managed: false });
});
