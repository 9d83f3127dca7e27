import * as z from 'zod';
import { replayStatus, startReplay } from '../model/replay.ts';
import { type KonnectModel, type Webhook, webhookIn } from '../model.ts';
import type { Operation, OperationRequest } from '../operation.ts';
import { unsetTime } from '../times.ts';
import { dateTime, readBody } from '../validation.ts';
import { portalOf } from './portals.ts';

const job = z.strictObject({ start_at: dateTime, end_at: dateTime });

/** The replay jobs of the organization's webhook (v2, v3) and of portals' webhooks. Every accepted PUT sends the lines again. */
export const replayOperations: readonly Operation[] = [
  ...organizationReplay('v2'),
  ...organizationReplay('v3'),
  ...replayOf(
    { path: '/v3/portals/{portalId}/audit-log-replay-job', resource: 'portals' },
    { put: 'update-portal-audit-log-replay-job', get: 'get-portal-audit-log-replay-job' },
    (request) => {
      const portal = portalOf(request);
      return { webhook: portal.webhook, portalID: portal.id };
    },
  ),
];

function organizationReplay(version: 'v2' | 'v3'): Operation[] {
  return replayOf(
    { path: `/${version}/audit-log-replay-job`, resource: 'audit-log-replay-job' },
    { put: 'update-audit-log-replay-job', get: 'get-audit-log-replay-job' },
    ({ organization, region }) => ({ webhook: webhookIn(organization, region) }),
  );
}

function replayOf(
  where: Pick<Operation, 'path' | 'resource'>,
  ids: { put: string; get: string },
  subject: (request: OperationRequest) => { webhook: Webhook; portalID?: string },
): Operation[] {
  return [
    {
      ...where,
      id: ids.put,
      method: 'PUT',
      hosts: 'regional',
      access: 'write',
      action: 'update',
      handle(request) {
        const { webhook, ...portal } = subject(request);
        const { start_at, end_at } = readBody(job, request.body);
        startReplay(
          request.model,
          request.organization,
          webhook,
          { region: request.region, ...portal },
          { startAt: start_at, endAt: end_at },
        );
        return { status: 202, body: { ...view(request.model, webhook), status: 'accepted' } };
      },
    },
    {
      ...where,
      id: ids.get,
      method: 'GET',
      hosts: 'regional',
      access: 'read',
      action: 'retrieve',
      handle: (request) => ({ status: 200, body: view(request.model, subject(request).webhook) }),
    },
  ];
}

function view(model: KonnectModel, webhook: Webhook): Record<string, unknown> {
  return {
    start_at: webhook.replay?.startAt ?? unsetTime(model),
    end_at: webhook.replay?.endAt ?? unsetTime(model),
    status: replayStatus(model, webhook),
    updated_at: webhook.replay?.updatedAt.toISOString() ?? unsetTime(model),
  };
}
