import * as z from 'zod';
import { findDestination, shownEndpoint } from '../model/destinations.ts';
import { deliveryTarget, pointWebhook, switchWebhook } from '../model/webhooks.ts';
import type { KonnectModel, Organization, Webhook } from '../model.ts';
import { notFound } from '../problem.ts';
import { unsetTime } from '../times.ts';
import { invalid, readBody, uuid } from '../validation.ts';

const change = z.strictObject({ audit_log_destination_id: uuid.optional(), enabled: z.boolean().optional() });

/** Returns how v3 shows a webhook of the organization or a portal. A webhook that v2 set inline shows no destination. */
export function viewByReference(model: KonnectModel, { target, enabled }: Webhook): Record<string, unknown> {
  if (target.kind === 'destination') return { audit_log_destination_id: target.id, enabled };
  const shown = model.behavior.unconfiguredWebhook;
  if (shown === 'disabled-empty') return { audit_log_destination_id: '', enabled };
  if (shown === 'disabled-nil') return { audit_log_destination_id: '00000000-0000-0000-0000-000000000000', enabled };
  return { enabled };
}

/** Applies a v3 PATCH. Absent fields: see `fillPatchDefaults`. */
export function changeByReference(
  model: KonnectModel,
  organization: Organization,
  webhook: Webhook,
  body: unknown,
): Record<string, unknown> {
  const sent = readBody(change, body);
  const id = sent.audit_log_destination_id;
  const enabled = sent.enabled ?? (model.behavior.fillPatchDefaults ? false : webhook.enabled);
  if (id !== undefined && findDestination(organization, id) === undefined) throw unknownDestination(model, id);
  if (id === undefined && enabled && webhook.target.kind === 'none') {
    throw invalid([{ field: 'audit_log_destination_id', rule: 'required', reason: 'cannot be blank' }]);
  }
  if (id !== undefined) pointWebhook(model, organization, webhook, { kind: 'destination', id });
  switchWebhook(model, webhook, enabled);
  return viewByReference(model, webhook);
}

/** Returns how v2 shows the organization's webhook. If v3 set it, the values come from its destination. */
export function viewInline(model: KonnectModel, organization: Organization, webhook: Webhook): Record<string, unknown> {
  const target = deliveryTarget(organization, webhook);
  return {
    endpoint: target === undefined ? 'unconfigured' : shownEndpoint(model, target.endpoint),
    enabled: webhook.enabled,
    log_format: target?.logFormat ?? 'cef',
    skip_ssl_verification: target?.skipSSLVerification ?? false,
    updated_at: webhook.updatedAt?.toISOString() ?? unsetTime(model),
  };
}

/** Returns how all versions show the result of the last delivery. `inactive`: see `inactiveWebhook`. */
export function viewStatus(
  { behavior }: KonnectModel,
  { enabled, target, lastAttempt, isSwitchedOff }: Webhook,
): Record<string, unknown> {
  if (target.kind === 'none') return { webhook_enabled: false, webhook_status: 'unconfigured' };
  if (lastAttempt === undefined) return { webhook_enabled: enabled, webhook_status: 'active' };
  const isInactive = behavior.inactiveWebhook === 'failed' ? !lastAttempt.ok : isSwitchedOff === true;
  return {
    webhook_enabled: enabled,
    webhook_status: isInactive ? 'inactive' : 'active',
    last_attempt_at: lastAttempt.at.toISOString(),
    ...(lastAttempt.code === undefined ? {} : { last_response_code: lastAttempt.code }),
    last_response_message: lastAttempt.message,
  };
}

/** @throws {Problem} 404 for an unconfigured webhook, if `unconfiguredWebhook` is `not-found` */
export function rejectUnconfigured(model: KonnectModel, isUnconfigured: boolean): void {
  if (isUnconfigured && model.behavior.unconfiguredWebhook === 'not-found') throw notFound('audit log webhook');
}

function unknownDestination(model: KonnectModel, id: string): Error {
  return model.behavior.unknownDestination === 404
    ? notFound(`audit log destination ${id}`)
    : invalid([
        {
          field: 'audit_log_destination_id',
          rule: 'missing_reference',
          reason: `names no audit log destination [${id}]`,
        },
      ]);
}
