import { addressOf } from '../../sandbox/konnect/address.ts';
import type { KonnectModel } from '../../sandbox/konnect/model.ts';
import { answerError } from '../../src/konnect/answer-error.ts';
import { KonnectError, type KonnectOperation } from '../../src/konnect/errors.ts';
import type { KonnectRequest } from '../../src/konnect/transport.ts';
import type { Call, Fault } from './faults.ts';

const refusals: Partial<Record<Fault, { readonly status: number; readonly retryAfterMs?: number }>> = {
  'http-400': { status: 400 },
  'http-401': { status: 401 },
  'http-403': { status: 403 },
  'http-409': { status: 409 },
  'http-429': { status: 429, retryAfterMs: 77_000 },
  'http-500': { status: 500 },
  'http-500-done': { status: 500 },
};

/** Returns the error that the operator gets for a fault without a crash. */
export function konnectError(fault: Fault, { operation, method }: KonnectRequest): KonnectError {
  const write = method !== 'GET';
  const refusal = refusals[fault];
  if (refusal !== undefined) {
    const { status, retryAfterMs } = refusal;
    return answerError({ operation, status, body: undefined, isWrite: write, retryAfterMs });
  }
  if (fault === 'truncated') {
    return new KonnectError({ kind: 'UnexpectedAnswer', operation, status: 200, mayHaveHappened: write });
  }
  const code = fault === 'timeout' ? 'ETIMEDOUT' : 'ECONNRESET';
  return new KonnectError({ kind: 'Unreachable', operation, code, mayHaveHappened: write });
}

const ofDestinations: ReadonlySet<KonnectOperation> = new Set([
  'create destination',
  'update destination',
  'delete destination',
]);

const ofDeliveries: ReadonlySet<KonnectOperation> = new Set([
  'get portal webhook status',
  'get organization webhook status',
]);

export function konnectCall(model: KonnectModel, request: KonnectRequest): Call {
  const { operation, method, url } = request;
  const id = /[0-9a-f-]{36}/.exec(url.pathname)?.[0];
  return {
    system: 'konnect',
    what: `${operation}${id === undefined ? '' : ` ${id}`} (${method} ${url.pathname})`,
    kind: method === 'GET' ? (operation === 'list destinations' ? 'list' : 'read') : 'write',
    touchesDestinations: ofDestinations.has(operation),
    creates: operation === 'create destination',
    hasBody: method !== 'DELETE',
    object: objectIn(model, request),
    deliveryOf: ofDeliveries.has(operation) ? webhookIn(model, request) : undefined,
  };
}

/** Returns the webhook or destination that the request is about. Undefined if there is not exactly one. */
function objectIn(model: KonnectModel, request: KonnectRequest): string | undefined {
  const { operation, url } = request;
  const id = /[0-9a-f-]{36}/.exec(url.pathname)?.[0];
  if (ofDestinations.has(operation) || operation === 'get destination') return id && `destination/${id}`;
  return url.pathname.endsWith('audit-log-webhook') ? webhookIn(model, request) : undefined;
}

/** Returns the webhook whose path the request has. Undefined for the organization of an unknown token. */
function webhookIn(model: KonnectModel, { url, token }: KonnectRequest): string | undefined {
  const { region, path } = addressOf({ host: url.host, url: url.pathname }, model.regions);
  const id = /[0-9a-f-]{36}/.exec(path)?.[0];
  if (id !== undefined) return `portal/${id}`;
  const organization = [...model.organizations.values()].find(({ tokens }) => tokens.has(token ?? ''));
  return organization && `organization/${organization.id}/${region}`;
}
