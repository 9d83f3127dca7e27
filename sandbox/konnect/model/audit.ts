import type { AuditEvent } from '../audit-event.ts';
import {
  type KonnectModel,
  type Organization,
  type Portal,
  type RecordedEvent,
  type Token,
  webhookIn,
} from '../model.ts';
import { deliver } from './webhooks.ts';

const maxEvents = 10_000;

/** What an audit line says about a request. */
export interface RequestDetails {
  readonly region: string;
  /** Address of the client. */
  readonly source: string;
  readonly userAgent: string;
  readonly traceID: string;
}

/**
 * Records a call to Konnect and sends its line to the organization's webhook of that region. A call to `global` is only recorded, because no
 * webhook belongs to `global`.
 */
export function auditCall(
  model: KonnectModel,
  organization: Organization,
  call: { resource: string; action: string; granted: boolean; token: Token } & RequestDetails,
): void {
  const at = model.clock();
  const event: AuditEvent = {
    at,
    product: 'Konnect',
    eventClassID: 'konnect',
    name: `Authz.${call.resource}`,
    severity: 1,
    extension: {
      rt: String(at.getTime()),
      src: call.source,
      action: call.action,
      granted: String(call.granted),
      org_id: organization.id,
      principal_id: call.token.principalID,
      trace_id: call.traceID,
      user_agent: call.userAgent,
    },
  };
  record(organization, { event, region: call.region });
  if (call.region !== 'global') deliver(model, organization, webhookIn(organization, call.region), event);
}

export type LoginOutcome = 'SUCCESS' | 'NOT_FOUND' | 'INVALID_PASSWORD';

/** Records a login of a developer and sends its line to that portal's webhook only. */
export function auditLogin(
  model: KonnectModel,
  organization: Organization,
  portal: Portal,
  login: { outcome: LoginOutcome; path: string; principalID?: string } & RequestDetails,
): void {
  const at = model.clock();
  const event: AuditEvent = {
    at,
    product: 'Dev-Portal',
    eventClassID: 'AUTHENTICATION_TYPE_BASIC',
    name: `AUTHENTICATION_OUTCOME_${login.outcome}`,
    severity: 0,
    extension: {
      rt: String(at.getTime()),
      src: login.source,
      request: login.path,
      success: String(login.outcome === 'SUCCESS'),
      org_id: organization.id,
      portal_id: portal.id,
      ...(login.principalID === undefined ? {} : { principal_id: login.principalID }),
      trace_id: login.traceID,
      user_agent: login.userAgent,
    },
  };
  record(organization, { event, region: login.region, portalID: portal.id });
  deliver(model, organization, portal.webhook, event);
}

function record({ events }: Organization, recorded: Omit<RecordedEvent, 'sequence'>): void {
  events.push({ ...recorded, sequence: (events.at(-1)?.sequence ?? 0) + 1 });
  if (events.length > maxEvents) events.shift();
}
