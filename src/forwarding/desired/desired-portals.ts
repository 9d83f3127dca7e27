/** The portals that a forwarding wants: those that spec names by their IDs, and those whose IDs Portal objects of kong-operator tell. */

import { type AuditLogForwarding, nilUUID } from '../../api/v1alpha1.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { Cluster, PortalObject } from '../ports.ts';
import { type Problem, reasons, stalled, waiting } from '../problems.ts';
import type { WantedPortal, WantedPortals } from './desired-state.ts';

export interface ResolveOptions {
  readonly cluster: Pick<Cluster, 'readPortal'>;
  readonly recorded: RecordedState;
  /** The organization that the token has proved. */
  readonly organizationID: string;
  /** Where the token stands, for messages. */
  readonly tokenSource: string;
  readonly signal: AbortSignal;
}

/** One live read of each Portal object that spec refers to; without such an entry, none. Rejects with KubeError. */
export async function resolvePortals(
  { metadata, spec }: AuditLogForwarding,
  { cluster, recorded, organizationID, tokenSource, signal }: ResolveOptions,
): Promise<WantedPortals> {
  const here = { region: spec.konnect.region, organizationID, tokenSource };
  const stays = recorded.konnect?.organizationID === organizationID && recorded.konnect.region === here.region;
  const resolved = await Promise.all(
    (spec.portalRefs ?? []).map(async ({ name, enabled }) => {
      const reading = read(await cluster.readPortal(metadata.namespace, name, signal), name, here);
      const remembered = stays ? recorded.portals?.find(({ ref }) => ref === name) : undefined;
      const id = reading.id ?? (reading.keeps ? remembered?.id : undefined);
      return { id, enabled, field: fieldOf(name), ref: name, problem: reading.problem };
    }),
  );
  const listed = (spec.portals ?? []).map((one, index) => ({ ...one, field: `spec.portals[${String(index)}]` }));
  const known = resolved.flatMap(({ id, ...one }) => (id === undefined ? [] : [{ ...one, id }]));
  return {
    portals: once([...listed, ...known]),
    unresolved: resolved.flatMap(({ id, problem }) => (id === undefined && problem !== undefined ? [problem] : [])),
  };
}

/** `keeps`: it says nothing against the ID that was known before. */
type Reading =
  | { readonly id: string; readonly problem?: undefined }
  | { readonly id?: undefined; readonly problem: Problem; readonly keeps: boolean };

interface Here {
  readonly region: string;
  readonly organizationID: string;
  readonly tokenSource: string;
}

function fieldOf(name: string): string {
  return `spec.portalRefs[${name}]`;
}

function read(portal: PortalObject, name: string, here: Here): Reading {
  const what = `Portal ${name}, named by ${fieldOf(name)},`;
  switch (portal.kind) {
    case 'portal': {
      const { id } = portal;
      if (id === undefined || id === nilUUID) {
        const message = `${what} has no .status.id yet: kong-operator sets it once the portal stands in Konnect; if it never does, the conditions of the Portal tell why`;
        return { problem: waiting(reasons.portalRefNotReady, message), keeps: true };
      }
      const elsewhere = mismatch(portal, what, here);
      return elsewhere === undefined ? { id } : { problem: elsewhere, keeps: false };
    }
    case 'absent': {
      const message = `${what} does not exist in this namespace: create it, or correct the name; a webhook that it stood for is detached`;
      return { problem: waiting(reasons.portalRefNotFound, message), keeps: false };
    }
    case 'unserved': {
      const message = `${what} cannot be read, since this cluster does not serve portals of konnect.konghq.com/v1alpha1: install the CRDs of kong-operator, or name the portal by its ID in spec.portals`;
      return { problem: stalled(reasons.portalRefNotServed, message), keeps: true };
    }
    case 'forbidden': {
      const message = `${what} may not be read by the operator: grant its ServiceAccount get on portals.konnect.konghq.com in this namespace`;
      return { problem: stalled(reasons.portalRefForbidden, message), keeps: true };
    }
    case 'unreadable': {
      const message = `${what} cannot be read, since the API server is in trouble with it; trying again. If it lasts, check the conversion webhook of kong-operator's CRDs`;
      const { retryAfterMs } = portal;
      const problem: Problem = { reason: reasons.portalRefUnreadable, severity: 'unavailable', message };
      return { problem: retryAfterMs === undefined ? problem : { ...problem, retryAfterMs }, keeps: true };
    }
  }
}

/** What the Portal does not tell is left to Konnect, which knows no portal of another organization or region. */
function mismatch(
  { organizationID, serverURL }: Extract<PortalObject, { kind: 'portal' }>,
  what: string,
  here: Here,
): Problem | undefined {
  if (organizationID !== undefined && organizationID !== here.organizationID) {
    return stalled(
      reasons.portalRefMismatch,
      `${what} is of organization ${organizationID}, but the token in ${here.tokenSource} of organization ${here.organizationID}: name a Portal of that one, or put a token of the Portal's there`,
    );
  }
  const region = regionOf(serverURL);
  if (region === undefined || region === here.region) return undefined;
  return stalled(
    reasons.portalRefMismatch,
    `${what} is of region ${region}, but spec.konnect.region is ${here.region}: name a Portal of that region, or make a forwarding of its own for this one`,
  );
}

/** Of Konnect's hosts, `{region}.api.konghq.com`: kong-operator takes a whole URL, or the host alone. */
function regionOf(serverURL = ''): string | undefined {
  return /^(?:https?:\/\/)?([a-z][a-z0-9]{1,14})\.api\./i.exec(serverURL)?.[1]?.toLowerCase();
}

/** A portal that is named more than once has one webhook, as the first name wants it. */
function once(named: readonly WantedPortal[]): WantedPortal[] {
  const found = new Map<string, WantedPortal>();
  for (const one of named) {
    const first = found.get(one.id);
    const both = first && { ...first, ref: first.ref ?? one.ref, problem: first.problem ?? between(first, one) };
    found.set(one.id, both ?? one);
  }
  return [...found.values()];
}

function between(first: WantedPortal, { id, enabled, field, problem }: WantedPortal): Problem | undefined {
  if (first.enabled === enabled) return problem;
  return stalled(
    reasons.portalRefConflict,
    `portal ${id} is named by ${first.field} (enabled: ${String(first.enabled)}) and by ${field} (enabled: ${String(enabled)}): set both alike, or remove one; until then ${first.field} decides`,
  );
}
