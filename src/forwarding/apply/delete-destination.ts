/** Deletes destinations: the only place that does. */
import type { AuditLogsAPI } from '../../api/v1alpha1.ts';
import { destinationUsers } from '../observed/destination-users.ts';
import { type Problem, reasons, waiting } from '../problems.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';

/** Konnect releases a destination within a minute after its last webhook was detached. */
const maxReleaseMs = 60_000;

/**
 * Deletes a destination. Returns undefined once it is deleted. Konnect answers 409 for a while after its last webhook was detached.
 */
export async function deleteDestination(
  context: ReconcileContext,
  api: AuditLogsAPI,
  id: string | undefined,
): Promise<Problem | undefined> {
  if (id === undefined) return undefined;
  const result = await context.konnect.client.deleteDestination(api, id, context.signal);
  if (result === 'in-use') return inUse(context, id);
  if (result === 'deleted')
    recordEvent(context, 'Normal', 'DestinationDeleted', 'Delete', `deleted destination ${id} from Konnect`);
  return undefined;
}

/** Returns the problem. Once Konnect has had time to release the destination, it says which webhooks of other clients use it. */
async function inUse(context: ReconcileContext, id: string): Promise<Problem> {
  const lastsForMs = context.inUseForMs(id);
  const toProblem = (message: string): Problem => ({ ...waiting(reasons.destinationInUse, message), lastsForMs });
  if (lastsForMs < maxReleaseMs)
    return toProblem(
      `Konnect refuses to delete destination ${id} because it is in use (HTTP 409), which is normal for a while after webhooks were detached. If this lasts, the operator says here which webhooks use it`,
    );
  const { webhooks, regions } = await destinationUsers(context, id);
  if (webhooks.length === 0)
    return toProblem(
      `Konnect refuses to delete destination ${id} because it is in use (HTTP 409), but no webhook that the token sees in ${regions.join(' and ')} uses it: find the webhook in another region or portal, and detach it there`,
    );
  return toProblem(
    `Konnect refuses to delete destination ${id} because it is in use (HTTP 409) by ${webhooks.join(', ')}, which this forwarding does not own: in Konnect, detach each of these webhooks or point it at another destination`,
  );
}
