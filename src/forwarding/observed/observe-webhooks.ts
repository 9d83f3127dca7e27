import { nilUUID, type Status } from '../../api/v1alpha1.ts';
import type { Webhook } from '../../konnect/schema.ts';
import { wasOurs } from '../../status/recorded-state.ts';
import type { Desired } from '../desired/desired-state.ts';
import { orProblem } from '../problems.ts';
import type { Subject } from '../reconcile-context.ts';
import { type SeenWebhook, seeInline, seen } from './observed-state.ts';

export async function observePortal(
  subject: Subject,
  desired: Desired,
  memory: Status,
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
    const remembered = memory.portals?.find((portal) => portal.id === id);
    const known = [memory.destination?.id, remembered?.destinationID];
    return seeWebhook(subject, desired, webhook, known, wasOurs(remembered));
  });
}

export async function seeWebhook(
  { konnect, forwarding, signal }: Subject,
  { api }: Desired,
  { destinationID, enabled }: Webhook,
  ours: readonly (string | undefined)[],
  decided: boolean,
): Promise<SeenWebhook> {
  if (destinationID === undefined) return { kind: 'unconfigured' };
  if (decided || ours.includes(destinationID)) {
    return { kind: 'attached', destinationID, enabled, destinationExists: true };
  }
  const other = await konnect.client.getDestination(api, destinationID, signal);
  const otherDigest = other === undefined ? undefined : seen(forwarding.metadata.uid, other).endpointDigest;
  return { kind: 'attached', destinationID, enabled, destinationExists: other !== undefined, otherDigest };
}

/** Both views of the organization's webhook: the inline one, and the ID of the destination that the other one names. */
export async function readViews({ konnect, forwarding, signal }: Subject, region: string) {
  const inline = seeInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(region, signal));
  const attached = await konnect.client.getOrganizationWebhook(region, signal);
  return { inline: inline.kind === 'inline' ? inline : undefined, attached: attached?.destinationID };
}

/**
 * The organization's webhook has two views, v2 with an endpoint of its own and v3 with a destination. It is free only if both say so.
 * v2 shows the endpoint of the destination that v3 names, so that an endpoint which is not ours may be one.
 */
export async function observeOrganization(subject: Subject, desired: Desired, memory: Status): Promise<SeenWebhook> {
  const { konnect, forwarding, signal } = subject;
  return orProblem(subject, "the organization's webhook", async () => {
    const inline = async (): Promise<SeenWebhook> =>
      seeInline(forwarding.metadata.uid, await konnect.client.getInlineWebhook(desired.region, signal));
    const attached = async (): Promise<SeenWebhook> => {
      const webhook = await konnect.client.getOrganizationWebhook(desired.region, signal);
      if (webhook === undefined) return { kind: 'unconfigured' };
      const remembered = memory.organization?.api === 'v3' ? memory.organization : undefined;
      const known = [memory.destination?.id, remembered?.destinationID];
      return seeWebhook(subject, desired, webhook, known, wasOurs(remembered));
    };
    if (desired.api === 'v3') {
      const view = await attached();
      return view.kind === 'unconfigured' ? inline() : view;
    }
    const view = await inline();
    const remembered = memory.organization?.api === 'v2' ? memory.organization : undefined;
    if (view.kind === 'inline' && view.endpointDigest === remembered?.endpointDigest) return view;
    const other = await attached();
    return other.kind === 'unconfigured' ? view : other;
  });
}
