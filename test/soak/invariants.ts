/** Compares the wanted state with Konnect and Kubernetes. */

import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import type { Organization, Webhook } from '../../sandbox/konnect/model.ts';
import { reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import type { KubeObject } from '../../src/kube/objects.ts';
import { forwardingsPath } from '../../src/resources/forwarding-resource.ts';
import { type Environment, organizationID, portalID } from './environment.ts';
import { credentialsOf, type WantedForwarding } from './workload.ts';

interface Forwarding extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation?: number };
  readonly status?: {
    readonly lastHandledReconcileAt?: string;
    readonly conditions?: readonly {
      type: string;
      status: string;
      reason: string;
      message: string;
      observedGeneration?: number;
    }[];
  };
}

/** Resolves with a description of every difference. */
export async function differences(
  { kube, konnect }: Environment,
  wanted: ReadonlyMap<number, WantedForwarding>,
): Promise<string[]> {
  const { items } = await kube.list<Forwarding>(forwardingsPath());
  const forwardings = new Map(items.map((one) => [`${one.metadata.namespace ?? ''}/${one.metadata.name}`, one]));
  const found: string[] = [];
  const attached = new Map<string, string>();
  const expected = new Set<string>();
  for (const organization of konnect.model.organizations.values())
    for (const [place, webhook] of webhooksOf(organization)) attached.set(place, targetOf(organization, webhook));

  for (const one of wanted.values()) {
    const key = `${one.namespace}/${one.name}`;
    const { status, metadata: { annotations, generation } = {} } = forwardings.get(key) ?? {};
    const conditions = status?.conditions ?? [];
    const ready = conditions.find(({ type }) => type === 'Ready');
    const delivering = conditions.find(({ type }) => type === 'Delivering');
    if (ready?.status !== 'True' || ready.observedGeneration !== generation)
      found.push(`${key} is not ready: ${ready?.reason ?? 'no status'}: ${ready?.message ?? ''}`);
    if (status?.lastHandledReconcileAt !== annotations?.[reconcileAnnotation])
      found.push(`${key} has not answered the requested reconciliation`);
    if (delivering?.status === 'Unknown') found.push(`${key} is not known to deliver: ${delivering.message}`);
    forwardings.delete(key);
    expected.add(`${organizationID(one.color)} ${key} ${one.logFormat} ${Object.values(credentialsOf(one)).join(' ')}`);
    for (const [index, enabled] of one.portals.entries()) {
      const place = portalID(one.color, one.region, one.slot, index);
      const target = attached.get(place);
      attached.delete(place);
      const should = enabled === undefined ? undefined : `${key} ${enabled ? 'on' : 'off'}`;
      if (target !== should)
        found.push(`portal ${place} points at ${target ?? 'nothing'}, not at ${should ?? 'nothing'}`);
    }
  }
  for (const [key, { metadata }] of forwardings)
    found.push(`${key} still exists, deletionTimestamp ${metadata.deletionTimestamp ?? 'none'}`);
  for (const [place, target] of attached) found.push(`${place} is attached to ${target}, and no forwarding wants it`);
  for (const organization of konnect.model.organizations.values()) {
    for (const { name, logFormat, endpoint, authorization } of currentDestinations(organization)) {
      const is = `${organization.id} ${name} ${logFormat} ${endpoint} ${authorization}`;
      if (!expected.delete(is))
        found.push(
          `destination ${name} (${logFormat}) of ${organization.name} is not wanted by any forwarding, or is a duplicate`,
        );
    }
  }
  for (const missing of expected) found.push(`a destination is missing: ${missing.split(' ').slice(0, 3).join(' ')}`);
  return found;
}

function webhooksOf({ portals, webhooks }: Organization): [string, Webhook][] {
  const all: [string, Webhook][] = [
    ...webhooks,
    ...[...portals.values()].map(({ id, webhook }): [string, Webhook] => [id, webhook]),
  ];
  return all.filter(([, { target }]) => target.kind !== 'none');
}

function targetOf(organization: Organization, { target, enabled }: Webhook): string {
  const id = target.kind === 'destination' ? target.id : undefined;
  const name = currentDestinations(organization).find((destination) => destination.id === id)?.name;
  return `${name ?? 'a deleted destination'} ${enabled ? 'on' : 'off'}`;
}
