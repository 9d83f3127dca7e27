/** Attacks of a tenant on other forwardings through its own ones, with the whole domain and the local Konnect. */
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

/** Reconciles a forwarding of the tenant. It is older than the forwarding of the victim, which a test adds later to the same organization. */
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

describe('a forwarding does not claim what the operator cannot manage for it', () => {
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
    // The token has proved its organization. From now on, each reconciliation ends at the missing Secret.
    harness.cluster.edit(() => specOf({ ...change, token: 'tenants-token', siem: 'not-there' }));
    await harness.work();
    expect(harness.readiness).toBe('False SecretNotFound Reconciling');
    expect(harness.readinessOf(await addVictim(harness, wanted))).toBe('True InSync');
  });

  test('with a read-only token of the same organization', async () => {
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

describe('a status that the tenant wrote', () => {
  /** Writes a status in which the tenant's forwarding records the objects of the victim. */
  function writeStatus(harness: Harness, status: (destinationID: string, organizationID: string) => Status): void {
    const destinationID = harness.destinations[0]?.id ?? '';
    const organizationID = harness.status.konnect?.organizationID ?? '';
    harness.cluster.setStatus(status(destinationID, organizationID), tenant);
  }

  test('does not make the operator undo what its own token cannot undo', async () => {
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
      writeStatus(harness, (destinationID, theirs) => {
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

  test('does not change objects of the victim, whatever it claims', async () => {
    const harness = await inPlace(onShop);
    harness.cluster.putSecret('tenant/konnect', { token: tokens.green });
    harness.cluster.putSecret('tenant/siem', otherSiem);
    harness.add({ ...onShop, suspend: true }, tenant);
    await harness.work();
    writeStatus(harness, (destinationID, organizationID) => ({
      konnect: { organizationID, region: 'us' },
      destination: { id: destinationID, name: victim, managed: true },
      portals: [{ id: shop, destinationID, enabled: true, state: 'on' }],
    }));
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites).toEqual([]);
  });
});

test('the operator never connects to the endpoint, since Konnect delivers', async () => {
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

describe('half a surrogate pair, which the API server would replace, is never stored', () => {
  const smile = '\u{1f600}';

  test('from the annotation that requests a reconciliation', () => {
    expect(reconcileRequestOf({ [reconcileAnnotation]: `${'x'.repeat(63)}${smile}` })?.isWellFormed()).toBe(true);
  });

  test.each([0, 1])('from a message that is cut, with an offset of %d', (offset) => {
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
  'the schema rejects a destination name that a terminal shows differently: %j',
  (name) => {
    const { destination, ...spec } = specOf(onShop);
    expect(Spec.safeParse({ ...spec, destination: { ...destination, name } }).success).toBe(false);
    expect(Spec.safeParse({ ...spec, destinationRef: { name } }).success).toBe(false);
    expect(
      Spec.safeParse({ ...spec, destination: { ...destination, name: 'Überwachung 監査 \u{1f600}' } }).success,
    ).toBe(true);
  },
);
