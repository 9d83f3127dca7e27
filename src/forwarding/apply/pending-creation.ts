/** Ends a pending creation whose destination spec no longer wants: finds what the POST may have created, and deletes it. */
import type { AuditLogsAPI } from '../../api/v1alpha1.ts';
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
  const { status, konnect, signal } = context;
  const { destination, ...rest } = status.recorded;
  if (destination?.creating === undefined) return undefined;
  const { creating } = destination;
  const list = await konnect.client.findDestinations(api, creating.name, signal);
  const created = list.filter(
    (one) => one.id !== destination.id && isResultOf(creating, seenDestination(status.forwarding.metadata.uid, one)),
  );
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
