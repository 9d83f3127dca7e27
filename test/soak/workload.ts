/** What people do to the forwardings, and what therefore has to stand in the end. */
import { changeDestination, currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { apiVersion, kind, reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { forwardingsPath } from '../../src/resources/forwarding-resource.ts';
import { secretsPath } from '../../src/resources/secret-resource.ts';
import {
  type Color,
  colors,
  namespaces,
  portalID,
  portalsOfSlot,
  type Region,
  regions,
  tokenOf,
  type World,
} from './environment.ts';
import type { Chance } from './random.ts';

/** A forwarding as somebody wants it. */
export interface Wanted {
  readonly slot: number;
  readonly namespace: string;
  readonly name: string;
  color: Color;
  region: Region;
  api: 'v2' | 'v3';
  logFormat: 'cef' | 'json' | 'cps';
  /** By index: `true` and `false` are attached, on and off. */
  portals: (boolean | undefined)[];
  /** How often its Secret was rotated. */
  rotations: number;
  suspend: boolean;
  /** How often somebody has meddled in Konnect since it was made. */
  meddled: number;
}

export interface People {
  /** By slot. */
  readonly wanted: ReadonlyMap<number, Wanted>;
  /** What was done so far, by name. */
  readonly deeds: ReadonlyMap<string, number>;
  /** One more deed, which may be a creation or a deletion. */
  act(): Promise<void>;
  /** Every slot is filled, nothing is suspended, and every forwarding is looked at now. */
  settle(round: number): Promise<void>;
}

export const credentialsOf = ({ slot, rotations }: Pick<Wanted, 'slot' | 'rotations'>) => ({
  endpoint: `https://siem.example.com/receiver/${String(slot)}-${String(rotations)}-soakCodeThatOpensNothingElse`,
  authorization: `Bearer soak-${String(slot)}-${String(rotations)}-that-opens-nothing-else`,
});

export const secretOf = ({ slot }: Pick<Wanted, 'slot'>) => `siem-${String(slot)}`;

export function specOf(wanted: Wanted): object {
  const { slot, color, region, api, logFormat, portals, suspend } = wanted;
  return {
    konnect: { region, tokenSecretRef: { name: `konnect-${color}` }, auditLogsAPI: api },
    destination: { secretRef: { name: secretOf(wanted) }, logFormat },
    portals: portals.flatMap((enabled, index) =>
      enabled === undefined ? [] : [{ id: portalID(color, region, slot, index), enabled }],
    ),
    suspend,
    interval: '1m',
  };
}

export function createPeople({ kube, remove, konnect }: World, slots: number, chance: Chance): People {
  const wanted = new Map<number, Wanted>();
  const deeds = new Map<string, number>();

  function somePortals(): Wanted['portals'] {
    const portals = Array.from({ length: portalsOfSlot }, () => chance.pick([true, true, false, undefined]));
    portals[0] ??= true;
    return portals;
  }

  async function create(slot: number): Promise<void> {
    const one: Wanted = {
      slot,
      namespace: chance.pick(namespaces),
      name: `forwarding-${String(slot)}`,
      color: chance.pick(colors),
      region: chance.pick(regions),
      api: 'v3',
      logFormat: 'cef',
      portals: somePortals(),
      rotations: 0,
      suspend: false,
      meddled: 0,
    };
    const metadata = { name: one.name, namespace: one.namespace };
    await putSecret(one);
    try {
      await kube.create(forwardingsPath(one.namespace), { apiVersion, kind, metadata, spec: specOf(one) });
    } catch (error) {
      // One of this name is still being deleted: another time.
      if (isKubeError(error, 'Conflict')) return;
      throw error;
    }
    wanted.set(slot, one);
  }

  async function putSecret(one: Wanted): Promise<void> {
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secretOf(one) },
      stringData: credentialsOf(one),
    };
    const path = `${secretsPath(one.namespace)}/${secretOf(one)}`;
    try {
      await kube.patch(path, { kind: 'merge', body });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw error;
      await kube.create(secretsPath(one.namespace), body);
    }
  }

  async function change(one: Wanted, how: (one: Wanted) => void): Promise<void> {
    how(one);
    await patch(one, { spec: specOf(one) });
  }

  async function patch(one: Wanted, body: object): Promise<void> {
    await kube.patch(`${forwardingsPath(one.namespace)}/${one.name}`, { kind: 'merge', body });
  }

  /** Twice for one forwarding: at the third time the operator leaves it alone, as it should. */
  function meddle(one: Wanted): void {
    const organization = [...konnect.model.organizations.values()].find(({ tokens }) => tokens.has(tokenOf(one.color)));
    const name = `${one.namespace}/${one.name}`;
    const own = organization && currentDestinations(organization).find((destination) => destination.name === name);
    if (organization === undefined || own === undefined || one.meddled >= 2) return;
    one.meddled += 1;
    const portal = organization.portals.get(portalID(one.color, one.region, one.slot, 0));
    if (portal !== undefined) portal.webhook.enabled = !portal.webhook.enabled;
    changeDestination(konnect.model, organization, own.id, { logFormat: own.logFormat === 'cef' ? 'cps' : 'cef' });
  }

  const ways: readonly [string, number, (one: Wanted) => Promise<void> | void][] = [
    ['portals', 20, (one) => change(one, (it) => void (it.portals = somePortals()))],
    ['log format', 10, (one) => change(one, (it) => void (it.logFormat = chance.pick(['cef', 'json', 'cps'])))],
    [
      'Secret',
      20,
      (one) => {
        one.rotations += 1;
        return putSecret(one);
      },
    ],
    ['region', 8, (one) => change(one, (it) => void (it.region = it.region === 'us' ? 'eu' : 'us'))],
    ['organization', 4, (one) => change(one, (it) => void (it.color = chance.pick(colors)))],
    ['API version', 4, (one) => change(one, (it) => void (it.api = it.api === 'v2' ? 'v3' : 'v2'))],
    ['suspend', 6, (one) => change(one, (it) => void (it.suspend = !it.suspend))],
    ['meddling', 8, meddle],
    [
      'deletion',
      20,
      async (one) => {
        wanted.delete(one.slot);
        await remove(`${forwardingsPath(one.namespace)}/${one.name}`);
      },
    ],
  ];
  const weight = ways.reduce((sum, [, each]) => sum + each, 0);

  async function act(): Promise<void> {
    const slot = chance.below(slots);
    const one = wanted.get(slot);
    if (one === undefined) {
      count('creation');
      return create(slot);
    }
    let lot = chance.below(weight);
    const way = ways.find(([, each]) => (lot -= each) < 0);
    if (way === undefined) return undefined;
    count(way[0]);
    return way[2](one);
  }

  function count(deed: string): void {
    deeds.set(deed, (deeds.get(deed) ?? 0) + 1);
  }

  async function settle(round: number): Promise<void> {
    for (const one of wanted.values()) if (one.suspend) await change(one, (it) => void (it.suspend = false));
    for (let slot = 0; slot < slots; slot += 1) if (!wanted.has(slot)) await create(slot);
    const asked = { metadata: { annotations: { [reconcileAnnotation]: `round ${String(round)}` } } };
    const { items } = await kube.list<{ metadata: { name: string; namespace: string } }>(forwardingsPath());
    for (const { metadata } of items)
      await kube
        .patch(`${forwardingsPath(metadata.namespace)}/${metadata.name}`, { kind: 'merge', body: asked })
        .catch((error: unknown) => {
          if (!isKubeError(error, 'NotFound')) throw error;
        });
  }

  return { wanted, deeds, act, settle };
}
