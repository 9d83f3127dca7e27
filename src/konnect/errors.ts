import { proxyAuthenticationCode } from '../http/proxy.ts';

export { proxyAuthenticationCode };

/** What a request to Konnect is for. The names are static, so they are safe in log fields, metric labels and messages. */
export type KonnectOperation =
  | 'get organization'
  | 'list destinations'
  | 'get destination'
  | 'create destination'
  | 'update destination'
  | 'delete destination'
  | 'list portals'
  | 'get portal'
  | 'get portal webhook'
  | 'update portal webhook'
  | 'delete portal webhook'
  | 'get portal webhook status'
  | 'get organization webhook'
  | 'update organization webhook'
  | 'delete organization webhook'
  | 'get organization webhook status'
  | 'get replay job'
  | 'start replay job'
  | 'get inline webhook'
  | 'update inline webhook'
  | 'disable inline webhook'
  | 'get signing keys'
  | 'list audit logs'
  | 'list control planes';

/**
 * - `Unauthorized`: 401, or a token with characters that a header cannot contain (then without a status)
 * - `Forbidden`: 403, `NotFound`: 404, `Conflict`: 409, `RateLimited`: 429
 * - `Refused`: any other 4xx
 * - `ServerError`: 5xx, and 408
 * - `Unreachable`: no usable connection, a timeout, a broken connection, or an aborted signal of the caller (code `ABORT_ERR`)
 * - `UnexpectedAnswer`: a redirect, no JSON, wrong types, too long, a 404 of a gateway in front of the API, or a 404 for a destination that is listed
 */
export type KonnectErrorKind =
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'Conflict'
  | 'Refused'
  | 'RateLimited'
  | 'ServerError'
  | 'Unreachable'
  | 'UnexpectedAnswer';

/** The code of an `UnexpectedAnswer`: no host of Konnect serves the destination, but a list that was requested afterwards shows it. */
export const listedButNotServedCode = 'LISTED_BUT_NOT_SERVED';

/** The request fields that a refusal may name. */
export const requestFields = [
  'name',
  'endpoint',
  'authorization',
  'log_format',
  'skip_ssl_verification',
  'audit_log_destination_id',
  'enabled',
  'start_at',
  'end_at',
] as const;

export type RequestField = (typeof requestFields)[number];

export interface KonnectErrorFields {
  kind: KonnectErrorKind;
  operation: KonnectOperation;
  status?: number | undefined;
  retryAfterMs?: number | undefined;
  instance?: string | undefined;
  code?: string | undefined;
  refusedFields?: readonly RequestField[] | undefined;
  mayHaveHappened?: boolean | undefined;
  isWithheld?: boolean | undefined;
}

/**
 * The only error that leaves this folder. All of it is safe to print: IDs, enums, numbers and our own words. It never contains free text of Konnect, an
 * endpoint, a token, a header or a body. It has no `cause`, because the errors of the HTTP library contain the request.
 */
export class KonnectError extends Error {
  override readonly name = 'KonnectError';
  readonly kind: KonnectErrorKind;
  readonly operation: KonnectOperation;
  /** The HTTP status. Undefined if there was no answer. */
  readonly status: number | undefined;
  /** How long to wait before the next request, at most one hour. Undefined if that is unknown. */
  readonly retryAfterMs: number | undefined;
  /** Konnect's ID of this request. It is for the log only: in a condition it would change with every request. */
  readonly instance: string | undefined;
  /** Node's error code, such as `ECONNREFUSED`, {@link proxyAuthenticationCode} or {@link listedButNotServedCode}. */
  readonly code: string | undefined;
  /** The fields of the request that Konnect refused, from {@link requestFields}. */
  readonly refusedFields: readonly RequestField[];
  /** True for a write that may have reached Konnect although its answer is lost or unreadable. Always false for a read. */
  readonly mayHaveHappened: boolean;
  /** True if nothing was sent, because of an earlier answer to the same organization. This error describes that answer. */
  readonly isWithheld: boolean;

  constructor(fields: KonnectErrorFields) {
    super(describe(fields));
    this.kind = fields.kind;
    this.operation = fields.operation;
    this.status = fields.status;
    this.retryAfterMs = fields.retryAfterMs;
    this.instance = fields.instance;
    this.code = fields.code;
    this.refusedFields = fields.refusedFields ?? [];
    this.mayHaveHappened = fields.mayHaveHappened ?? false;
    this.isWithheld = fields.isWithheld ?? false;
  }

  /** Returns the same error with another time to wait. */
  withRetryAfter(retryAfterMs: number): KonnectError {
    const { kind, operation, status, instance, code, refusedFields, mayHaveHappened, isWithheld } = this;
    const fields = { kind, operation, status, instance, code, refusedFields, mayHaveHappened, isWithheld };
    return new KonnectError({ ...fields, retryAfterMs });
  }
}

/** Returns whether `error` is a {@link KonnectError}, of one of `kinds` if there are any. */
export function isKonnectError(error: unknown, ...kinds: readonly KonnectErrorKind[]): error is KonnectError {
  return error instanceof KonnectError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** Returns the error for a caller whose signal was aborted before its request was sent. */
export function abortedError(operation: KonnectOperation): KonnectError {
  return new KonnectError({ kind: 'Unreachable', operation, code: 'ABORT_ERR' });
}

function describe({ isWithheld = false, ...fields }: KonnectErrorFields): string {
  const problem = describeProblem(fields);
  return isWithheld ? `${fields.operation}: not sent, because earlier ${problem}` : `${fields.operation}: ${problem}`;
}

function describeProblem({ kind, status, code, refusedFields = [] }: KonnectErrorFields): string {
  if (kind === 'Unreachable') {
    if (code === 'ABORT_ERR') return 'aborted before Konnect answered';
    if (code === proxyAuthenticationCode) return 'the proxy asks for another user or password (407)';
    return `Konnect cannot be reached${code === undefined ? '' : ` (${code})`}`;
  }
  if (kind === 'UnexpectedAnswer') {
    if (code === listedButNotServedCode) return 'Konnect lists the destination, but no host serves it';
    return `Konnect's answer${status === undefined ? '' : ` (${status})`} is not what its API describes`;
  }
  if (status === undefined) return 'the token contains characters that a header cannot contain';
  const refused = refusedFields.length === 0 ? '' : `, refusing ${refusedFields.join(', ')}`;
  return `Konnect answered ${status} (${kind})${refused}`;
}
