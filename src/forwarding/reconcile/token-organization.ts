/** Finds out which organization a token belongs to. The operator writes nothing to Konnect before it knows. */
import { isKonnectError } from '../../konnect/errors.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

export type Proof =
  | { readonly kind: 'proved'; readonly organizationID: string }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** Returns the organization of the token, or the problem if the token may not read it. Rejects with KonnectError. */
export async function proveOrganization(context: ReconcileContext): Promise<Proof> {
  const { status, konnect, signal, tokenSource } = context;
  const recordedID = status.recorded.konnect?.organizationID;
  try {
    const { id } = await konnect.organization(signal);
    return { kind: 'proved', organizationID: id };
  } catch (error) {
    if (!isKonnectError(error, 'Forbidden', 'NotFound')) throw error;
  }
  const destinationID = status.recorded.destination?.id;
  if (recordedID !== undefined && destinationID !== undefined) {
    const api = status.forwarding.spec.konnect.auditLogsAPI;
    const seen = await konnect.client.getDestination(api, destinationID, signal);
    if (seen !== undefined) return { kind: 'proved', organizationID: recordedID };
  }
  const message = `the token in ${tokenSource} may not read the organization that it belongs to (organizations/me): give the token's account a role that allows this; the operator changed nothing`;
  return { kind: 'problem', problem: stalled(reasons.organizationUnproven, message) };
}

/** Returns the problem of a forwarding whose objects are in another organization than its token. */
export function organizationChanged(
  { tokenSource }: ReconcileContext,
  recordedID: string,
  organizationID: string,
): Problem {
  return stalled(
    reasons.organizationChanged,
    `the token in ${tokenSource} belongs to organization ${organizationID}, but this forwarding has objects in organization ${recordedID}: put a token of organization ${recordedID} back; the operator changed nothing`,
  );
}
