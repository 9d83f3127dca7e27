import { nilUUID } from '../../api/v1alpha1.ts';
import type { Webhook } from '../../konnect/schema.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import { wasAttached } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { orProblem } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';
import { type SeenWebhook, seenDestination, seenInline } from './observed-state.ts';

export async function observePortal(
  subject: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
  id: string,
): Promise<SeenWebhook> {
  const { konnect, signal } = subject;
  if (id === nilUUID) return { kind: 'missing' };
  return orProblem(subject, `portal ${id}`, async () => {
    const webhook = await konnect.client.getPortalWebhook(desired.region, id, signal);
    if (webhook === undefined) {
      // 404 is how Konnect shows a portal that is not there, and perhaps a webhook that was never configured.
      const portal = await konnect.client.getPortal(desired.region, id, signal);
      return portal === undefined ? { kind: 'missing' } : { kind: 'unconfigured' };
    }
    const remembered = recorded.portals?.find((portal) => portal.id === id);
    const known = [recorded.destination?.id, remembered?.destinationID];
    return seenWebhook(subject, desired, webhook, known, wasAttached(remembered));
  });
}

export async function seenWebhook(
  { konnect, forwarding, signal }: ReadContext,
  { api }: DesiredState,
  { destinationID, enabled }: Webhook,
  ours: readonly (string | undefined)[],
  decided: boolean,
): Promise<SeenWebhook> {
  if (destinationID === undefined) return { kind: 'unconfigured' };
  if (decided || ours.includes(destinationID)) {
    return { kind: 'attached', destinationID, enabled, destinationExists: true };
  }
  const other = await konnect.client.getDestination(api, destinationID, signal);
  const otherDigest = other === undefined ? undefined : seenDestination(forwarding.metadata.uid, other).endpointDigest;
  return { kind: 'attached', destinationID, enabled, destinationExists: other !== undefined, otherDigest };
}

/** Both views of the organization's webhook: the inline one, and the ID of the destination that the other one names. */
export async function readViews({ konnect, forwarding, signal }: ReadContext, region: string) {
  const inline = seenInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(region, signal));
  const attached = await konnect.client.getOrganizationWebhook(region, signal);
  return { inline: inline.kind === 'inline' ? inline : undefined, attached: attached?.destinationID };
}

/**
 * The organization's webhook has two views, v2 with an endpoint of its own and v3 with a destination. It is free only if both say so.
 * v2 shows the endpoint of the destination that v3 names, so that an endpoint which is not ours may be one.
 */
export async function observeOrganization(
  subject: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
): Promise<SeenWebhook> {
  const { konnect, forwarding, signal } = subject;
  return orProblem(subject, "the organization's webhook", async () => {
    const inline = async (): Promise<SeenWebhook> =>
      seenInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(desired.region, signal));
    const attached = async (): Promise<SeenWebhook> => {
      const webhook = await konnect.client.getOrganizationWebhook(desired.region, signal);
      if (webhook === undefined) return { kind: 'unconfigured' };
      const remembered = recorded.organization?.api === 'v3' ? recorded.organization : undefined;
      const known = [recorded.destination?.id, remembered?.destinationID];
      return seenWebhook(subject, desired, webhook, known, wasAttached(remembered));
    };
    if (desired.api === 'v3') {
      const view = await attached();
      return view.kind === 'unconfigured' ? inline() : view;
    }
    const view = await inline();
    const remembered = recorded.organization?.api === 'v2' ? recorded.organization : undefined;
    if (view.kind === 'inline' && view.endpointDigest === remembered?.endpointDigest) return view;
    const other = await attached();
    return other.kind === 'unconfigured' ? view : other;
  });
}
