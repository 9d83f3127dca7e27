import type { AuditEvent, DeliveryTarget } from '../audit-event.ts';
import type { KonnectModel, Organization, Webhook, WebhookTarget } from '../model.ts';
import { timeOfChange } from '../model.ts';
import { findDestination } from './destinations.ts';

/** Points a webhook at something else. A destination left behind counts as in use for `releaseDelayMs` more. */
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

/** Marks a successful change. */
export function touchWebhook(model: KonnectModel, webhook: Webhook): void {
  webhook.updatedAt = timeOfChange(model, webhook.updatedAt);
}

/** What is left after DELETE: no target, switched off. */
export function clearWebhook(model: KonnectModel, organization: Organization, webhook: Webhook): void {
  pointWebhook(model, organization, webhook, { kind: 'none' });
  webhook.enabled = false;
  touchWebhook(model, webhook);
}

/** Where lines of a webhook go to, as of now; undefined where nothing is configured. */
export function deliveryTarget(organization: Organization, webhook: Webhook): DeliveryTarget | undefined {
  if (webhook.target.kind === 'none') return undefined;
  if (webhook.target.kind === 'inline') return webhook.target.inline;
  return findDestination(organization, webhook.target.id);
}

/** Hands a line over for delivery if the webhook is on. Returns whether it did; `onSettled` is told the outcome once no attempt follows. */
export function deliver(
  model: KonnectModel,
  organization: Organization,
  webhook: Webhook,
  event: AuditEvent,
  onSettled?: (ok: boolean) => void,
): boolean {
  const target = webhook.enabled ? deliveryTarget(organization, webhook) : undefined;
  if (target === undefined || model.delivery === undefined) return false;
  const { endpoint, authorization, logFormat, skipSSLVerification } = target;
  const pointedAt = webhook.target;
  model.delivery.send(event, { endpoint, authorization, logFormat, skipSSLVerification }, (attempt) => {
    if (webhook.target.kind === pointedAt.kind && idOf(webhook.target) === idOf(pointedAt)) {
      webhook.lastAttempt = {
        at: attempt.at,
        ...(attempt.code === undefined ? {} : { code: attempt.code }),
        message: `${attempt.message} [POST ${endpoint}]`,
        ok: attempt.ok,
      };
    }
    if (attempt.ok || attempt.givenUp) onSettled?.(attempt.ok);
  });
  return true;
}

function idOf(target: WebhookTarget): string {
  if (target.kind === 'destination') return target.id;
  return target.kind === 'inline' ? target.inline.endpoint : '';
}
