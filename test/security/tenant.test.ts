/** What a tenant can do to others by forwardings of its own, on the whole of the domain and a whole Konnect. */
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { reconcileAnnotation, reconcileRequestOf, Spec, type Status } from '../../src/api/v1alpha1.ts';
import { conditionsOf } from '../../src/status/conditions.ts';
import { key, type SpecChoice, specOf } from '../support/forwarding-spec.ts';
import { forum, otherSiem, shop, siem, tokens } from '../support/konnect-fixtures.ts';
import type { Harness } from '../unit/forwarding/support/harness.ts';
import { useHarness } from '../unit/forwarding/support/use-harness.ts';
import { closed, listening } from '../unit/konnect/listening.ts';

const { open, inPlace } = useHarness();

const tenant = 'tenant/own';
const victim = key;
const onShop: SpecChoice = { portals: [{ id: shop, enabled: true }] };
const onForum: SpecChoice = { portals: [{ id: forum, enabled: true }] };

/** A tenant's forwarding that stands, older than that of the victim, which is still to come. Both in one organization. */
async function olderTenant(choice: SpecChoice, token: string = tokens.blueAgain): Promise<Harness> {
  const harness = await open({ ...choice, token: 'tenants-token', siem: 'tenants-siem' });
  harness.cluster.putSecret('tenants-token', { token });
  harness.cluster.putSecret('tenants-siem', otherSiem);
  await harness.work();
  harness.clearRecords();
  return harness;
}

async function addVictim(harness: Harness, choice: SpecChoice = onShop): Promise<string> {
  const name = 'victim/sumologic';
  harness.cluster.putSecret('victim/konnect', { token: tokens.blue });
  harness.cluster.putSecret('victim/siem', siem);
  harness.add(choice, name);
  await harness.work();
  return name;
}

describe('who is kept from looking at a thing claims it as little as who cannot see it', () => {
  const wants: readonly (readonly [what: string, change: SpecChoice, wanted: SpecChoice])[] = [
    ['a portal', { portals: [...(onForum.portals ?? []), { id: shop, enabled: true }] }, onShop],
    [
      "the organization's webhook",
      { ...onForum, organization: { enabled: true } },
      { organization: { enabled: true } },
    ],
    ['the name of a destination', { ...onForum, name: 'victim/sumologic' }, onShop],
  ];
  test.each(wants)('%s', async (_what, change, wanted) => {
    const harness = await olderTenant(onForum);
    // Its organization is proved, and from now on no pass gets beyond its Secrets.
    harness.cluster.edit(() => specOf({ ...change, token: 'tenants-token', siem: 'not-there' }));
    await harness.work();
    expect(harness.readiness).toBe('False SecretNotFound Reconciling');
    expect(harness.readinessOf(await addVictim(harness, wanted))).toBe('True InSync');
  });

  test('though the token is of the same organization, one without its roles', async () => {
    const harness = await olderTenant(onShop, tokens.readOnly);
    expect(harness.readiness).toBe('False PermissionDenied Stalled');
    expect(harness.readinessOf(await addVictim(harness))).toBe('True InSync');
  });
});

describe('adoptionPolicy Always takes nothing from another forwarding', () => {
  test.each<[string, SpecChoice]>([
    ['its webhook', onShop],
    ['its destination, by the name', { ...onForum, name: victim }],
  ])('%s', async (_what, choice) => {
    const harness = await inPlace(onShop);
    const before = structuredClone(harness.destinations);
    harness.cluster.putSecret('tenant/konnect', { token: tokens.blueAgain });
    harness.cluster.putSecret('tenant/siem', otherSiem);
    harness.add({ ...choice, adoptionPolicy: 'Always' }, tenant);
    await harness.work();
    expect(harness.readinessOf(tenant)).toBe('False Claimed Stalled');
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.destinations).toEqual(before);
  });
});

test('a token of another organization reaches neither portal nor destination', async () => {
  const harness = await inPlace(onShop);
  harness.cluster.putSecret('tenant/konnect', { token: tokens.green });
  harness.cluster.putSecret('tenant/siem', otherSiem);
  const [theirs] = harness.destinations;
  harness.add({ ...onShop, adoptionPolicy: 'Always' }, tenant);
  harness.add({ ...onShop, destinationRef: { id: theirs?.id }, adoptionPolicy: 'Always' }, 'tenant/reference');
  await harness.work();
  expect(harness.readinessOf(tenant)).toBe('False PortalNotFound Stalled');
  expect(harness.readinessOf('tenant/reference')).toContain('Stalled');
  expect(harness.konnectWrites).toEqual([]);
});

describe('a status that its tenant wrote', () => {
  /** The tenant's forwarding says that it has what the victim has. */
  function lie(harness: Harness, status: (destinationID: string, organizationID: string) => Status): void {
    const destinationID = harness.destinations[0]?.id ?? '';
    const organizationID = harness.status.konnect?.organizationID ?? '';
    harness.cluster.setStatus(status(destinationID, organizationID), tenant);
  }

  test('undoes nothing beyond the reach of the token of its own', async () => {
    const harness = await inPlace(onShop);
    harness.cluster.putSecret('tenant/konnect', { token: tokens.green });
    harness.cluster.putSecret('tenant/siem', otherSiem);
    harness.add({ organization: { enabled: true } }, tenant);
    await harness.work();
    const before = {
      destinations: structuredClone(harness.destinations),
      portal: harness.pointsAt(harness.portal(shop)),
    };
    harness.clearRecords();
    const own = structuredClone(harness.statusOf(tenant));
    for (const where of ['theirs', 'own'] as const) {
      lie(harness, (destinationID, theirs) => {
        const organizationID = where === 'theirs' ? theirs : (own.konnect?.organizationID ?? '');
        const at = { organizationID, region: 'us', api: 'v3', destinationID } as const;
        return {
          ...own,
          konnect: { organizationID, region: 'us' },
          destination: { id: destinationID, name: victim, managed: true },
          portals: [{ id: shop, destinationID, enabled: true, state: 'on' }],
          cleanup: [
            { ...at, kind: 'portal', id: shop },
            { ...at, kind: 'destination' },
          ],
        };
      });
      await harness.resync();
    }
    harness.delete(tenant);
    await harness.work(() => !harness.cluster.objects.has(tenant), 20).catch(() => undefined);
    expect({ destinations: harness.destinations, portal: harness.pointsAt(harness.portal(shop)) }).toEqual(before);
    expect(harness.readiness).toBe('True InSync');
  });

  test('does not end what stands, whatever it claims', async () => {
    const harness = await inPlace(onShop);
    harness.cluster.putSecret('tenant/konnect', { token: tokens.green });
    harness.cluster.putSecret('tenant/siem', otherSiem);
    harness.add({ ...onShop, suspend: true }, tenant);
    await harness.work();
    lie(harness, (destinationID, organizationID) => ({
      konnect: { organizationID, region: 'us' },
      destination: { id: destinationID, name: victim, managed: true },
      portals: [{ id: shop, destinationID, enabled: true, state: 'on' }],
    }));
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites).toEqual([]);
  });
});

test('nothing connects to the endpoint: Konnect delivers, and the operator does not even try it', async () => {
  let connections = 0;
  const inside = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const port = await listening(inside);
  const harness = await open(onShop);
  harness.cluster.putSecret('siem', { ...siem, endpoint: `https://127.0.0.1:${String(port)}/CANARY` });
  await harness.work();
  expect(harness.readiness).toBe('True InSync');
  harness.cluster.putSecret('siem', { ...siem, endpoint: `https://localhost:${String(port)}/latest/meta-data/CANARY` });
  await harness.resync();
  harness.delete();
  await harness.work();
  expect(harness.cluster.objects.size).toBe(0);
  expect(connections).toBe(0);
  await closed(inside);
});

describe('half a character is never stored, since the API server would make another of it, and every pass would write status anew', () => {
  const smile = '\u{1f600}';

  test('of the annotation that asks for a pass', () => {
    expect(reconcileRequestOf({ [reconcileAnnotation]: `${'x'.repeat(63)}${smile}` })?.isWellFormed()).toBe(true);
  });

  test.each([0, 1])('of a message, cut after %d more', (offset) => {
    const message = `${'x'.repeat(offset)}${smile.repeat(600)}`;
    const bad = { kind: 'bad', problems: [{ reason: 'NameInUse', severity: 'stalled', message }] } as const;
    const unchecked = { kind: 'unchecked', message: '' } as const;
    const report = { secrets: unchecked, destination: bad, webhooks: unchecked, cleanup: unchecked, readyMessage: '' };
    const context = { generation: 1, previous: [], now: new Date(0), grace: 'none' } as const;
    for (const one of conditionsOf(report, context)) {
      expect(one.message.length).toBeLessThanOrEqual(1_000);
      expect(one.message.isWellFormed()).toBe(true);
    }
  });
});

test.each(['\u009b31m', '\u001b[2J', 'a\nb', 'a\u2028b', 'a\u202eb', 'a\u2066b', 'a\u200bb', 'a\u{e0041}b'])(
  'a destination is not called %j, which a terminal does not show as what it is',
  (name) => {
    const { destination, ...spec } = specOf(onShop);
    expect(Spec.safeParse({ ...spec, destination: { ...destination, name } }).success).toBe(false);
    expect(Spec.safeParse({ ...spec, destinationRef: { name } }).success).toBe(false);
    expect(
      Spec.safeParse({ ...spec, destination: { ...destination, name: 'Überwachung 監査 \u{1f600}' } }).success,
    ).toBe(true);
  },
);
