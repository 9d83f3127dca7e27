/** Reads from Konnect how a webhook delivers. */
import type { WebhookStatus } from '../../konnect/schema.ts';
import type { SeenDelivery } from '../../status/delivery.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { orProblem, type Problem } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';

/** `unreadable`: Konnect has no status for this webhook. */
export type ObservedDelivery = SeenDelivery | 'unreadable' | { readonly kind: 'unknown'; readonly problem: Problem };

/** Returns how the webhook of a portal delivers, or the organization's without `portalID`. `isOn`: whether the webhook itself shows that it is on. */
export async function observeDelivery(
  context: ReadContext,
  { api, region }: DesiredState,
  portalID: string | undefined,
  isOn: boolean,
): Promise<ObservedDelivery> {
  const { client } = context.konnect;
  return orProblem(context, portalID === undefined ? "the organization's webhook" : `portal ${portalID}`, async () => {
    const status =
      portalID === undefined
        ? await client.getOrganizationWebhookStatus(api, region, context.signal)
        : await client.getPortalWebhookStatus(region, portalID, context.signal);
    return status === undefined ? 'unreadable' : seenDelivery(status, isOn);
  });
}

/**
 * Returns what a status means for a webhook that spec wants to be on. According to Kong's documentation, `inactive` says that the last
 * attempt failed. According to its OpenAPI document, it says that Konnect switched the webhook off. A webhook that is off and `active`
 * was switched off by a client.
 */
export function seenDelivery({ enabled, word, lastResponseCode }: WebhookStatus, isOn: boolean): SeenDelivery {
  const isInactive = word === 'inactive';
  if (isInactive && !(isOn && enabled !== false)) return 'SwitchedOff';
  if (!isInactive && lastResponseCode === undefined) return 'NoAttemptYet';
  const isSuccess = lastResponseCode !== undefined && lastResponseCode >= 200 && lastResponseCode <= 299;
  return isInactive || !isSuccess ? 'Failing' : 'Delivered';
}
