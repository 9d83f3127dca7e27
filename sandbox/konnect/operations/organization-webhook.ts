import * as z from 'zod';
import { clearWebhook, pointWebhook, switchWebhook } from '../model/webhooks.ts';
import { type KonnectModel, type Organization, type Webhook, webhookIn } from '../model.ts';
import type { Operation, PublicOperation } from '../operation.ts';
import { endpoint, invalid, logFormat, readBody, text } from '../validation.ts';
import { changeByReference, rejectUnconfigured, viewByReference, viewInline, viewStatus } from './webhook-views.ts';

const inlineChange = z.strictObject({
  endpoint: endpoint.optional(),
  authorization: text.optional(),
  enabled: z.boolean().optional(),
  log_format: logFormat.optional(),
  skip_ssl_verification: z.boolean().optional(),
});

const v2 = { path: '/v2/audit-log-webhook', hosts: 'regional', resource: 'audit-log-webhook' } as const;
const v3 = { ...v2, path: '/v3/audit-log-webhook' } as const;

/** The operations on the organization's webhook of a region. v2 (inline) and v3 (by destination) show the same webhook. */
export const organizationWebhookOperations: readonly Operation[] = [
  {
    ...v2,
    id: 'get-audit-log-webhook',
    method: 'GET',
    access: 'read',
    action: 'retrieve',
    handle: ({ model, organization, region }) => ({
      status: 200,
      body: viewInline(model, organization, webhookIn(organization, region)),
    }),
  },
  {
    ...v2,
    id: 'update-audit-log-webhook',
    method: 'PATCH',
    access: 'write',
    action: 'update',
    handle({ model, organization, region, body }) {
      const webhook = webhookIn(organization, region);
      changeInline(model, organization, webhook, body);
      const { updated_at, ...rest } = viewInline(model, organization, webhook);
      return {
        status: model.behavior.patchStatus,
        body: model.behavior.patchAnswersUpdatedAt ? { ...rest, updated_at } : rest,
      };
    },
  },
  {
    ...v2,
    path: `${v2.path}/status`,
    id: 'get-audit-log-webhook-status',
    method: 'GET',
    access: 'read',
    action: 'retrieve',
    handle: ({ model, organization, region }) => ({
      status: 200,
      body: viewStatus(model, webhookIn(organization, region)),
    }),
  },
  {
    ...v3,
    id: 'get-audit-logs-webhook',
    method: 'GET',
    access: 'read',
    action: 'retrieve',
    handle({ model, organization, region }) {
      const webhook = webhookIn(organization, region);
      rejectUnconfigured(model, webhook.target.kind !== 'destination');
      return { status: 200, body: viewByReference(model, webhook) };
    },
  },
  {
    ...v3,
    id: 'update-audit-logs-webhook',
    method: 'PATCH',
    access: 'write',
    action: 'update',
    handle: ({ model, organization, region, body }) => ({
      status: model.behavior.patchStatus,
      body: changeByReference(model, organization, webhookIn(organization, region), body),
    }),
  },
  {
    ...v3,
    id: 'delete-audit-logs-webhook',
    method: 'DELETE',
    access: 'write',
    action: 'delete',
    handle({ model, organization, region }) {
      const webhook = webhookIn(organization, region);
      rejectUnconfigured(model, webhook.target.kind === 'none');
      clearWebhook(model, organization, webhook);
      return { status: 204 };
    },
  },
  {
    ...v3,
    path: `${v3.path}/status`,
    id: 'get-audit-logs-webhook-status',
    method: 'GET',
    access: 'read',
    action: 'retrieve',
    handle: ({ model, organization, region }) => ({
      status: 200,
      body: viewStatus(model, webhookIn(organization, region)),
    }),
  },
];

/** The public keys of the signatures. According to Kong's documentation, it needs no token. */
export const jwksOperation: PublicOperation = {
  id: 'get-audit-log-jwks',
  method: 'GET',
  path: `${v2.path}/jwks.json`,
  hosts: 'regional',
  access: 'public',
  handle: ({ model }) => ({ status: 200, body: model.delivery?.jwks() ?? { keys: [] } }),
};

/**
 * Applies a v2 PATCH. A field of the target makes the webhook inline. A PATCH with only `enabled` keeps the target, even a destination that v3
 * set. Absent fields: see `fillPatchDefaults`.
 */
function changeInline(model: KonnectModel, organization: Organization, webhook: Webhook, body: unknown): void {
  const { enabled: sentEnabled, ...sent } = readBody(inlineChange, body);
  const fill = model.behavior.fillPatchDefaults;
  const enabled = sentEnabled ?? (fill ? false : webhook.enabled);
  const before = webhook.target.kind === 'inline' ? webhook.target.inline : undefined;
  const hasTarget = Object.values(sent).some((value) => value !== undefined);
  if (hasTarget || before !== undefined || (enabled && webhook.target.kind === 'none')) {
    pointWebhook(model, organization, webhook, {
      kind: 'inline',
      inline: {
        endpoint: required('endpoint', sent.endpoint ?? before?.endpoint),
        authorization: required('authorization', sent.authorization ?? before?.authorization),
        logFormat: sent.log_format ?? (fill ? undefined : before?.logFormat) ?? 'cef',
        skipSSLVerification: sent.skip_ssl_verification ?? (fill ? undefined : before?.skipSSLVerification) ?? false,
      },
    });
  }
  switchWebhook(model, webhook, enabled);
}

function required(field: string, value: string | undefined): string {
  if (value === undefined) throw invalid([{ field, rule: 'required', reason: 'cannot be blank' }]);
  return value;
}
