/** Simulated users: their changes, and the state that they therefore want. */
import { changeDestination, currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { apiVersion, kind, reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { forwardingsPath } from '../../src/resources/forwarding-resource.ts';
import { secretsPath } from '../../src/resources/secret-resource.ts';
import type { Random } from '../support/random.ts';
import {
  type Color,
  colors,
  type Environment,
  namespaces,
  portalID,
  portalsPerSlot,
  type Region,
  regions,
  tokenOf,
} from './environment.ts';

/** A forwarding as a user wants it. */
export interface WantedForwarding {
  readonly slot: number;
  readonly namespace: string;
  readonly name: string;
  color: Color;
  region: Region;
  api: 'v2' | 'v3';
  logFormat: 'cef' | 'json' | 'cps';
  /** By index: `true` is attached and on, `false` is attached and off. */
  portals: (boolean | undefined)[];
  /** Number of rotations of its Secret. */
  rotations: number;
  suspend: boolean;
  /** Number of changes by another client in Konnect. */
  konnectChanges: number;
}

export interface Workload {
  /** Wanted forwardings by slot. */
  readonly wanted: ReadonlyMap<number, WantedForwarding>;
  /** Number of actions by name. */
  readonly actions: ReadonlyMap<string, number>;
  /** Runs one more action. It may be a creation or a deletion. */
  act(): Promise<void>;
  /** Fills every slot, resumes every forwarding, and requests a reconciliation of each. */
  complete(round: number): Promise<void>;
}

export const credentialsOf = ({ slot, rotations }: Pick<WantedForwarding, 'slot' | 'rotations'>) => ({
  endpoint: `https://siem.example.com/receiver/v1/http/ZaVnC4dhaV1soakCodeThatOpensNothingElse-${String(slot)}-${String(rotations)}`,
  authorization: `Bearer soak-${String(slot)}-${String(rotations)}-that-opens-nothing-else`,
});

export const secretOf = ({ slot }: Pick<WantedForwarding, 'slot'>) => `siem-${String(slot)}`;

function specOf(wanted: WantedForwarding, interval: string): object {
  const { slot, color, region, api, logFormat, portals, suspend } = wanted;
  return {
    konnect: { region, tokenSecretRef: { name: `konnect-${color}` }, auditLogsAPI: api },
    destination: { secretRef: { name: secretOf(wanted) }, logFormat },
    portals: portals.flatMap((enabled, index) =>
      enabled === undefined ? [] : [{ id: portalID(color, region, slot, index), enabled }],
    ),
    suspend,
    interval,
  };
}

export function createWorkload({ kube, remove, konnect }: Environment, slots: number, random: Random): Workload {
  const wanted = new Map<number, WantedForwarding>();
  const actions = new Map<string, number>();
  // At one minute, the resyncs of many forwardings alone would use up the request budget.
  const interval = `${Math.ceil(slots / 100)}m`;

  function somePortals(): WantedForwarding['portals'] {
    const portals = Array.from({ length: portalsPerSlot }, () => random.pick([true, true, false, undefined]));
    portals[0] ??= true;
    return portals;
  }

  async function create(slot: number): Promise<void> {
    const one: WantedForwarding = {
      slot,
      namespace: random.pick(namespaces),
      name: `forwarding-${String(slot)}`,
      color: random.pick(colors),
      region: random.pick(regions),
      api: 'v3',
      logFormat: 'cef',
      portals: somePortals(),
      rotations: 0,
      suspend: false,
      konnectChanges: 0,
    };
    const metadata = { name: one.name, namespace: one.namespace };
    await putSecret(one);
    try {
      await kube.create(forwardingsPath(one.namespace), { apiVersion, kind, metadata, spec: specOf(one, interval) });
    } catch (error) {
      // The previous forwarding of this name is still being deleted.
      if (isKubeError(error, 'Conflict')) return;
      throw error;
    }
    wanted.set(slot, one);
  }

  async function putSecret(one: WantedForwarding): Promise<void> {
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

  async function change(one: WantedForwarding, how: (one: WantedForwarding) => void): Promise<void> {
    how(one);
    await patch(one, { spec: specOf(one, interval) });
  }

  async function patch(one: WantedForwarding, body: object): Promise<void> {
    await kube.patch(`${forwardingsPath(one.namespace)}/${one.name}`, { kind: 'merge', body });
  }

  /** Changes objects in Konnect as another client, at most twice for a forwarding. The operator gives up after the third correction. */
  function changeInKonnect(one: WantedForwarding): void {
    const organization = [...konnect.model.organizations.values()].find(({ tokens }) => tokens.has(tokenOf(one.color)));
    const name = `${one.namespace}/${one.name}`;
    const own = organization && currentDestinations(organization).find((destination) => destination.name === name);
    if (organization === undefined || own === undefined || one.konnectChanges >= 2) return;
    one.konnectChanges += 1;
    const portal = organization.portals.get(portalID(one.color, one.region, one.slot, 0));
    if (portal !== undefined) portal.webhook.enabled = !portal.webhook.enabled;
    changeDestination(konnect.model, organization, own.id, { logFormat: own.logFormat === 'cef' ? 'cps' : 'cef' });
  }

  const weightedActions: readonly [string, number, (one: WantedForwarding) => Promise<void> | void][] = [
    ['portals', 20, (one) => change(one, (it) => void (it.portals = somePortals()))],
    ['log format', 10, (one) => change(one, (it) => void (it.logFormat = random.pick(['cef', 'json', 'cps'])))],
    [
      'Secret',
      20,
      (one) => {
        one.rotations += 1;
        return putSecret(one);
      },
    ],
    ['region', 8, (one) => change(one, (it) => void (it.region = it.region === 'us' ? 'eu' : 'us'))],
    ['organization', 4, (one) => change(one, (it) => void (it.color = random.pick(colors)))],
    ['API version', 4, (one) => change(one, (it) => void (it.api = it.api === 'v2' ? 'v3' : 'v2'))],
    ['suspend', 6, (one) => change(one, (it) => void (it.suspend = !it.suspend))],
    ['change in Konnect', 8, changeInKonnect],
    [
      'deletion',
      20,
      async (one) => {
        wanted.delete(one.slot);
        await remove(`${forwardingsPath(one.namespace)}/${one.name}`);
      },
    ],
  ];
  const weight = weightedActions.reduce((sum, [, each]) => sum + each, 0);

  async function act(): Promise<void> {
    const slot = random.below(slots);
    const one = wanted.get(slot);
    if (one === undefined) {
      count('creation');
      return create(slot);
    }
    let lot = random.below(weight);
    const way = weightedActions.find(([, each]) => (lot -= each) < 0);
    if (way === undefined) return undefined;
    count(way[0]);
    return way[2](one);
  }

  function count(action: string): void {
    actions.set(action, (actions.get(action) ?? 0) + 1);
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

  return { wanted, actions: actions, act, complete: settle };
}
