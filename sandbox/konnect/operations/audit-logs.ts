import { createHash } from 'node:crypto';
import type { RecordedEvent } from '../model.ts';
import type { Operation } from '../operation.ts';
import { cursorPage } from '../pages.ts';
import { forbidden, notFound } from '../problem.ts';
import { dateTime, invalid } from '../validation.ts';

const retentionMs = 7 * 86_400_000;
const sizes = { default: 20, max: 1_000 };
const types = ['authentication', 'authorization', 'gateway_access'];

/** The list of what Konnect audited in a region, the oldest first. Logins to portals are not in it. */
export const auditLogsOperation: Operation = {
  id: 'get-audit-logs',
  method: 'GET',
  path: '/v3/audit-logs',
  hosts: 'regional',
  access: 'read',
  resource: 'audit-logs',
  action: 'list',
  query: /^(page\[(size|after|before)\]|filter\[ts\]\[(gte|lte)\]|filter\[type\])$/,
  handle(request) {
    const { model, organization, region, query } = request;
    if (model.behavior.auditLogsList === 'forbidden') throw forbidden('audit-logs list');
    if (model.behavior.auditLogsList === 'not-found') throw notFound('/v3/audit-logs');
    const until = timeOf(query, 'lte') ?? model.clock().getTime();
    const since = timeOf(query, 'gte') ?? until - retentionMs;
    const type = typeOf(query);
    const found = organization.events.filter(({ event: { at }, region: where, portalID }) => {
      const time = at.getTime();
      return where === region && portalID === undefined && time >= since && time <= until;
    });
    const { data, meta } = cursorPage(request, type === undefined || type === 'authorization' ? found : [], sizes);
    return {
      status: 200,
      body: {
        data: data.map((recorded) => view(organization.id, recorded)),
        meta: model.behavior.auditLogsMeta === 'nested' ? { page: meta } : meta,
      },
    };
  },
};

function timeOf(query: URLSearchParams, bound: 'gte' | 'lte'): number | undefined {
  const field = `filter[ts][${bound}]`;
  const sent = query.get(field);
  if (sent === null) return undefined;
  if (dateTime.safeParse(sent).success) return Date.parse(sent);
  throw invalid([{ field, rule: 'is_date_time', reason: `must be a date and time [${sent}]`, source: 'query' }]);
}

function typeOf(query: URLSearchParams): string | undefined {
  const sent = query.get('filter[type]') ?? undefined;
  if (sent === undefined || types.includes(sent)) return sent;
  const reason = `must be one of [${types.join(', ')}], not [${sent}]`;
  throw invalid([{ field: 'filter[type]', rule: 'enum', choices: types, reason, source: 'query' }]);
}

/** Only permission checks are recorded here. The signature is none: nothing says what Konnect signs in this list. */
function view(organizationID: string, { event: { at, name, extension } }: RecordedEvent): object {
  const resource = name.replace(/^Authz\./, '');
  return {
    type: 'authorization',
    signature: createHash('sha512')
      .update(extension['trace_id'] ?? '')
      .digest('base64url'),
    service: 'konnect',
    resource: `krn:konnect:org/${organizationID}:${resource}`,
    action: extension['action'],
    granted: extension['granted'] === 'true',
    org_id: organizationID,
    ts: at.toISOString(),
    principal_id: extension['principal_id'],
    client_ip: extension['src'],
    user_agent: extension['user_agent'],
    trace_id: extension['trace_id'],
  };
}
