import { clearWebhook } from '../model/webhooks.ts';
import type { Operation } from '../operation.ts';
import { conflict } from '../problem.ts';
import { portalOf } from './portals.ts';
import { changeByReference, rejectUnconfigured, viewByReference, viewStatus } from './webhook-views.ts';

const where = { path: '/v3/portals/{portalId}/audit-log-webhook', hosts: 'regional', resource: 'portals' } as const;

export const portalWebhookOperations: readonly Operation[] = [
  {
    ...where,
    id: 'get-portal-audit-log-webhook',
    method: 'GET',
    access: 'read',
    action: 'retrieve',
    handle(request) {
      const { webhook } = portalOf(request);
      rejectUnconfigured(request.model, webhook.target.kind === 'none');
      return { status: 200, body: viewByReference(request.model, webhook) };
    },
  },
  {
    ...where,
    id: 'update-portal-audit-log-webhook',
    method: 'PATCH',
    access: 'write',
    action: 'update',
    handle: (request) => ({
      status: request.model.behavior.patchStatus,
      body: changeByReference(request.model, request.organization, portalOf(request).webhook, request.body),
    }),
  },
  {
    ...where,
    id: 'delete-portal-audit-log-webhook',
    method: 'DELETE',
    access: 'write',
    action: 'delete',
    handle(request) {
      const { model, organization } = request;
      const { webhook } = portalOf(request);
      rejectUnconfigured(model, webhook.target.kind === 'none');
      if (model.behavior.portalDeleteConflict && webhook.enabled) throw conflict('Webhook is enabled');
      clearWebhook(model, organization, webhook);
      return { status: 204 };
    },
  },
  {
    ...where,
    path: `${where.path}/status`,
    id: 'get-portal-audit-log-webhook-status',
    method: 'GET',
    access: 'read',
    action: 'retrieve',
    handle: (request) => ({ status: 200, body: viewStatus(request.model, portalOf(request).webhook) }),
  },
];
