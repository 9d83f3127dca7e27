import type { AuditEvent } from '../audit-event.ts';
import { type KonnectModel, type Organization, type Portal, type Token, webhookIn } from '../model.ts';
import { deliver } from './webhooks.ts';

const eventsKept = 10_000;

/** What a line tells of the request that it is about. */
export interface RequestFacts {
  readonly region: string;
  /** Address of the client. */
  readonly source: string;
  readonly userAgent: string;
  readonly traceID: string;
}

/**
 * A call to Konnect: the organization's webhook of that region gets the line. Calls to `global` are recorded alone, since that is no
 * region with a webhook.
 */
export function auditCall(
  model: KonnectModel,
  organization: Organization,
  call: { resource: string; action: string; granted: boolean; token: Token } & RequestFacts,
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

/** A login of a developer: that portal's webhook alone gets the line. */
export function auditLogin(
  model: KonnectModel,
  organization: Organization,
  portal: Portal,
  login: { outcome: LoginOutcome; path: string; principalID?: string } & RequestFacts,
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

function record(organization: Organization, recorded: Organization['events'][number]): void {
  organization.events.push(recorded);
  if (organization.events.length > eventsKept) organization.events.shift();
}
