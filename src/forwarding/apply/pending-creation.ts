/** Ends a pending creation whose destination spec no longer wants: finds what the POST may have created, and deletes it. */
import type { AuditLogsAPI, DestinationStatus } from '../../api/v1alpha1.ts';
import type { Destination } from '../../konnect/schema.ts';
import { seenDestination } from '../observed/observed-state.ts';
import { isResultOf } from '../plan/plan-destination.ts';
import { type Problem, reasons, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext } from '../reconcile-context.ts';
import { deleteDestination } from './delete-destination.ts';

/** Returns undefined once nothing of it can be left in Konnect, else the problem. Rejects with KonnectError. */
export async function resolvePendingCreation(
  context: ReconcileContext,
  api: AuditLogsAPI,
  pendingCreationTimeoutMs: number,
): Promise<Problem | undefined> {
  const { status } = context;
  const { destination, ...rest } = status.recorded;
  if (destination?.creating === undefined) return undefined;
  const { creating } = destination;
  const created = await findCreated(context, api, { ...destination, creating });
  for (const { id } of created) {
    await beforeWrite(context, `deleting destination ${id} from Konnect`);
    const problem = await deleteDestination(context, api, id);
    if (problem !== undefined) return problem;
  }
  if (destination.id !== undefined) {
    const { creating: _done, ...found } = destination;
    status.recorded = { ...status.recorded, destination: found };
    return undefined;
  }
  const mayHaveCreated = creating.secretVersion !== '' && context.ageMs(creating.since) < pendingCreationTimeoutMs;
  if (created.length === 0 && mayHaveCreated) {
    return waiting(
      reasons.creating,
      `Konnect may have created destination "${creating.name}", but the answer was lost; the operator looks for it to delete it`,
    );
  }
  status.recorded = rest;
  return undefined;
}

/** Returns the destinations that the pending creation may have made, without the one that status names. */
async function findCreated(
  { status, konnect, signal }: ReconcileContext,
  api: AuditLogsAPI,
  { id, creating }: Pick<DestinationStatus, 'id'> & { creating: NonNullable<DestinationStatus['creating']> },
): Promise<readonly Destination[]> {
  const { uid } = status.forwarding.metadata;
  const list = await konnect.client.findDestinations(api, creating.name, signal);
  return list.filter((one) => one.id !== id && isResultOf(creating, seenDestination(uid, one)));
}
