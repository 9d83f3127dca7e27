import type { AuditEvent, DeliveryTarget } from '../audit-event.ts';
import type { Attempt, KonnectModel, Organization, Webhook, WebhookTarget } from '../model.ts';
import { timeOfChange } from '../model.ts';
import { findDestination } from './destinations.ts';

/** Sets the target of a webhook. A detached destination still counts as in use for `releaseDelayMs`. */
export function pointWebhook(
  model: KonnectModel,
  organization: Organization,
  webhook: Webhook,
  target: WebhookTarget,
): void {
  const before = webhook.target;
  if (before.kind === 'destination' && !(target.kind === 'destination' && target.id === before.id)) {
    organization.detachedAt.set(before.id, model.clock());
  }
  webhook.target = target;
  if (target.kind === 'none' || before.kind !== target.kind || idOf(before) !== idOf(target))
    delete webhook.lastAttempt;
}

/** Sets the time of the last change. */
export function touchWebhook(model: KonnectModel, webhook: Webhook): void {
  webhook.updatedAt = timeOfChange(model, webhook.updatedAt);
}

/** Applies a PATCH of `enabled`. It also switches on a webhook that Konnect switched off. */
export function switchWebhook(model: KonnectModel, webhook: Webhook, enabled: boolean): void {
  webhook.enabled = enabled;
  delete webhook.failedAttempts;
  delete webhook.isSwitchedOff;
  touchWebhook(model, webhook);
}

/**
 * Records an attempt. Konnect switches the webhook off after the last of `switchOffAfter` failed ones in a row. Later attempts of the same
 * delivery do not count.
 */
export function recordAttempt(model: KonnectModel, webhook: Webhook, attempt: Attempt): void {
  if (webhook.isSwitchedOff === true) return;
  const { switchOffAfter, inactiveWebhook } = model.behavior;
  webhook.lastAttempt = attempt;
  webhook.failedAttempts = attempt.ok ? 0 : (webhook.failedAttempts ?? 0) + 1;
  if (switchOffAfter === 0 || webhook.failedAttempts < switchOffAfter || !webhook.enabled) return;
  webhook.isSwitchedOff = true;
  if (inactiveWebhook === 'failed') webhook.enabled = false;
  touchWebhook(model, webhook);
}

/** Applies a DELETE: removes the target and disables the webhook. */
export function clearWebhook(model: KonnectModel, organization: Organization, webhook: Webhook): void {
  pointWebhook(model, organization, webhook, { kind: 'none' });
  switchWebhook(model, webhook, false);
}

/** Returns the current target of a webhook's lines. Undefined if none is configured or the destination is deleted. */
export function deliveryTarget(organization: Organization, webhook: Webhook): DeliveryTarget | undefined {
  if (webhook.target.kind === 'none') return undefined;
  if (webhook.target.kind === 'inline') return webhook.target.inline;
  return findDestination(organization, webhook.target.id);
}

/** Passes a line to the delivery if the webhook is enabled. Returns whether it did. Calls `onDone` after the last attempt. */
export function deliver(
  model: KonnectModel,
  organization: Organization,
  webhook: Webhook,
  event: AuditEvent,
  onDone?: (ok: boolean) => void,
): boolean {
  const sends = webhook.enabled && webhook.isSwitchedOff !== true;
  const target = sends ? deliveryTarget(organization, webhook) : undefined;
  if (target === undefined || model.delivery === undefined) return false;
  const { endpoint, authorization, logFormat, skipSSLVerification } = target;
  const targetAtStart = webhook.target;
  model.delivery.send(event, { endpoint, authorization, logFormat, skipSSLVerification }, (attempt) => {
    if (webhook.target.kind === targetAtStart.kind && idOf(webhook.target) === idOf(targetAtStart)) {
      recordAttempt(model, webhook, {
        at: attempt.at,
        ...(attempt.code === undefined ? {} : { code: attempt.code }),
        message: `${attempt.message} [POST ${endpoint}]`,
        ok: attempt.ok,
      });
    }
    if (attempt.ok || attempt.givenUp) onDone?.(attempt.ok);
  });
  return true;
}

function idOf(target: WebhookTarget): string {
  if (target.kind === 'destination') return target.id;
  return target.kind === 'inline' ? target.inline.endpoint : '';
}
