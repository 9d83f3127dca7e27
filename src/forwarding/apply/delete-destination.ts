/** Deletes destinations: the only place that does. */
import type { AuditLogsAPI } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import { destinationUsers } from '../observed/destination-users.ts';
import { type Problem, problemOf, reasons, waiting } from '../problems.ts';
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
  const result = await sendDeletion(context, api, id);
  return result === 'in-use' ? inUse(context, id) : undefined;
}

/** Deletes the duplicates of destination `id` that a second POST created. Returns the first problem. */
export async function deleteDuplicates(
  context: ReconcileContext,
  api: AuditLogsAPI,
  id: string,
  duplicates: readonly string[],
): Promise<Problem | undefined> {
  let problem: Problem | undefined;
  for (const duplicate of duplicates) {
    try {
      // Konnect answers 409 if a webhook uses it. Then it is not a leftover, and stays.
      await sendDeletion(context, api, duplicate, id);
    } catch (error) {
      if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
      problem ??= problemOf(error, `destination ${duplicate}`, context);
    }
  }
  return problem;
}

/** Sends the request, and records an event if it deleted the destination. Rejects with KonnectError. */
async function sendDeletion(
  context: ReconcileContext,
  api: AuditLogsAPI,
  id: string,
  duplicateOf?: string,
): Promise<'deleted' | 'absent' | 'in-use'> {
  const result = await context.konnect.client.deleteDestination(api, id, context.signal);
  if (result === 'deleted') {
    const isDuplicate = duplicateOf !== undefined;
    const note = isDuplicate
      ? `deleted destination ${id}, a duplicate of ${duplicateOf} that no webhook used`
      : `deleted destination ${id} from Konnect`;
    recordEvent(context, 'Normal', isDuplicate ? 'DuplicateDeleted' : 'DestinationDeleted', 'Delete', note);
  }
  return result;
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
