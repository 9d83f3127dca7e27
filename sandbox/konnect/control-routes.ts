import * as z from 'zod';
import type { KonnectControl } from './control.ts';
import {
  attemptBody,
  behaviorBody,
  faultBody,
  organizationBody,
  portalBody,
  revocationBody,
  tokenBody,
} from './control-bodies.ts';
import { currentDestinations } from './model/destinations.ts';
import { recordAttempt } from './model/webhooks.ts';
import {
  addOrganization,
  addPortal,
  addToken,
  type Destination,
  type KonnectModel,
  type Organization,
  type Portal,
  removePortal,
  revokeToken,
  type Webhook,
  webhookIn,
} from './model.ts';
import { viewStatus } from './operations/webhook-views.ts';

/** Paths with this prefix belong to the sandbox. Konnect does not have them. */
export const controlPrefix = '/__sandbox/';

interface ControlAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface ControlRequest {
  readonly model: KonnectModel;
  readonly control: KonnectControl;
  readonly params: Readonly<Record<string, string>>;
  /** Parsed JSON. Undefined if the request has no body. */
  readonly body: unknown;
}

type ControlRoute = readonly [method: string, pattern: RegExp, handle: (request: ControlRequest) => unknown];

const routes: readonly ControlRoute[] = [
  ['GET', /^calls$/, ({ control }) => control.calls()],
  ['DELETE', /^calls$/, ({ control }) => control.clearCalls()],
  ['GET', /^faults$/, ({ control }) => control.faults().map(({ id, rule, hits }) => ({ id, rule, hits: hits() }))],
  ['POST', /^faults$/, ({ control, body }) => ({ id: control.fail(faultBody.parse(body)).id })],
  ['DELETE', /^faults$/, ({ control }) => control.clearFaults()],
  [
    'DELETE',
    /^faults\/(?<id>\d+)$/,
    ({ control, params }) => required(control.faults().find(({ id }) => String(id) === params['id'])).remove(),
  ],
  ['GET', /^behaviou?r$/, ({ model }) => model.behavior],
  [
    'PATCH',
    /^behaviou?r$/,
    ({ model, control, body }) => {
      control.behave(behaviorBody.parse(body));
      return model.behavior;
    },
  ],
  ['GET', /^organizations$/, ({ model }) => [...model.organizations.values()].map((one) => overview(model, one))],
  [
    'POST',
    /^organizations$/,
    ({ model, body }) => overview(model, addOrganization(model, organizationBody.parse(body))),
  ],
  ['GET', /^organizations\/(?<organization>[^/]+)$/, (request) => overview(request.model, organizationOf(request))],
  [
    'DELETE',
    /^organizations\/(?<organization>[^/]+)$/,
    (request) => void request.model.organizations.delete(organizationOf(request).id),
  ],
  ['GET', /^organizations\/(?<organization>[^/]+)\/events$/, (request) => organizationOf(request).events],
  [
    'POST',
    /^organizations\/(?<organization>[^/]+)\/tokens$/,
    (request) => addToken(request.model, organizationOf(request), tokenBody.parse(request.body)),
  ],
  [
    'POST',
    /^organizations\/(?<organization>[^/]+)\/portals$/,
    (request) =>
      portalOverview(request.model, addPortal(request.model, organizationOf(request), portalBody.parse(request.body))),
  ],
  [
    'DELETE',
    /^organizations\/(?<organization>[^/]+)\/portals\/(?<portal>[^/]+)$/,
    (request) => {
      if (!removePortal(request.model, organizationOf(request), request.params['portal'] ?? '')) throw new NotFound();
    },
  ],
  [
    'POST',
    /^organizations\/(?<organization>[^/]+)\/portals\/(?<portal>[^/]+)\/attempts$/,
    (request) =>
      attempt(request, required(organizationOf(request).portals.get(request.params['portal'] ?? '')).webhook),
  ],
  [
    'POST',
    /^organizations\/(?<organization>[^/]+)\/webhooks\/(?<region>[^/]+)\/attempts$/,
    (request) => attempt(request, webhookIn(organizationOf(request), request.params['region'] ?? '')),
  ],
  [
    'POST',
    /^tokens\/revoke$/,
    ({ model, body }) => {
      if (!revokeToken(model, revocationBody.parse(body).value)) throw new NotFound();
    },
  ],
];

/** Answers a request to `/__sandbox/{path}`: 200 with JSON, 204 without a body, or 400, 404 or 405 with a message. */
export function controlAnswer(
  model: KonnectModel,
  control: KonnectControl,
  request: { readonly method: string; readonly path: string; readonly body: string },
): ControlAnswer {
  const here = routes.filter(([, pattern]) => pattern.test(request.path));
  const [, pattern, handle] = here.find(([method]) => method === request.method) ?? [];
  if (pattern === undefined || handle === undefined)
    return { status: here.length > 0 ? 405 : 404, body: { message: 'no such route' } };
  try {
    const body: unknown = request.body === '' ? undefined : JSON.parse(request.body);
    const answer = handle({ model, control, params: pattern.exec(request.path)?.groups ?? {}, body });
    return answer === undefined ? { status: 204, body: undefined } : { status: 200, body: answer };
  } catch (error) {
    if (error instanceof NotFound) return { status: 404, body: { message: 'not found' } };
    if (error instanceof z.ZodError) return { status: 400, body: { message: z.prettifyError(error) } };
    if (error instanceof SyntaxError) return { status: 400, body: { message: error.message } };
    throw error;
  }
}

class NotFound extends Error {}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new NotFound();
  return value;
}

/** Records attempts as if Konnect had tried to deliver, and returns the webhook. */
function attempt({ model, body }: ControlRequest, webhook: Webhook): object {
  const { code, message, times } = attemptBody.parse(body ?? {});
  const ok = code !== undefined && code >= 200 && code <= 299;
  const one = { at: model.clock(), ...(code === undefined ? {} : { code }), message, ok };
  for (let count = 0; count < times; count += 1) recordAttempt(model, webhook, one);
  return webhookOverview(model, webhook);
}

function organizationOf({ model, params }: ControlRequest): Organization {
  return required(model.organizations.get(params['organization'] ?? ''));
}

/** Returns the configuration of an organization, without tokens and authorizations. */
function overview(model: KonnectModel, organization: Organization): object {
  return {
    id: organization.id,
    name: organization.name,
    destinations: currentDestinations(organization).map(destinationOverview),
    webhooks: Object.fromEntries(
      [...organization.webhooks].map(([region, webhook]) => [region, webhookOverview(model, webhook)]),
    ),
    portals: [...organization.portals.values()].map((portal) => portalOverview(model, portal)),
    eventCount: organization.events.length,
  };
}

function destinationOverview({ id, name, endpoint, logFormat, skipSSLVerification }: Destination): object {
  return { id, name, endpoint, logFormat, skipSSLVerification };
}

function portalOverview(model: KonnectModel, { id, name, region, webhook }: Portal): object {
  return { id, name, region, webhook: webhookOverview(model, webhook) };
}

function webhookOverview(model: KonnectModel, webhook: Webhook): object {
  const { target, enabled } = webhook;
  return {
    enabled,
    ...(target.kind === 'destination' ? { destinationID: target.id } : {}),
    ...(target.kind === 'inline' ? { endpoint: target.inline.endpoint } : {}),
    status: viewStatus(model, webhook),
  };
}
