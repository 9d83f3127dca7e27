import { auditCall } from './model/audit.ts';
import { runDueReplays } from './model/replay.ts';
import { holderOf, type KonnectModel } from './model.ts';
import type { Answer, Operation, PublicOperation, PublicRequest } from './operation.ts';
import { auditLogsOperation } from './operations/audit-logs.ts';
import { destinationOperations } from './operations/destinations.ts';
import { organizationOperations } from './operations/organization.ts';
import { jwksOperation, organizationWebhookOperations } from './operations/organization-webhook.ts';
import { portalLoginOperation } from './operations/portal-login.ts';
import { portalWebhookOperations } from './operations/portal-webhook.ts';
import { portalOperations } from './operations/portals.ts';
import { replayOperations } from './operations/replay.ts';
import { badRequest, forbidden, methodNotAllowed, notFound, Problem, unauthorized } from './problem.ts';
import { invalid } from './validation.ts';

/** A request to Konnect, independent of HTTP. */
export interface KonnectRequest {
  readonly method: string;
  /** From the host or the prefix of the path. It may not exist. */
  readonly region: string;
  /** Below the region's host, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The Authorization header. */
  readonly authorization?: string;
  readonly contentType?: string;
  /** Raw body. Empty if there is none. */
  readonly body: string;
  readonly source: string;
  readonly userAgent: string;
}

export interface KonnectAnswer extends Answer {
  readonly contentType: 'application/json' | 'application/problem+json';
}

export const operations: readonly (Operation | PublicOperation)[] = [
  ...destinationOperations('v2'),
  ...destinationOperations('v3'),
  ...organizationWebhookOperations,
  jwksOperation,
  auditLogsOperation,
  ...portalOperations,
  ...portalWebhookOperations,
  ...replayOperations,
  ...organizationOperations,
  portalLoginOperation,
];

const routes = operations.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replaceAll('.', '\\.').replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

/** Returns the operation of a request. Undefined if no operation has this path and method. */
export function operationFor({
  method,
  path,
}: Pick<KonnectRequest, 'method' | 'path'>): Operation | PublicOperation | undefined {
  return routes.find(({ operation, pattern }) => operation.method === method && pattern.test(path))?.operation;
}

/** Processes a request and returns Konnect's answer. No request makes it throw. */
export function answer(model: KonnectModel, request: KonnectRequest): KonnectAnswer {
  const traceID = model.newTraceID();
  runDueReplays(model);
  try {
    return { ...perform(model, request, traceID), contentType: 'application/json' };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { status: error.status, body: error.body(traceID), contentType: 'application/problem+json' };
  }
}

function perform(model: KonnectModel, request: KonnectRequest, traceID: string): Answer {
  const { method, path, region, query, source, userAgent } = request;
  const operation = operationFor(request);
  if (operation === undefined) {
    throw routes.some(({ pattern }) => pattern.test(path)) ? methodNotAllowed(method) : notFound(path);
  }
  if (!servedOn(model, operation, region)) {
    if (operation.hosts === 'destination-items') return unservedItem(model, request);
    throw notFound(`${region} ${path}`);
  }
  const common = { model, region, path, params: paramsOf(operation, path), query, source, userAgent, traceID };
  if (operation.access === 'public') {
    refuseUnknownQuery(operation, query);
    return operation.handle({ ...common, body: bodyOf(request) });
  }
  const { organization, token } = authenticate(model, request.authorization);
  const facts = { region, source, userAgent, traceID, resource: operation.resource, action: operation.action, token };
  const refused = operation.access === 'write' && token.access === 'read-only';
  if (refused) {
    auditCall(model, organization, { ...facts, granted: false });
    throw forbidden(`${operation.resource} ${operation.action}`);
  }
  refuseUnknownQuery(operation, query);
  let granted = true;
  try {
    return operation.handle({ ...common, body: bodyOf(request), organization, token });
  } catch (error) {
    granted = !(error instanceof Problem && error.status === 403);
    throw error;
  } finally {
    auditCall(model, organization, { ...facts, granted });
  }
}

function servedOn(model: KonnectModel, { hosts, path }: Pick<Operation, 'hosts' | 'path'>, region: string): boolean {
  if (!model.regions.includes(region)) return false;
  if (hosts === 'destination-items') {
    const { destinationItems } = model.behavior;
    if (destinationItems === 'everywhere') return true;
    if (region === 'global') return destinationItems === 'global';
    return path.startsWith(`/${destinationItems.replace('region-', '')}/`);
  }
  return hosts === 'any' || (hosts === 'global') === (region === 'global');
}

/** Returns the answer of a host that does not serve single destinations. */
function unservedItem({ behavior }: KonnectModel, { method, region, path }: KonnectRequest): Answer {
  switch (behavior.unservedDestinationItem) {
    case 'problem':
      throw notFound(`${region} ${path}`);
    case 'no-route':
      return { status: 404, body: { message: 'no Route matched with those values' } };
    case 'method-not-allowed':
      throw methodNotAllowed(method);
  }
}

function paramsOf(operation: Pick<Operation, 'path'>, path: string): PublicRequest['params'] {
  const names = operation.path.split('/');
  const values = path.split('/');
  return Object.fromEntries(
    names.flatMap((name, index) => (name.startsWith('{') ? [[name.slice(1, -1), values[index] ?? '']] : [])),
  );
}

function authenticate(
  model: KonnectModel,
  authorization: string | undefined,
): NonNullable<ReturnType<typeof holderOf>> {
  const value = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  const holder = value === undefined ? undefined : holderOf(model, value);
  if (holder === undefined) throw unauthorized(authorization ?? '');
  return holder;
}

function refuseUnknownQuery({ query: known }: Pick<Operation, 'query'>, query: URLSearchParams): void {
  const unknown = [...query.keys()].filter((key) => !known?.test(key));
  if (unknown.length === 0) return;
  throw invalid(
    unknown.map((field) => ({ field, rule: 'unknown_property', reason: 'is not a known parameter', source: 'query' })),
  );
}

function bodyOf({ method, contentType, body }: KonnectRequest): unknown {
  if (method === 'GET' || method === 'DELETE') return undefined;
  const isJSON = /^application\/json\s*(;|$)/i.test(contentType ?? '');
  try {
    if (isJSON) return JSON.parse(body);
  } catch {
    // Answered below.
  }
  throw badRequest(`Could not parse request body [${body}]`, [{ field: 'body', reason: 'request format is invalid' }]);
}
