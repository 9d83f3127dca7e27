/** The webhook of a portal as an {@link Attachment}. */
import { mayBeAttached, withPortal } from '../../status/recorded-state.ts';
import type { DesiredState, WantedPortal } from '../desired/desired-state.ts';
import { portalNotFound } from '../plan/not-found.ts';
import type { WebhookStep } from '../plan/steps.ts';
import type { ReconcileContext } from '../reconcile-context.ts';
import { type Attachment, type AttachmentUpdate, appliedOf, destinationOf } from './attachment.ts';

export function portalAttachment(
  context: ReconcileContext,
  { region }: DesiredState,
  portal: WantedPortal,
  step: WebhookStep,
): Attachment {
  const { konnect, signal, status } = context;
  const { id, enabled, field } = portal;
  const recorded = status.recorded.portals?.find((one) => one.id === id);
  return {
    key: `portal/${id}`,
    object: `portal ${id}`,
    field,
    step,
    needsDestination: true,
    enabled,
    recorded,
    isRecorded: mayBeAttached(recorded),
    missingProblem: () => portal.problem ?? portalNotFound(portal, region, context),
    record: (change) => record(context, portal, change),
    async write(destinationID) {
      await konnect.client.updatePortalWebhook(region, id, { destinationID, enabled }, signal);
      return undefined;
    },
    exists: async () => (await konnect.client.getPortal(region, id, signal)) !== undefined,
  };
}

function record({ status }: ReconcileContext, portal: WantedPortal, change: AttachmentUpdate): void {
  const { id, enabled, ref, problem } = portal;
  const before = status.recorded.portals?.find((one) => one.id === id);
  const destinationID = destinationOf(change, status.recorded, before);
  const reasonOfPortal = problem?.severity === 'unavailable' ? undefined : problem?.reason;
  const reason = change.reason ?? reasonOfPortal;
  status.recorded = withPortal(status.recorded, {
    id,
    ...(ref === undefined ? {} : { ref }),
    ...destinationID,
    enabled,
    state: change.state,
    ...(reason === undefined ? {} : { reason }),
    ...appliedOf(change, before, { ...destinationID, enabled }),
  });
}
