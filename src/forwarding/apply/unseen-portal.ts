/** Decides about the webhook of a portal that Konnect no longer shows. */
import type { CleanupStatus } from '../../api/v1alpha1.ts';
import { reasons } from '../problems.ts';
import { type ReconcileContext, recordEvent } from '../reconcile-context.ts';

const maxUnseenMs = 24 * 3_600_000;

/**
 * Returns true if the entry of a portal has to stay in `cleanup`, although Konnect answers 404 for the webhook. Konnect answers the same
 * if the portal was deleted and if the token may not see it. In the second case its webhook still forwards, and the operator detaches it
 * when the token sees the portal again. After 24 hours, and when the forwarding is deleted, an event says what may be left.
 */
export async function isUnseen(context: ReconcileContext, entry: CleanupStatus, id: string): Promise<boolean> {
  const { status, konnect, signal } = context;
  const { region, destinationID, unseenSince } = entry;
  // The webhook of a portal that exists was never configured, or is no longer.
  if ((await konnect.client.getPortal(region, id, signal)) !== undefined) return false;
  const { cleanup = [] } = status.recorded;
  // Konnect refuses to delete a destination that a webhook uses, also if the token does not see that webhook.
  if (cleanup.some((other) => other.kind === 'destination' && other.destinationID === destinationID)) return false;

  const what = `portal ${id} in region ${region}`;
  const now = context.now();
  // A time more than a day ahead was recorded before the clock was set back.
  const isTooLong = unseenSince !== undefined && Math.abs(now.getTime() - Date.parse(unseenSince)) >= maxUnseenMs;
  if (isTooLong || status.forwarding.metadata.deletionTimestamp !== undefined) {
    const note = `gave up ${what}, for which Konnect answers HTTP 404: if the portal still exists, detach its webhook by hand`;
    recordEvent(context, 'Warning', reasons.portalNotFound, 'Release', note);
    return false;
  }
  if (unseenSince === undefined) {
    const marked = { ...entry, reason: reasons.portalNotFound, unseenSince: now.toISOString() };
    status.recorded = { ...status.recorded, cleanup: cleanup.map((one) => (one === entry ? marked : one)) };
    const note = `spec no longer wants ${what}, and Konnect answers HTTP 404: if the portal was deleted, nothing has to be done. If the token in ${context.tokenSource} may not see it, its webhook still forwards: give the token's account a role that reads the portal within 24 hours, and the operator detaches the webhook`;
    recordEvent(context, 'Warning', reasons.portalNotFound, 'Detach', note);
  }
  return true;
}
