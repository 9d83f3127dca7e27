/** Finds what a creation made whose answer was lost, and ends one whose destination spec no longer wants. */
import type { AuditLogsAPI, DestinationStatus } from '../../api/v1alpha1.ts';
import type { Destination } from '../../konnect/schema.ts';
import { awaitsCreation, withCreated } from '../../status/recorded-state.ts';
import { oldestFirst, seenDestination } from '../observed/observed-state.ts';
import { isResultOf } from '../plan/plan-destination.ts';
import { type Problem, reasons, waiting } from '../problems.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { deleteDestination } from './delete-destination.ts';

/**
 * Records the destination that an unconfirmed creation made, and in the webhooks that were about to be attached to it. Has to be called before
 * anything else uses the recorded state. Returns the problem while the destination may still appear. Rejects with KonnectError.
 */
export async function recoverCreation(
  context: ReconcileContext,
  api: AuditLogsAPI,
  pendingCreationTimeoutMs: number,
): Promise<Problem | undefined> {
  const { status } = context;
  const { creating } = status.recorded.destination ?? {};
  if (creating === undefined || !awaitsCreation(status.recorded)) return undefined;
  const found = await firstThatExists(context, api, await findCreated(context, api, { creating }));
  if (found === undefined)
    return mayAppear(context, creating, pendingCreationTimeoutMs) ? unanswered(creating.name) : undefined;
  status.recorded = withCreated(status.recorded, found.id);
  const note = `found destination ${found.id}, whose creation Konnect did not confirm`;
  recordEvent(context, 'Normal', 'DestinationFound', 'Claim', note);
  return undefined;
}

/** Returns the problem of a creation whose answer was lost, until its destination appears in Konnect's lists. */
export function unanswered(name: string): Problem {
  return waiting(
    reasons.creating,
    `Konnect may have created destination "${name}", but the answer was lost; the operator looks for it before it creates another one`,
  );
}

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
  if (created.length === 0 && mayAppear(context, creating, pendingCreationTimeoutMs)) {
    return waiting(
      reasons.creating,
      `Konnect may have created destination "${creating.name}", but the answer was lost; the operator looks for it to delete it`,
    );
  }
  status.recorded = rest;
  return undefined;
}

type Creating = NonNullable<DestinationStatus['creating']>;

/** Returns true if a list of Konnect may not show yet what the creation made. */
function mayAppear({ ageMs }: ReconcileContext, { since, secretVersion }: Creating, timeoutMs: number): boolean {
  return secretVersion !== '' && ageMs(since) < timeoutMs;
}

/** Returns the oldest destination that Konnect still has. A list may still show one that the operator has just deleted. */
async function firstThatExists(
  { konnect, signal }: ReconcileContext,
  api: AuditLogsAPI,
  listed: readonly Destination[],
): Promise<Destination | undefined> {
  for (const one of listed.toSorted(oldestFirst)) {
    const found = await konnect.client.getDestination(api, one.id, signal);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns the destinations that the pending creation may have made, without the one that status names. */
async function findCreated(
  { status, konnect, signal }: ReconcileContext,
  api: AuditLogsAPI,
  { id, creating }: Pick<DestinationStatus, 'id'> & { creating: Creating },
): Promise<readonly Destination[]> {
  const { uid } = status.forwarding.metadata;
  const list = await konnect.client.findDestinations(api, creating.name, signal);
  return list.filter((one) => one.id !== id && isResultOf(creating, seenDestination(uid, one)));
}
