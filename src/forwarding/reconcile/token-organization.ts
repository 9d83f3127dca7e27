/** Whose token it is: nothing is written to Konnect before that is known. */
import { isKonnectError } from '../../konnect/errors.ts';
import { type Problem, reasons, stalled } from '../problems.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

export type Proof =
  | { readonly kind: 'proved'; readonly organizationID: string }
  | { readonly kind: 'problem'; readonly problem: Problem };

/** Rejects with KonnectError where Konnect could not be asked. */
export async function proveOrganization(context: ReconcileContext): Promise<Proof> {
  const { status, konnect, signal, tokenSource } = context;
  const remembered = status.recorded.konnect?.organizationID;
  try {
    const { id } = await konnect.organization(signal);
    return { kind: 'proved', organizationID: id };
  } catch (error) {
    if (!isKonnectError(error, 'Forbidden', 'NotFound')) throw error;
  }
  const destinationID = status.recorded.destination?.id;
  if (remembered !== undefined && destinationID !== undefined) {
    const api = status.forwarding.spec.konnect.auditLogsAPI;
    const seen = await konnect.client.getDestination(api, destinationID, signal);
    if (seen !== undefined) return { kind: 'proved', organizationID: remembered };
  }
  const message = `the token in ${tokenSource} may not ask which organization it belongs to (organizations/me), so nothing was changed: give its account a role that may`;
  return { kind: 'problem', problem: stalled(reasons.organizationUnproven, message) };
}

/** What stands in an organization cannot be finished with a token of another one. */
export function organizationChanged(
  { tokenSource }: ReconcileContext,
  remembered: string,
  organizationID: string,
): Problem {
  return stalled(
    reasons.organizationChanged,
    `the token in ${tokenSource} belongs to organization ${organizationID}, but what stands in Konnect was made in organization ${remembered}: put back a token of that one; nothing was changed`,
  );
}
