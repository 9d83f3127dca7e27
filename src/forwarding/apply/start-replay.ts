/** Asks Konnect to send the audit logs of a period again. */
import { KonnectError } from '../../konnect/errors.ts';
import type { ReplayWindow } from '../../konnect/replay-job.ts';
import type { StartOutcome } from '../../status/replays.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import type { ReconcileContext } from '../reconcile-context.ts';

/** Sends one request. `beforeWrite` has to be awaited before. */
export async function startReplay(
  { konnect, signal }: ReconcileContext,
  { api, region }: DesiredState,
  portalID: string | undefined,
  { from, to }: ReplayWindow,
): Promise<StartOutcome> {
  try {
    const job = await konnect.client.startReplayJob({ api, region, portalID }, { from, to }, signal);
    return { kind: 'accepted', job };
  } catch (error) {
    if (!(error instanceof KonnectError) || signal.aborted) throw error;
    return outcomeOf(error);
  }
}

/** Konnect has refused the replay itself only if it understood the request. A rejected token says nothing about it. */
function outcomeOf({ kind, status = 400 }: KonnectError): StartOutcome {
  if (kind === 'Conflict') return { kind: 'busy' };
  const isRefused = kind === 'Refused' || kind === 'Forbidden' || kind === 'NotFound';
  return isRefused ? { kind: 'refused', code: status } : { kind: 'unknown' };
}
