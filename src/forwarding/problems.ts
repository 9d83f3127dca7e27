/**
 * The problems that a forwarding can have: a reason, and a message for a user.
 *
 * A message names the object, the cause and the way out. It contains only the operator's own words, IDs and names: no text from
 * Konnect, no secret, and nothing that differs from one reconciliation to the next, except the codes and times that `causeOf` of
 * `status/problem.ts` ignores. Conditions, events and the headings of the
 * runbook use the same reasons.
 */
import {
  KonnectError,
  type KonnectErrorKind,
  listedButNotServedCode,
  proxyAuthenticationCode,
} from '../konnect/errors.ts';
import type { Problem as StatusProblem } from '../status/problem.ts';

export const reasons = {
  secretNotFound: 'SecretNotFound',
  secretKeyNotFound: 'SecretKeyNotFound',
  secretInvalid: 'SecretInvalid',
  secretForbidden: 'SecretForbidden',
  authRefNotFound: 'AuthRefNotFound',
  authRefNotServed: 'AuthRefNotServed',
  authRefForbidden: 'AuthRefForbidden',
  authRefMismatch: 'AuthRefMismatch',
  tokenRejected: 'TokenRejected',
  permissionDenied: 'PermissionDenied',
  requestRefused: 'RequestRefused',
  organizationUnproven: 'OrganizationUnproven',
  organizationChanged: 'OrganizationChanged',
  nameInUse: 'NameInUse',
  webhookInUse: 'WebhookInUse',
  claimed: 'Claimed',
  contested: 'Contested',
  destinationNotFound: 'DestinationNotFound',
  handingOver: 'HandingOver',
  leftBehind: 'LeftBehind',
  portalNotFound: 'PortalNotFound',
  portalRefNotFound: 'PortalRefNotFound',
  portalRefNotReady: 'PortalRefNotReady',
  portalRefMismatch: 'PortalRefMismatch',
  portalRefNotServed: 'PortalRefNotServed',
  portalRefForbidden: 'PortalRefForbidden',
  portalRefUnreadable: 'PortalRefUnreadable',
  portalRefConflict: 'PortalRefConflict',
  applying: 'Applying',
  creating: 'Creating',
  destinationInUse: 'DestinationInUse',
  detaching: 'Detaching',
  rateLimited: 'RateLimited',
  konnectUnavailable: 'KonnectUnavailable',
  unexpectedAnswer: 'UnexpectedAnswer',
  tokenGone: 'TokenGone',
} as const;

export type Reason = (typeof reasons)[keyof typeof reasons];

/** A problem whose reason the runbook explains. */
export interface Problem extends StatusProblem {
  readonly reason: Reason;
}

/** Konnect's connection limit answers 429 without a Retry-After. Other clients of Konnect then wait for this time. */
const defaultRetryAfterMs = 15_000;

export function stalled(reason: Reason, message: string): Problem {
  return { reason, severity: 'stalled', message };
}

export function waiting(reason: Reason, message: string): Problem {
  return { reason, severity: 'waiting', message };
}

/** Where and when a call failed. */
interface CallContext {
  /** Where the Konnect token is, for messages. */
  readonly tokenSource: string;
  readonly now: () => Date;
}

/** Returns the problem that a failed call is for `object` (such as `portal 3e55…` or `destination "platform/sumologic"`). */
export function problemOf(error: KonnectError, object: string, context: CallContext): Problem {
  const problem = causes[error.kind](error, context);
  const isAboutAll = problem.reason === reasons.tokenRejected || problem.reason === reasons.rateLimited;
  return isAboutAll ? problem : { ...problem, object: `${object} (${error.operation})` };
}

/** Returns the problem of an error, for each kind of it. */
const causes: Readonly<Record<KonnectErrorKind, (error: KonnectError, context: CallContext) => Problem>> = {
  Unauthorized: (_error, { tokenSource }) =>
    stalled(
      reasons.tokenRejected,
      `Konnect rejects the token (HTTP 401) because it is wrong, expired or revoked: put a valid token into ${tokenSource}; attached webhooks keep sending`,
    ),
  Forbidden: (_error, { tokenSource }) =>
    stalled(
      reasons.permissionDenied,
      `Konnect refused (HTTP 403) because the token in ${tokenSource} lacks a role, or the organization has reached a quota: ` +
        "give the token's account a role that manages audit logs and reads the portal",
    ),
  NotFound: (_error, { tokenSource }) =>
    stalled(
      reasons.requestRefused,
      `Konnect refused (HTTP 404) because the object does not exist, or the token in ${tokenSource} may not see it: check spec.konnect.region and the token's roles`,
    ),
  Conflict: () =>
    waiting(reasons.detaching, 'Konnect refused (HTTP 409) because the object is still in use; the operator retries'),
  Refused: (error) => {
    const names = error.refusedFields;
    const fields = names.length === 0 ? '' : `, ${names.length === 1 ? 'field' : 'fields'} ${names.join(', ')}`;
    return stalled(
      reasons.requestRefused,
      `Konnect refused (HTTP ${String(error.status ?? 400)}${fields}): check the values in spec.destination and in its Secret`,
    );
  },
  RateLimited: (error, { now }) => {
    const retryAfterMs = error.retryAfterMs ?? defaultRetryAfterMs;
    return {
      reason: reasons.rateLimited,
      severity: 'unavailable',
      message: `Konnect limits the requests of this organization (HTTP 429); the operator waits until ${toMinute(now().getTime() + retryAfterMs)}, and longer if Konnect then still limits them`,
      retryAfterMs,
    };
  },
  ServerError: (error) => ({
    reason: reasons.konnectUnavailable,
    severity: 'unavailable',
    message: `Konnect failed (HTTP ${String(error.status ?? 500)}); the operator retries. If this lasts, see Konnect's status page`,
    ...retryAfterOf(error),
  }),
  Unreachable: (error) => ({
    reason: reasons.konnectUnavailable,
    severity: 'unavailable',
    message:
      error.code === proxyAuthenticationCode
        ? 'the operator cannot reach Konnect because the proxy rejects its user or password (HTTP 407); it retries. Correct the URL in HTTPS_PROXY or HTTP_PROXY'
        : 'the operator cannot reach Konnect; it retries. If this lasts, check DNS, the firewall, the proxy and spec.konnect.region',
    ...retryAfterOf(error),
  }),
  UnexpectedAnswer: (error) => ({
    reason: reasons.unexpectedAnswer,
    severity: 'unavailable',
    message:
      error.code === listedButNotServedCode
        ? 'Konnect lists it, but answers HTTP 404 or 405 at the global host and in the region; the operator retries. If this lasts, check spec.konnect.region and --konnect-url'
        : "the answer does not come from Konnect's API (no JSON, cut short, a redirect or other types); the operator retries. If this lasts, check --konnect-url and the proxy",
  }),
};

/** Returns the next full minute, so that all requests of one wait give the same time. */
function toMinute(ms: number): string {
  return new Date(Math.ceil(ms / 60_000) * 60_000).toISOString().replace('.000', '');
}

function retryAfterOf({ retryAfterMs }: KonnectError): Pick<Problem, 'retryAfterMs'> {
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

/** Returns the result of `attempt`, or the problem that its KonnectError is for `object`. Rejects with any other error. */
export async function orProblem<T>(
  context: CallContext & { readonly signal: AbortSignal },
  object: string,
  attempt: () => Promise<T>,
): Promise<T | { readonly kind: 'unknown'; readonly problem: Problem }> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
    return { kind: 'unknown', problem: problemOf(error, object, context) };
  }
}
