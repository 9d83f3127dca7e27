/** Says what Konnect does not show with the token, and where else it may be. Pure. */
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState, WantedPortal } from '../desired/desired-state.ts';
import { type Problem, reasons, stalled } from '../problems.ts';

/** What a message about a missing object needs. */
export interface Lookup {
  /** After what is in another organization than that of the token has moved to `cleanup`. */
  readonly status: { readonly recorded: RecordedState };
  /** Where the Konnect token is. */
  readonly tokenSource: string;
}

/** Returns the problem of a portal that the token does not see. */
export function portalNotFound({ id, field, ref }: WantedPortal, region: string, lookup: Lookup): Problem {
  const named = ref === undefined ? `${field}.id` : field;
  const check = `${named}, spec.konnect.region`;
  return stalled(
    reasons.portalNotFound,
    `portal ${id} ${missing({ where: `region ${region}`, named, check }, lookup)}`,
  );
}

/** Returns the problem of a `destinationRef` that does not match exactly one destination. `ids` are those that it matches. */
export function destinationNotFound({ reference }: DesiredState, ids: readonly string[], lookup: Lookup): Problem {
  const which = reference?.id ?? `"${reference?.name ?? ''}"`;
  const named = 'spec.destinationRef';
  return stalled(
    reasons.destinationNotFound,
    ids.length === 0
      ? `destination ${which} ${missing({ where: 'Konnect', named, check: named }, lookup)}`
      : `several destinations in Konnect have the name ${which} (${ids.slice(0, 5).join(', ')}): set spec.destinationRef.id instead of the name`,
  );
}

function missing(
  { where, named, check }: { readonly where: string; readonly named: string; readonly check: string },
  { status, tokenSource }: Lookup,
): string {
  const { konnect, cleanup = [] } = status.recorded;
  const organizationID = konnect?.organizationID ?? '';
  const formerID = cleanup.find((entry) => entry.organizationID !== organizationID)?.organizationID;
  return formerID === undefined
    ? `does not exist in ${where}, or the token may not see it: check ${check} and the roles of the token in ${tokenSource}`
    : `does not exist in organization ${organizationID}, to which the token in ${tokenSource} belongs; this forwarding has objects in organization ${formerID}: put a token of organization ${formerID} back, or correct ${named}`;
}
