/** Ends a pending creation whose destination spec no longer wants: finds what the POST may have created, and deletes it. */
import type { AuditLogsAPI } from '../../api/v1alpha1.ts';
import { endpointDigest } from '../desired/desired-state.ts';
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
    ({ id, name, endpoint }) =>
      id !== destination.id &&
      name === creating.name &&
      endpoint !== undefined &&
      endpointDigest(status.forwarding.metadata.uid, endpoint) === creating.endpointDigest,
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
  if (created.length === 0 && context.ageMs(creating.since) < pendingCreationTimeoutMs) {
    return waiting(
      reasons.creating,
      `Konnect may have created destination "${creating.name}", but the answer was lost; the operator looks for it to delete it`,
    );
  }
  status.recorded = rest;
  return undefined;
}
