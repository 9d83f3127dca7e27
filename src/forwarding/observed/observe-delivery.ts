/** Reads from Konnect how a webhook delivers. */
import type { DeliveryStatus } from '../../api/v1alpha1.ts';
import type { WebhookStatus } from '../../konnect/schema.ts';
import { deliveryKeyOf, type SeenDelivery } from '../../status/delivery.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { orProblem, type Problem, reasons, stalled } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';

export type ObservedDelivery =
  | SeenDelivery
  | { readonly kind: 'later' }
  | { readonly kind: 'unknown'; readonly problem: Problem };

/** Returns the name of a webhook in messages. Without a portal, it is the organization's. */
export function webhookName(portalID: string | undefined): string {
  return portalID === undefined ? "the organization's webhook" : `portal ${portalID}`;
}

/** Returns the name of the webhook of an entry in `status.delivery`, in messages. */
export function entryName({ key }: DeliveryStatus): string {
  return webhookName(key === deliveryKeyOf(undefined) ? undefined : key);
}

/** Returns how a webhook delivers. `isOn`: whether the webhook itself shows that it is on. */
export async function observeDelivery(
  context: ReadContext,
  { api, region }: DesiredState,
  portalID: string | undefined,
  isOn: boolean,
): Promise<ObservedDelivery> {
  const { client } = context.konnect;
  const name = webhookName(portalID);
  return orProblem(context, name, async () => {
    const status =
      portalID === undefined
        ? await client.getOrganizationWebhookStatus(api, region, context.signal)
        : await client.getPortalWebhookStatus(region, portalID, context.signal);
    if (status !== undefined) return seenDelivery(status, isOn);
    const message = `Konnect shows no delivery status (HTTP 404), or the token in ${context.tokenSource} may not see it: check the token's roles`;
    return { kind: 'unknown', problem: { ...stalled(reasons.requestRefused, message), object: name } };
  });
}

/**
 * Returns what a status means for a webhook that spec wants to be on. According to Kong's documentation, `inactive` says that the last
 * attempt failed. According to its OpenAPI document, it says that Konnect switched the webhook off. A webhook that is off and `active`
 * was switched off by a client.
 */
export function seenDelivery(status: WebhookStatus, isOn: boolean): SeenDelivery {
  const { enabled, word, lastAttemptAt: attemptTime, lastResponseCode: code, lastFailure: failure } = status;
  const attempt = { attemptTime, code, failure };
  const isInactive = word === 'inactive';
  if (isInactive && !(isOn && enabled !== false)) return { kind: 'seen', state: 'SwitchedOff', ...attempt };
  if (isInactive) return { kind: 'seen', state: 'Failing', isInactive, ...attempt };
  if (code === undefined && attemptTime === undefined) return { kind: 'seen', state: 'NoAttemptYet' };
  const isDelivered = code === undefined ? failure === undefined : code >= 200 && code <= 299;
  return { kind: 'seen', state: isDelivered ? 'Delivered' : 'Failing', ...attempt };
}
