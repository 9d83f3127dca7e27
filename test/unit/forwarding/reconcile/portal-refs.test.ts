import { describe, expect, test } from '@jest/globals';
import type { PortalObject } from '../../../../src/forwarding/ports.ts';
import { key, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { forum, garden, green, laden, nowhere, shop, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { attached, byRef, mixed, pointed, portal, withShop } from '../support/portal-refs.ts';
import { useHarness } from '../support/use-harness.ts';

const { open } = useHarness();
const nothing = 'nothing off';

const standing = async (choice: SpecChoice = mixed): Promise<Harness> => withShop(await open(choice));

test('portals by ID and by Portal objects are attached alike, and counted together', async () => {
  const harness = await standing();
  expect(pointed(harness, shop, forum)).toEqual([attached, attached]);
  expect(harness.status).toMatchObject({
    portalsReady: '2/2',
    portals: [
      { id: shop, ref: 'shop', state: 'on' },
      { id: forum, state: 'on' },
    ],
  });
  expect(harness.status.portals?.[1]).not.toHaveProperty('ref');
  await harness.resync();
  expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
});

test('a reference that is switched off is attached and off', async () => {
  const harness = await standing({ portalRefs: [{ name: 'shop', enabled: false }] });
  expect(pointed(harness, shop)).toEqual([`${key} off`]);
  expect(harness.status.portals).toMatchObject([{ ref: 'shop', enabled: false, state: 'off' }]);
});

test('nothing but the Portals that are named is read beside what is read without them', async () => {
  const reads = async (choice: SpecChoice) => {
    const harness = await standing(choice);
    const seen: string[] = [];
    const around = harness.cluster.around;
    harness.cluster.around = (name, deed) => {
      seen.push(name);
      return around(name, deed);
    };
    await harness.resync();
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
  const put = (harness: Harness) => {
    if (object === undefined) harness.cluster.portals.delete('shop');
    else harness.cluster.portals.set('shop', object);
  };

  test('from the beginning does not keep the other portals waiting', async () => {
    const harness = await open(mixed);
    put(harness);
    expect(await harness.reconcile()).toMatchObject({ kind: next });
    expect(harness.readiness).toBe(verdict);
    expect(pointed(harness, forum, shop)).toEqual([attached, nothing]);
    expect(harness.status.portalsReady).toBe('1/2');
    expect(harness.condition('DestinationReady')?.status).toBe('True');

    harness.clearRecords();
    await harness.reconcile();
    expect([harness.konnectWrites, harness.cluster.writes, harness.cluster.announcements]).toEqual([[], 0, []]);

    harness.cluster.portals.set('shop', portal(shop));
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness, forum, shop)).toEqual([attached, attached]);
  });

  test(`later on ${keeps ? 'keeps its webhook, which is corrected all the same' : 'loses its webhook'}`, async () => {
    const harness = await standing();
    put(harness);
    await harness.reconcile();
    expect(harness.readiness).toBe(verdict);
    expect(harness.status.portalsReady).toBe('1/2');
    expect(pointed(harness, forum, shop)).toEqual([attached, keeps ? attached : nothing]);
    expect(harness.status.cleanup).toBeUndefined();

    harness.portal(forum).enabled = false;
    harness.portal(shop).enabled = false;
    await harness.reconcile();
    expect(pointed(harness, forum, shop)).toEqual([attached, keeps ? attached : nothing]);
    expect(harness.readiness).toBe(verdict);

    harness.cluster.portals.set('shop', portal(shop));
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    expect(pointed(harness, shop)).toEqual([attached]);
  });

  test('and that alone is named makes no destination, and lets none go', async () => {
    const harness = await open(byRef);
    put(harness);
    await harness.reconcile();
    expect([harness.konnectWrites, harness.status.portalsReady]).toEqual([[], '0/1']);
    harness.cluster.portals.set('shop', portal(shop));
    await harness.reconcile();
    const [made] = harness.destinations;
    put(harness);
    await harness.reconcile();
    expect(harness.destinations).toEqual([made]);
  });

  test('does not hinder the deletion of the forwarding', async () => {
    const harness = await standing();
    put(harness);
    const reads: string[] = [];
    const around = harness.cluster.around;
    harness.cluster.around = (name, deed) => {
      reads.push(name);
      return around(name, deed);
    };
    harness.delete();
    await harness.settle();
    expect(harness.cluster.object).toBeUndefined();
    expect([...pointed(harness, forum, shop), harness.destinations.length]).toEqual([nothing, nothing, 0]);
    expect(reads).not.toContain('read portal');
  });
});

test('a failing API server leaves everything as it was, and Ready too during the grace period', async () => {
  const harness = await standing();
  harness.cluster.portals.set('shop', { kind: 'unreadable', retryAfterMs: 7_000 });
  expect(await harness.reconcile()).toMatchObject({ kind: 'retry', minDelayMs: 7_000 });
  expect(harness.condition('Ready')).toMatchObject({ status: 'True', reason: 'InSync' });
  expect(harness.condition('Reconciling')?.reason).toBe('PortalRefUnreadable');
  expect(harness.status).toMatchObject({ portalsReady: '2/2', portals: [{ state: 'on' }, { state: 'on' }] });
  expect(JSON.stringify(harness.status.portals)).not.toContain('reason');
  harness.clock.ms += 31 * 60_000;
  await harness.reconcile();
  expect(harness.readiness).toBe('Unknown PortalRefUnreadable Reconciling');
  expect([pointed(harness, shop), harness.konnectWrites]).toEqual([[attached], []]);
});

test('a Portal that was created again replaces the previous one, whose portal no longer exists in Konnect', async () => {
  const harness = await standing(byRef);
  harness.organization.portals.delete(shop);
  harness.cluster.portals.set('shop', portal(undefined));
  await harness.reconcile();
  // One reason, and not also that the portal from before is gone.
  expect(harness.readiness).toBe('False PortalRefNotReady Reconciling');
  expect(harness.condition('Ready')?.message).not.toContain(shop);
  harness.cluster.portals.set('shop', portal(forum));
  await harness.resync();
  expect([harness.readiness, pointed(harness, forum)]).toEqual(['True InSync', [attached]]);
  expect(harness.status).toMatchObject({ portalsReady: '1/1', portals: [{ id: forum, ref: 'shop' }] });
  // Konnect answers the same for a portal that the token may not see, so the operator looks for it for a day.
  expect(harness.status.cleanup).toMatchObject([{ id: shop, reason: 'PortalNotFound' }]);
});

test('a portal that Konnect does not show is named by its ID and its reference', async () => {
  const harness = await open(byRef);
  harness.cluster.portals.set('shop', portal(nowhere));
  await harness.reconcile();
  expect(harness.readiness).toBe('False PortalNotFound Stalled');
  const { message = '' } = harness.condition('Ready') ?? {};
  for (const word of [`portal ${nowhere}`, 'check spec.portalRefs[shop], spec.konnect.region']) {
    expect(message).toContain(word);
  }
});

describe('a reference that leaves spec', () => {
  test.each(situations)('detaches its portal, though the Portal %s', async (_title, object) => {
    const harness = await standing();
    if (object !== undefined) harness.cluster.portals.set('shop', object);
    harness.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] }));
    await harness.work();
    expect([harness.readiness, ...pointed(harness, forum, shop)]).toEqual(['True InSync', attached, nothing]);
    expect(harness.status.portals?.map(({ id }) => id)).toEqual([forum]);
  });

  test('in favor of the ID of its portal changes nothing in Konnect, nor does the way back', async () => {
    const harness = await standing(byRef);
    harness.cluster.edit(() => specOf({ portals: [{ id: shop, enabled: true }] }));
    await harness.work();
    expect(harness.status.portals?.[0]).not.toHaveProperty('ref');
    harness.cluster.edit(() => specOf(byRef));
    await harness.work();
    expect([harness.readiness, harness.konnectWrites]).toEqual(['True InSync', []]);
    expect(harness.status.portals).toMatchObject([{ id: shop, ref: 'shop' }]);
  });

  test('and comes back before it is cleaned up is restored with its name', async () => {
    const harness = await standing();
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'DELETE' } });
    harness.cluster.edit(() => specOf({ portals: [{ id: forum, enabled: true }] }));
    await harness.reconcile();
    expect(harness.status.cleanup).toMatchObject([{ kind: 'portal', id: shop }]);
    harness.konnect.control.clearFaults();
    harness.cluster.edit(() => specOf(mixed));
    harness.clearRecords();
    await harness.work();
    expect([harness.readiness, harness.konnectWrites, pointed(harness, shop)]).toEqual(['True InSync', [], [attached]]);
  });
});

describe('Observe', () => {
  test('reports what a reference would attach, what cannot be read, and writes nothing', async () => {
    const harness = await open({ ...mixed, mode: 'Observe' });
    harness.cluster.portals.set('shop', portal(shop));
    await harness.work();
    expect(harness.readiness).toBe('False Drifted');
    expect(harness.status.drift?.map(({ object }) => object)).toContain(`portal/${shop}`);
    harness.cluster.portals.set('shop', { kind: 'forbidden' });
    await harness.resync();
    expect(harness.readiness).toBe('False PortalRefForbidden Stalled');
    expect(harness.status.portalsReady).toBe('0/2');
    harness.cluster.portals.set('shop', portal(nowhere));
    await harness.resync();
    expect(harness.condition('Ready')?.message).toContain('check spec.portalRefs[shop]');
    expect([harness.konnectWrites, harness.status.portals]).toEqual([[], undefined]);
  });
});

describe('moving', () => {
  test('to another region waits for a Portal of that region, and goes on here meanwhile', async () => {
    const harness = await standing(byRef);
    harness.cluster.edit(() => specOf({ ...byRef, region: 'eu' }));
    await harness.work();
    expect(harness.readiness).toBe('False PortalRefMismatch Stalled');
    expect(pointed(harness, shop)).toEqual([attached]);
    harness.cluster.portals.set('laden', portal(laden, { serverURL: 'eu.api.konghq.com' }));
    harness.cluster.edit(() => specOf({ portalRefs: [{ name: 'laden', enabled: true }], region: 'eu' }));
    await harness.work();
    expect([harness.readiness, ...pointed(harness, laden, shop)]).toEqual(['True InSync', attached, nothing]);
  });

  test('to another organization takes the Portal of that one', async () => {
    const harness = await standing(byRef);
    harness.cluster.putSecret('konnect', { token: tokens.green });
    await harness.reconcile();
    expect(harness.readiness).toBe('False PortalRefMismatch Stalled');
    harness.cluster.portals.set('shop', portal(garden, { organizationID: green }));
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.organizationOf(green).portals.get(garden)?.webhook.enabled).toBe(true);
    expect(pointed(harness, shop)).toEqual([nothing]);
  });
});

test('a refused webhook that another client pointed at the forwarding’s destination is detached with the rest', async () => {
  const harness = await open(mixed);
  harness.cluster.portals.set('shop', portal(shop));
  const theirs = harness.createForeign('theirs');
  Object.assign(harness.portal(shop), { target: { kind: 'destination', id: theirs.id }, enabled: true });
  await harness.work();
  expect(harness.readiness).toBe('False WebhookInUse Stalled');
  const own = harness.destinations.find(({ name }) => name === key);
  Object.assign(harness.portal(shop), { target: { kind: 'destination', id: own?.id } });
  harness.delete();
  await harness.settle();
  expect(pointed(harness, shop, forum)).toEqual([nothing, nothing]);
});
