/** Reads from Konnect what became of a replay. */
import type { ReplayJob } from '../../konnect/replay-job.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { orProblem } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';
import { webhookName } from './observe-delivery.ts';

/** Returns the last replay job of a webhook, or undefined if Konnect has none. `unknown`: Konnect did not answer, or refused to. */
export async function observeReplay(
  context: ReadContext,
  { api, region }: DesiredState,
  portalID: string | undefined,
): Promise<{ readonly kind: 'seen'; readonly job: ReplayJob | undefined } | { readonly kind: 'unknown' }> {
  return orProblem(context, webhookName(portalID), async () => {
    const job = await context.konnect.client.getReplayJob({ api, region, portalID }, context.signal);
    return { kind: 'seen', job };
  });
}
