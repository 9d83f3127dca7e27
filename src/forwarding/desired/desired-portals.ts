/** Finds the portals that a forwarding wants: those that spec names by ID, and those whose ID comes from a Portal object of kong-operator. */

import { type AuditLogForwarding, nilUUID } from '../../api/v1alpha1.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { Cluster, PortalObject } from '../ports.ts';
import { type Problem, reasons, stalled, waiting } from '../problems.ts';
import type { WantedPortal, WantedPortals } from './desired-state.ts';
import { regionOf } from './server-url.ts';

export interface ResolveOptions {
  readonly cluster: Pick<Cluster, 'readPortal'>;
  readonly recorded: RecordedState;
  /** The organization that the token belongs to. */
  readonly organizationID: string;
  /** Where the Konnect token is, for messages. */
  readonly tokenSource: string;
  readonly signal: AbortSignal;
}

/** Returns the portals, after one read of each Portal object that spec refers to. Rejects with KubeError. */
export async function resolvePortals(
  { metadata, spec }: AuditLogForwarding,
  { cluster, recorded, organizationID, tokenSource, signal }: ResolveOptions,
): Promise<WantedPortals> {
  const place = { region: spec.konnect.region, organizationID, tokenSource };
  const isSamePlace = recorded.konnect?.organizationID === organizationID && recorded.konnect.region === place.region;
  const resolved = await Promise.all(
    (spec.portalRefs ?? []).map(async ({ name, enabled }) => {
      const reading = read(await cluster.readPortal(metadata.namespace, name, signal), name, place);
      const record = isSamePlace ? recorded.portals?.find(({ ref }) => ref === name) : undefined;
      const id = reading.id ?? (reading.keepsID ? record?.id : undefined);
      return { id, enabled, field: fieldOf(name), ref: name, problem: reading.problem };
    }),
  );
  const listed = (spec.portals ?? []).map((one, index) => ({ ...one, field: `spec.portals[${String(index)}]` }));
  const known = resolved.flatMap(({ id, ...one }) => (id === undefined ? [] : [{ ...one, id }]));
  return {
    portals: mergeDuplicates([...listed, ...known]),
    unresolved: resolved.flatMap(({ id, problem }) => (id === undefined && problem !== undefined ? [problem] : [])),
  };
}

/** `keepsID`: the problem does not contradict the ID that is recorded in status. */
type Reading =
  | { readonly id: string; readonly problem?: undefined }
  | { readonly id?: undefined; readonly problem: Problem; readonly keepsID: boolean };

interface Place {
  readonly region: string;
  readonly organizationID: string;
  readonly tokenSource: string;
}

function fieldOf(name: string): string {
  return `spec.portalRefs[${name}]`;
}

function read(portal: PortalObject, name: string, place: Place): Reading {
  const what = `Portal ${name}, named by ${fieldOf(name)}`;
  switch (portal.kind) {
    case 'portal': {
      const { id } = portal;
      if (id === undefined || id === nilUUID) {
        const message = `${what}, has no .status.id yet: kong-operator sets it after it has created the portal in Konnect; if it never does, see the conditions of the Portal`;
        return { problem: waiting(reasons.portalRefNotReady, message), keepsID: true };
      }
      const elsewhere = mismatch(portal, what, place);
      return elsewhere === undefined ? { id } : { problem: elsewhere, keepsID: false };
    }
    case 'absent': {
      const message = `${what}, does not exist in this namespace: create it, or correct the name; the operator detaches the webhook of its portal`;
      return { problem: waiting(reasons.portalRefNotFound, message), keepsID: false };
    }
    case 'unserved': {
      const message = `the operator cannot read Portal ${name}, named by ${fieldOf(name)}, because this cluster does not serve portals of konnect.konghq.com/v1alpha1: install the CRDs of kong-operator, or list the portal's ID in spec.portals`;
      return { problem: stalled(reasons.portalRefNotServed, message), keepsID: true };
    }
    case 'forbidden': {
      const message = `the operator may not read Portal ${name}, named by ${fieldOf(name)}: allow its ServiceAccount to get portals.konnect.konghq.com in this namespace`;
      return { problem: stalled(reasons.portalRefForbidden, message), keepsID: true };
    }
    case 'unreadable': {
      const message = `the operator cannot read Portal ${name}, named by ${fieldOf(name)}, because the API server fails to return it; the operator retries. If this lasts, check the conversion webhook of kong-operator's CRDs`;
      const { retryAfterMs } = portal;
      const problem: Problem = { reason: reasons.portalRefUnreadable, severity: 'unavailable', message };
      return { problem: retryAfterMs === undefined ? problem : { ...problem, retryAfterMs }, keepsID: true };
    }
  }
}

/** Returns the problem if the Portal says that it is in another organization or region. If it does not say, Konnect answers 404. */
function mismatch(
  { organizationID, serverURL }: Extract<PortalObject, { kind: 'portal' }>,
  what: string,
  place: Place,
): Problem | undefined {
  if (organizationID !== undefined && organizationID !== place.organizationID) {
    return stalled(
      reasons.portalRefMismatch,
      `${what}, is in organization ${organizationID}, but the token in ${place.tokenSource} belongs to organization ${place.organizationID}: name a Portal of the token's organization, or put a token of the Portal's organization there`,
    );
  }
  const region = regionOf(serverURL);
  if (region === undefined || region === place.region) return undefined;
  return stalled(
    reasons.portalRefMismatch,
    `${what}, is in region ${region}, but spec.konnect.region is ${place.region}: name a Portal in region ${place.region}, or create another forwarding for this Portal`,
  );
}

/** Returns each portal once. If spec names a portal twice, the first entry decides how its webhook is set. */
function mergeDuplicates(named: readonly WantedPortal[]): WantedPortal[] {
  const found = new Map<string, WantedPortal>();
  for (const one of named) {
    const first = found.get(one.id);
    const both = first && { ...first, ref: first.ref ?? one.ref, problem: first.problem ?? conflictOf(first, one) };
    found.set(one.id, both ?? one);
  }
  return [...found.values()];
}

function conflictOf(first: WantedPortal, { id, enabled, field, problem }: WantedPortal): Problem | undefined {
  if (first.enabled === enabled) return problem;
  return stalled(
    reasons.portalRefConflict,
    `portal ${id} is named by ${first.field} (enabled: ${String(first.enabled)}) and by ${field} (enabled: ${String(enabled)}): set both to the same value, or remove one; until then, ${first.field} decides`,
  );
}
