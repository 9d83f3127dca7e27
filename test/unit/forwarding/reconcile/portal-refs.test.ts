import { describe, expect, test } from '@jest/globals';
import type { PortalObject } from '../../../../src/forwarding/ports.ts';
import {
  blue,
  forum,
  garden,
  green,
  key,
  laden,
  nowhere,
  otherSiem,
  type SpecChoice,
  type Stage,
  shop,
  specOf,
  tokens,
} from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { open } = useStages();
const younger = 'other/later';
const attached = `${key} on`;
const nothing = 'nothing off';

const byRef: SpecChoice = { portalRefs: [{ name: 'shop', enabled: true }] };
const mixed: SpecChoice = { portals: [{ id: forum, enabled: true }], ...byRef };

function portal(id: string | undefined, change: Partial<Extract<PortalObject, { kind: 'portal' }>> = {}): PortalObject {
  return { kind: 'portal', id, organizationID: blue, serverURL: 'https://us.api.konghq.com', ...change };
}

/** A forwarding in place, with a Portal that stands for the shop. */
async function standing(choice: SpecChoice = mixed): Promise<Stage> {
  const stage = await open(choice);
  stage.cluster.portals.set('shop', portal(shop));
  await stage.work();
  expect(stage.verdict).toBe('True InSync');
  stage.forget();
  return stage;
}

function pointed(stage: Stage, ...ids: string[]): string[] {
  return ids.map((id) => stage.pointsAt(stage.portal(id)));
}

test('portals by ID and by Portal objects are attached alike, and counted together', async () => {
  const stage = await standing();
  expect(pointed(stage, shop, forum)).toEqual([attached, attached]);
  expect(stage.status).toMatchObject({
    portalsReady: '2/2',
    portals: [
      { id: shop, ref: 'shop', state: 'on' },
      { id: forum, state: 'on' },
    ],
  });
  expect(stage.status.portals?.[1]).not.toHaveProperty('ref');
  await stage.interval();
  expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
});

test('a reference that is switched off is attached and off', async () => {
  const stage = await standing({ portalRefs: [{ name: 'shop', enabled: false }] });
  expect(pointed(stage, shop)).toEqual([`${key} off`]);
  expect(stage.status.portals).toMatchObject([{ ref: 'shop', enabled: false, state: 'off' }]);
});

test('nothing but the Portals that are named is read beside what is read without them', async () => {
  const reads = async (choice: SpecChoice) => {
    const stage = await standing(choice);
    const seen: string[] = [];
    const around = stage.cluster.around;
    stage.cluster.around = (name, deed) => {
      seen.push(name);
      return around(name, deed);
    };
    await stage.interval();
    return seen.toSorted();
  };
  expect(await reads({ portals: [{ id: shop, enabled: true }] })).toEqual(['read secret', 'read secret']);
  expect(await reads(mixed)).toEqual(['read portal', 'read secret', 'read secret']);
});

const situations: readonly (readonly [
  string,
  PortalObject | undefined,
  { verdict: string; next: string; keeps: boolean },
])[] = [
  ['is not there', undefined, { verdict: 'False PortalRefNotFound Reconciling', next: 'retry', keeps: false }],
  ['has no ID yet', portal(undefined), { verdict: 'False PortalRefNotReady Reconciling', next: 'retry', keeps: true }],
  [
    'is of another organization',
    portal(shop, { organizationID: green }),
    { verdict: 'False PortalRefMismatch Stalled', next: 'requeue', keeps: false },
  ],
  [
    'is of another region',
    portal(laden, { serverURL: 'https://eu.api.konghq.com' }),
    { verdict: 'False PortalRefMismatch Stalled', next: 'requeue', keeps: false },
  ],
  [
    'is of a kind that is not served',
    { kind: 'unserved' },
    { verdict: 'False PortalRefNotServed Stalled', next: 'requeue', keeps: true },
  ],
  [
    'may not be read',
    { kind: 'forbidden' },
    { verdict: 'False PortalRefForbidden Stalled', next: 'requeue', keeps: true },
  ],
];

describe.each(situations)('a Portal that %s', (_title, object, { verdict, next, keeps }) => {
  const put = (stage: Stage) => {
    if (object === undefined) stage.cluster.portals.delete('shop');
    else stage.cluster.portals.set('shop', object);
  };

  test('from the beginning does not keep the other portals waiting', async () => {
    const stage = await open(mixed);
    put(stage);
    expect(await stage.pass()).toMatchObject({ kind: next });
    expect(stage.verdict).toBe(verdict);
    expect(pointed(stage, forum, shop)).toEqual([attached, nothing]);
    expect(stage.status.portalsReady).toBe('1/2');
    expect(stage.condition('DestinationReady')?.status).toBe('True');

    stage.forget();
    await stage.pass();
    expect([stage.konnectWrites, stage.cluster.writes, stage.cluster.announcements]).toEqual([[], 0, []]);

    stage.cluster.portals.set('shop', portal(shop));
    await stage.pass();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage, forum, shop)).toEqual([attached, attached]);
  });

  test(`later on ${keeps ? 'keeps its webhook, which is put right all the same' : 'loses its webhook'}`, async () => {
    const stage = await standing();
    put(stage);
    await stage.pass();
    expect(stage.verdict).toBe(verdict);
    expect(stage.status.portalsReady).toBe('1/2');
    expect(pointed(stage, forum, shop)).toEqual([attached, keeps ? attached : nothing]);
    expect(stage.status.cleanup).toBeUndefined();

    stage.portal(forum).enabled = false;
    stage.portal(shop).enabled = false;
    await stage.pass();
    expect(pointed(stage, forum, shop)).toEqual([attached, keeps ? attached : nothing]);
    expect(stage.verdict).toBe(verdict);

    stage.cluster.portals.set('shop', portal(shop));
    await stage.pass();
    expect(stage.verdict).toBe('True InSync');
    expect(pointed(stage, shop)).toEqual([attached]);
  });

  test('and that alone is named makes no destination, and lets none go', async () => {
    const stage = await open(byRef);
    put(stage);
    await stage.pass();
    expect([stage.konnectWrites, stage.status.portalsReady]).toEqual([[], '0/1']);
    stage.cluster.portals.set('shop', portal(shop));
    await stage.pass();
    const [made] = stage.destinations;
    put(stage);
    await stage.pass();
    expect(stage.destinations).toEqual([made]);
  });

  test('does not hinder the deletion of the forwarding', async () => {
    const stage = await standing();
    put(stage);
    const reads: string[] = [];
    const around = stage.cluster.around;
    stage.cluster.around = (name, deed) => {
      reads.push(name);
      return around(name, deed);
    };
    stage.delete();
    await stage.settle();
    expect(stage.cluster.object).toBeUndefined();
    expect([...pointed(stage, forum, shop), stage.destinations.length]).toEqual([nothing, nothing, 0]);
    expect(reads).not.toContain('read portal');
  });
});

test('trouble of the API server leaves all as it was, Ready too, for as long as it is excused', async () => {
  const stage = await standing();
  stage.cluster.portals.set('shop', { kind: 'unreadable', retryAfterMs: 7_000 });
  expect(await stage.pass()).toMatchObject({ kind: 'retry', minDelayMs: 7_000 });
  expect(stage.condition('Ready')).toMatchObject({ status: 'True', reason: 'InSync' });
  expect(stage.condition('Reconciling')?.reason).toBe('PortalRefUnreadable');
  expect(stage.status).toMatchObject({ portalsReady: '2/2', portals: [{ state: 'on' }, { state: 'on' }] });
  expect(JSON.stringify(stage.status.portals)).not.toContain('reason');
  stage.clock.ms += 31 * 60_000;
  await stage.pass();
  expect(stage.verdict).toBe('Unknown PortalRefUnreadable Reconciling');
  expect([pointed(stage, shop), stage.konnectWrites]).toEqual([[attached], []]);
});

test('a Portal made anew takes the place of the one before, whose portal is gone from Konnect', async () => {
  const stage = await standing(byRef);
  stage.organization.portals.delete(shop);
  stage.cluster.portals.set('shop', portal(undefined));
  await stage.pass();
  // One reason, and not also that the portal from before is gone.
  expect(stage.verdict).toBe('False PortalRefNotReady Reconciling');
  expect(stage.condition('Ready')?.message).not.toContain(shop);
  stage.cluster.portals.set('shop', portal(forum));
  await stage.interval();
  expect([stage.verdict, pointed(stage, forum)]).toEqual(['True InSync', [attached]]);
  expect(stage.status).toMatchObject({ portalsReady: '1/1', portals: [{ id: forum, ref: 'shop' }] });
  expect(stage.status.cleanup).toBeUndefined();
});

test('a portal that Konnect does not show is named by its ID and its reference', async () => {
  const stage = await open(byRef);
  stage.cluster.portals.set('shop', portal(nowhere));
  await stage.pass();
  expect(stage.verdict).toBe('False PortalNotFound Stalled');
  const { message = '' } = stage.condition('Ready') ?? {};
  for (const word of [`portal ${nowhere}`, 'check spec.portalRefs[shop], spec.konnect.region']) {
    expect(message).toContain(word);
  }
});

describe('a reference that is taken out of spec', () => {
  test.each(situations)('detaches its portal, though the Portal %s', async (_title, object) => {
    const stage = await standing();
    if (object !== undefined) stage.cluster.portals.set('shop', object);
    stage.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] }));
    await stage.work();
    expect([stage.verdict, ...pointed(stage, forum, shop)]).toEqual(['True InSync', attached, nothing]);
    expect(stage.status.portals?.map(({ id }) => id)).toEqual([forum]);
  });

  test('in favor of the ID of its portal changes nothing in Konnect, nor does the way back', async () => {
    const stage = await standing(byRef);
    stage.cluster.edit(() => specOf({ portals: [{ id: shop, enabled: true }] }));
    await stage.work();
    expect(stage.status.portals?.[0]).not.toHaveProperty('ref');
    stage.cluster.edit(() => specOf(byRef));
    await stage.work();
    expect([stage.verdict, stage.konnectWrites]).toEqual(['True InSync', []]);
    expect(stage.status.portals).toMatchObject([{ id: shop, ref: 'shop' }]);
  });

  test('and comes back while its undoing still waits is taken back with its name', async () => {
    const stage = await standing();
    stage.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'DELETE' } });
    stage.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] }));
    await stage.pass();
    expect(stage.status.cleanup).toMatchObject([{ kind: 'portal', id: shop }]);
    stage.konnect.control.clearFaults();
    stage.cluster.edit(() => specOf(mixed));
    stage.forget();
    await stage.work();
    expect([stage.verdict, stage.konnectWrites, pointed(stage, shop)]).toEqual(['True InSync', [], [attached]]);
  });
});

describe('a portal that is named twice', () => {
  const twice = (enabled: boolean): SpecChoice => ({ portals: [{ id: shop, enabled }], ...byRef });

  test('is attached once, and is one of those that count', async () => {
    const stage = await standing(twice(true));
    expect(stage.status).toMatchObject({ portalsReady: '1/1', portals: [{ id: shop, ref: 'shop', state: 'on' }] });
  });

  test('with two wishes is a problem, and is as the ID says until one goes', async () => {
    const stage = await open(twice(false));
    stage.cluster.portals.set('shop', portal(shop));
    await stage.work();
    expect(stage.verdict).toBe('False PortalRefConflict Stalled');
    expect(stage.status).toMatchObject({ portalsReady: '0/1', portals: [{ reason: 'PortalRefConflict' }] });
    expect(pointed(stage, shop)).toEqual([`${key} off`]);
    stage.forget();
    await stage.interval();
    expect([stage.konnectWrites, stage.cluster.writes]).toEqual([[], 0]);
    stage.cluster.edit(() => specOf(byRef));
    await stage.work();
    expect([stage.verdict, pointed(stage, shop)]).toEqual(['True InSync', [attached]]);
  });
});

describe('Observe', () => {
  test('reports what a reference would attach, what cannot be read, and writes nothing', async () => {
    const stage = await open({ ...mixed, mode: 'Observe' });
    stage.cluster.portals.set('shop', portal(shop));
    await stage.work();
    expect(stage.verdict).toBe('False Drifted');
    expect(stage.status.drift?.map(({ object }) => object)).toContain(`portal/${shop}`);
    stage.cluster.portals.set('shop', { kind: 'forbidden' });
    await stage.interval();
    expect(stage.verdict).toBe('False PortalRefForbidden Stalled');
    expect(stage.status.portalsReady).toBe('0/2');
    stage.cluster.portals.set('shop', portal(nowhere));
    await stage.interval();
    expect(stage.condition('Ready')?.message).toContain('check spec.portalRefs[shop]');
    expect([stage.konnectWrites, stage.status.portals]).toEqual([[], undefined]);
  });
});

describe('moving', () => {
  test('to another region waits for a Portal of that region, and goes on here meanwhile', async () => {
    const stage = await standing(byRef);
    stage.cluster.edit(() => specOf({ ...byRef, region: 'eu' }));
    await stage.work();
    expect(stage.verdict).toBe('False PortalRefMismatch Stalled');
    expect(pointed(stage, shop)).toEqual([attached]);
    stage.cluster.portals.set('laden', portal(laden, { serverURL: 'eu.api.konghq.com' }));
    stage.cluster.edit(() => specOf({ portalRefs: [{ name: 'laden', enabled: true }], region: 'eu' }));
    await stage.work();
    expect([stage.verdict, ...pointed(stage, laden, shop)]).toEqual(['True InSync', attached, nothing]);
  });

  test('to another organization takes the Portal of that one', async () => {
    const stage = await standing(byRef);
    stage.cluster.putSecret('konnect', { token: tokens.green });
    await stage.pass();
    expect(stage.verdict).toBe('False PortalRefMismatch Stalled');
    stage.cluster.portals.set('shop', portal(garden, { organizationID: green }));
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.organizationOf(green).portals.get(garden)?.webhook.enabled).toBe(true);
    expect(pointed(stage, shop)).toEqual([nothing]);
  });
});

describe('two forwardings, one by ID and one by a Portal,', () => {
  const byID: SpecChoice = { portals: [{ id: shop, enabled: true }] };

  async function two(ofOlder: SpecChoice, ofYounger: SpecChoice): Promise<Stage> {
    const stage = await open(ofOlder);
    stage.cluster.portals.set('shop', portal(shop));
    stage.cluster.portals.set('other/shop', portal(shop));
    stage.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
    stage.cluster.putSecret('other/siem', otherSiem);
    await stage.work();
    stage.add(ofYounger, younger);
    await stage.work();
    return stage;
  }

  test.each([
    ['the ID is older', byID, byRef],
    ['the Portal is older', byRef, byID],
    ['both by Portals', byRef, byRef],
  ])('have one holder, and the other takes over without a gap: %s', async (_title, ofOlder, ofYounger) => {
    const stage = await two(ofOlder, ofYounger);
    expect([stage.verdict, stage.verdictOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
    expect(stage.condition('Ready', younger)?.message).toContain(`belongs to AuditLogForwarding ${key}`);
    stage.forget();
    await stage.interval();
    stage.restart();
    await stage.interval();
    expect([stage.konnectWrites, pointed(stage, shop)]).toEqual([[], [attached]]);

    const seen: string[] = [];
    stage.onKonnectCall = () => seen.push(stage.pointsAt(stage.portal(shop)));
    stage.delete();
    await stage.work();
    expect([stage.cluster.object, stage.verdictOf(younger)]).toEqual([undefined, 'True InSync']);
    expect([...new Set(seen)]).toEqual([attached, `${younger} on`]);
  });

  test('where the reference is taken out, the other takes over without a gap', async () => {
    const stage = await two({ ...byRef, organization: { enabled: true } }, byID);
    const seen: string[] = [];
    stage.onKonnectCall = () => seen.push(stage.pointsAt(stage.portal(shop)));
    stage.cluster.edit(() => specOf({ organization: { enabled: true } }));
    await stage.work();
    expect([stage.verdict, stage.verdictOf(younger)]).toEqual(['True InSync', 'True InSync']);
    expect([...new Set(seen)]).toEqual([attached, `${younger} on`]);
  });

  test('where the older learns its portal later, who holds it goes on', async () => {
    const stage = await open(byRef);
    stage.cluster.portals.set('shop', portal(undefined));
    stage.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
    stage.cluster.putSecret('other/siem', otherSiem);
    await stage.pass();
    stage.add(byID, younger);
    await stage.passOf(younger);
    expect(stage.verdictOf(younger)).toBe('True InSync');
    stage.cluster.portals.set('shop', portal(shop));
    stage.forget();
    await stage.pass();
    expect([stage.verdict, stage.konnectWrites]).toEqual(['False Claimed Stalled', []]);
    expect(stage.condition('Ready')?.message).toContain('remove spec.portalRefs[shop] here');
  });
});

test('a webhook of a reference that a hand pointed at ours after it was refused is detached with the rest', async () => {
  const stage = await open(mixed);
  stage.cluster.portals.set('shop', portal(shop));
  const theirs = stage.createForeign('theirs');
  Object.assign(stage.portal(shop), { target: { kind: 'destination', id: theirs.id }, enabled: true });
  await stage.work();
  expect(stage.verdict).toBe('False WebhookInUse Stalled');
  const own = stage.destinations.find(({ name }) => name === key);
  Object.assign(stage.portal(shop), { target: { kind: 'destination', id: own?.id } });
  stage.delete();
  await stage.settle();
  expect(pointed(stage, shop, forum)).toEqual([nothing, nothing]);
});
