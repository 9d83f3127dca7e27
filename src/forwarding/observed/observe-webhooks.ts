/** Reads webhooks from Konnect. */
import { nilUUID } from '../../api/v1alpha1.ts';
import type { Webhook } from '../../konnect/schema.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { wasAttached } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { orProblem } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';
import { sameTime } from './destination-diff.ts';
import { type SeenWebhook, seenDestination, seenInline } from './observed-state.ts';

/** Returns the webhook of a portal. A failed call becomes a problem of this portal only. */
export async function observePortal(
  context: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
  id: string,
): Promise<SeenWebhook> {
  const { konnect, signal } = context;
  if (id === nilUUID) return { kind: 'missing' };
  return orProblem(context, `portal ${id}`, async () => {
    const webhook = await konnect.client.getPortalWebhook(desired.region, id, signal);
    if (webhook === undefined) {
      // Konnect answers 404 if the portal does not exist, and perhaps also if its webhook was never configured.
      const portal = await konnect.client.getPortal(desired.region, id, signal);
      return portal === undefined ? { kind: 'missing' } : { kind: 'unconfigured' };
    }
    const record = recorded.portals?.find((portal) => portal.id === id);
    const knownIDs = [recorded.destination?.id, record?.destinationID];
    return seenWebhook(context, desired, webhook, knownIDs, wasAttached(record));
  });
}

/** Returns what a webhook points at. It reads the destination only if the operator does not know it (`knownIDs`, `wasOurs`). */
export async function seenWebhook(
  { konnect, forwarding, signal }: ReadContext,
  { api }: DesiredState,
  { destinationID, enabled }: Webhook,
  knownIDs: readonly (string | undefined)[],
  wasOurs: boolean,
): Promise<SeenWebhook> {
  if (destinationID === undefined) return { kind: 'unconfigured' };
  if (wasOurs || knownIDs.includes(destinationID)) {
    return { kind: 'attached', destinationID, enabled, destinationExists: true };
  }
  const other = await konnect.client.getDestination(api, destinationID, signal);
  const otherDigest = other === undefined ? undefined : seenDestination(forwarding.metadata.uid, other).endpointDigest;
  const destinationExists = other !== undefined;
  return { kind: 'attached', destinationID, enabled, destinationExists, otherName: other?.name, otherDigest };
}

/** Returns both views of the organization's webhook: the inline webhook of v2, and the one of v3 with its destination. */
export async function readViews({ konnect, forwarding, signal }: ReadContext, region: string) {
  const inline = seenInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(region, signal));
  const attached = await konnect.client.getOrganizationWebhook(region, signal);
  return { inline: inline.kind === 'inline' ? inline : undefined, attached };
}

/**
 * Returns the organization's webhook. It has two views: v2 shows an endpoint, and v3 a destination. It is unused only if both views are
 * empty. v2 also shows the endpoint of the destination that v3 names, so an unknown endpoint can belong to a destination.
 */
export async function observeOrganization(
  context: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
): Promise<SeenWebhook> {
  const { konnect, forwarding, signal } = context;
  return orProblem(context, "the organization's webhook", async () => {
    const inline = async (): Promise<SeenWebhook> =>
      seenInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(desired.region, signal));
    const attached = async (): Promise<SeenWebhook> => {
      const webhook = await konnect.client.getOrganizationWebhook(desired.region, signal);
      if (webhook === undefined) return { kind: 'unconfigured' };
      const record = recorded.organization?.api === 'v3' ? recorded.organization : undefined;
      const knownIDs = [recorded.destination?.id, record?.destinationID];
      return seenWebhook(context, desired, webhook, knownIDs, wasAttached(record));
    };
    if (desired.api === 'v3') {
      const view = await attached();
      return view.kind === 'unconfigured' ? inline() : view;
    }
    const view = await inline();
    const record = recorded.organization?.api === 'v2' ? recorded.organization : undefined;
    const isUnchanged = view.kind === 'inline' && sameTime(view.updatedAt, record?.updatedAt);
    if (isUnchanged && view.endpointDigest === record?.endpointDigest) return view;
    const other = await attached();
    return other.kind === 'unconfigured' ? view : other;
  });
}
