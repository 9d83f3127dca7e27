/** What a tenant can do to others by forwardings of its own, on the whole of the domain and a whole Konnect. */
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { reconcileAnnotation, reconcileRequestOf, Spec, type Status } from '../../src/api/v1alpha1.ts';
import { conditionsOf } from '../../src/status/conditions.ts';
import {
  forum,
  key,
  otherSiem,
  type SpecChoice,
  type Stage,
  shop,
  siem,
  specOf,
  tokens,
} from '../unit/forwarding/support/harness.ts';
import { useStages } from '../unit/forwarding/support/use-harness.ts';
import { closed, listening } from '../unit/konnect/listening.ts';

const { open, inPlace } = useStages();

const tenant = 'tenant/own';
const victim = key;
const onShop: SpecChoice = { portals: [{ id: shop, enabled: true }] };
const onForum: SpecChoice = { portals: [{ id: forum, enabled: true }] };

/** A tenant's forwarding that stands, older than that of the victim, which is still to come. Both in one organization. */
async function olderTenant(choice: SpecChoice, token: string = tokens.blueAgain): Promise<Stage> {
  const stage = await open({ ...choice, token: 'tenants-token', siem: 'tenants-siem' });
  stage.cluster.putSecret('tenants-token', { token });
  stage.cluster.putSecret('tenants-siem', otherSiem);
  await stage.work();
  stage.forget();
  return stage;
}

async function addVictim(stage: Stage, choice: SpecChoice = onShop): Promise<string> {
  const name = 'victim/sumologic';
  stage.cluster.putSecret('victim/konnect', { token: tokens.blue });
  stage.cluster.putSecret('victim/siem', siem);
  stage.add(choice, name);
  await stage.work();
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
    const stage = await olderTenant(onForum);
    // Its organization is proved, and from now on no pass gets beyond its Secrets.
    stage.cluster.edit(() => specOf({ ...change, token: 'tenants-token', siem: 'not-there' }));
    await stage.work();
    expect(stage.verdict).toBe('False SecretNotFound Reconciling');
    expect(stage.verdictOf(await addVictim(stage, wanted))).toBe('True InSync');
  });

  test('though the token is of the same organization, one without its roles', async () => {
    const stage = await olderTenant(onShop, tokens.readOnly);
    expect(stage.verdict).toBe('False PermissionDenied Stalled');
    expect(stage.verdictOf(await addVictim(stage))).toBe('True InSync');
  });
});

describe('adoptionPolicy Always takes nothing from another forwarding', () => {
  test.each<[string, SpecChoice]>([
    ['its webhook', onShop],
    ['its destination, by the name', { ...onForum, name: victim }],
  ])('%s', async (_what, choice) => {
    const stage = await inPlace(onShop);
    const before = structuredClone(stage.destinations);
    stage.cluster.putSecret('tenant/konnect', { token: tokens.blueAgain });
    stage.cluster.putSecret('tenant/siem', otherSiem);
    stage.add({ ...choice, adoptionPolicy: 'Always' }, tenant);
    await stage.work();
    expect(stage.verdictOf(tenant)).toBe('False Claimed Stalled');
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.destinations).toEqual(before);
  });
});

test('a token of another organization reaches neither portal nor destination', async () => {
  const stage = await inPlace(onShop);
  stage.cluster.putSecret('tenant/konnect', { token: tokens.green });
  stage.cluster.putSecret('tenant/siem', otherSiem);
  const [theirs] = stage.destinations;
  stage.add({ ...onShop, adoptionPolicy: 'Always' }, tenant);
  stage.add({ ...onShop, destinationRef: { id: theirs?.id }, adoptionPolicy: 'Always' }, 'tenant/reference');
  await stage.work();
  expect(stage.verdictOf(tenant)).toBe('False PortalNotFound Stalled');
  expect(stage.verdictOf('tenant/reference')).toContain('Stalled');
  expect(stage.konnectWrites).toEqual([]);
});

describe('a status that its tenant wrote', () => {
  /** The tenant's forwarding says that it has what the victim has. */
  function lie(stage: Stage, status: (destinationID: string, organizationID: string) => Status): void {
    const destinationID = stage.destinations[0]?.id ?? '';
    const organizationID = stage.status.konnect?.organizationID ?? '';
    stage.cluster.setStatus(status(destinationID, organizationID), tenant);
  }

  test('undoes nothing beyond the reach of the token of its own', async () => {
    const stage = await inPlace(onShop);
    stage.cluster.putSecret('tenant/konnect', { token: tokens.green });
    stage.cluster.putSecret('tenant/siem', otherSiem);
    stage.add({ organization: { enabled: true } }, tenant);
    await stage.work();
    const before = { destinations: structuredClone(stage.destinations), portal: stage.pointsAt(stage.portal(shop)) };
    stage.forget();
    const own = structuredClone(stage.statusOf(tenant));
    for (const where of ['theirs', 'own'] as const) {
      lie(stage, (destinationID, theirs) => {
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
      await stage.interval();
    }
    stage.delete(tenant);
    await stage.work(() => !stage.cluster.objects.has(tenant), 20).catch(() => undefined);
    expect({ destinations: stage.destinations, portal: stage.pointsAt(stage.portal(shop)) }).toEqual(before);
    expect(stage.verdict).toBe('True InSync');
  });

  test('does not end what stands, whatever it claims', async () => {
    const stage = await inPlace(onShop);
    stage.cluster.putSecret('tenant/konnect', { token: tokens.green });
    stage.cluster.putSecret('tenant/siem', otherSiem);
    stage.add({ ...onShop, suspend: true }, tenant);
    await stage.work();
    lie(stage, (destinationID, organizationID) => ({
      konnect: { organizationID, region: 'us' },
      destination: { id: destinationID, name: victim, managed: true },
      portals: [{ id: shop, destinationID, enabled: true, state: 'on' }],
    }));
    await stage.interval();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.konnectWrites).toEqual([]);
  });
});

test('nothing connects to the endpoint: Konnect delivers, and the operator does not even try it', async () => {
  let connections = 0;
  const inside = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const port = await listening(inside);
  const stage = await open(onShop);
  stage.cluster.putSecret('siem', { ...siem, endpoint: `https://127.0.0.1:${String(port)}/CANARY` });
  await stage.work();
  expect(stage.verdict).toBe('True InSync');
  stage.cluster.putSecret('siem', { ...siem, endpoint: `https://localhost:${String(port)}/latest/meta-data/CANARY` });
  await stage.interval();
  stage.delete();
  await stage.work();
  expect(stage.cluster.objects.size).toBe(0);
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
