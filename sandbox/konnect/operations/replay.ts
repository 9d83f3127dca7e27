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
    (request) => portalOf(request).webhook,
  ),
];

function organizationReplay(version: 'v2' | 'v3'): Operation[] {
  return replayOf(
    { path: `/${version}/audit-log-replay-job`, resource: 'audit-log-replay-job' },
    { put: 'update-audit-log-replay-job', get: 'get-audit-log-replay-job' },
    ({ organization, region }) => webhookIn(organization, region),
  );
}

function replayOf(
  where: Pick<Operation, 'path' | 'resource'>,
  ids: { put: string; get: string },
  webhookOf: (request: OperationRequest) => Webhook,
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
        const { model, organization } = request;
        const webhook = webhookOf(request);
        const { start_at, end_at } = readBody(job, request.body);
        startReplay(model, organization, webhook, { startAt: start_at, endAt: end_at });
        return { status: 202, body: { ...view(model, webhook), status: 'accepted' } };
      },
    },
    {
      ...where,
      id: ids.get,
      method: 'GET',
      hosts: 'regional',
      access: 'read',
      action: 'retrieve',
      handle: (request) => ({ status: 200, body: view(request.model, webhookOf(request)) }),
    },
  ];
}

function view(model: KonnectModel, webhook: Webhook): Record<string, unknown> {
  const { replay } = webhook;
  const updatedAt = replay?.startedAt ?? replay?.acceptedAt;
  return {
    start_at: replay === undefined ? unsetTime(model) : timeIn(model, replay.startAt),
    end_at: replay === undefined ? unsetTime(model) : timeIn(model, replay.endAt),
    status: replayStatus(model, webhook),
    updated_at: updatedAt?.toISOString() ?? unsetTime(model),
  };
}

function timeIn({ behavior }: KonnectModel, sent: string): string {
  return behavior.replayTimes === 'as-sent' ? sent : new Date(sent).toISOString().replace('Z', '+00:00');
}
