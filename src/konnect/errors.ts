/** What a call to Konnect is for. Our own static names: safe as a log field, a metric label and a word in a message. */
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
  | 'get organization webhook'
  | 'update organization webhook'
  | 'delete organization webhook'
  | 'get inline webhook'
  | 'update inline webhook'
  | 'disable inline webhook';

/**
 * - `Unauthorized` 401, or a token that no header can carry (then without a status)
 * - `Forbidden` 403, `NotFound` 404, `Conflict` 409, `RateLimited` 429
 * - `Refused` any other 4xx
 * - `ServerError` 5xx, and 408
 * - `Unreachable` no usable connection, a timeout, a connection that broke, or the caller's signal (code `ABORT_ERR`)
 * - `UnexpectedAnswer` a redirect, no JSON, wrong types, too big, or a 404 that comes from a gateway and not from the API
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

/** The request fields that a refusal may name. */
export const requestFields = [
  'name',
  'endpoint',
  'authorization',
  'log_format',
  'skip_ssl_verification',
  'audit_log_destination_id',
  'enabled',
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
 * The only error that leaves this folder. It is safe to print whole: ids, enums, numbers and our own words; never a free text of Konnect's,
 * an endpoint, a token, a header or a body, and no `cause`, since the HTTP library's errors carry the request.
 */
export class KonnectError extends Error {
  override readonly name = 'KonnectError';
  readonly kind: KonnectErrorKind;
  readonly operation: KonnectOperation;
  /** HTTP status, where an answer came. */
  readonly status: number | undefined;
  /** How long there is no use in asking again, where that is known: at most one hour. */
  readonly retryAfterMs: number | undefined;
  /** Konnect's id of this very request: for a log line, never for a condition, since it differs every time. */
  readonly instance: string | undefined;
  /** Node's error code, such as `ECONNREFUSED`, where no answer came. */
  readonly code: string | undefined;
  /** Fields of the request that Konnect refused, out of our own list of names. */
  readonly refusedFields: readonly RequestField[];
  /** True for a write that may have reached Konnect although its answer was lost or cannot be read. Always false for a read. */
  readonly mayHaveHappened: boolean;
  /** True where nothing was sent, since an earlier answer to the same organization, which is what this error tells, asked or told to wait. */
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

  /** The same error, and no use in asking again for so long. */
  postponed(retryAfterMs: number): KonnectError {
    const { kind, operation, status, instance, code, refusedFields, mayHaveHappened, isWithheld } = this;
    const fields = { kind, operation, status, instance, code, refusedFields, mayHaveHappened, isWithheld };
    return new KonnectError({ ...fields, retryAfterMs });
  }
}

/** True for a {@link KonnectError}, of one of `kinds` if any are named. */
export function isKonnectError(error: unknown, ...kinds: readonly KonnectErrorKind[]): error is KonnectError {
  return error instanceof KonnectError && (kinds.length === 0 || kinds.includes(error.kind));
}

/** For a caller whose signal is aborted before there is an answer, and before anything is sent. */
export function cutOff(operation: KonnectOperation): KonnectError {
  return new KonnectError({ kind: 'Unreachable', operation, code: 'ABORT_ERR' });
}

function describe({ isWithheld = false, ...fields }: KonnectErrorFields): string {
  return isWithheld ? `${describe(fields)} before; not sent` : describeAnswer(fields);
}

function describeAnswer({ kind, operation, status, code, refusedFields = [] }: KonnectErrorFields): string {
  if (kind === 'Unreachable') {
    if (code === 'ABORT_ERR') return `${operation}: cut off before Konnect answered`;
    return `${operation}: Konnect cannot be reached${code === undefined ? '' : ` (${code})`}`;
  }
  if (kind === 'UnexpectedAnswer') {
    return `${operation}: Konnect's answer${status === undefined ? '' : ` (${status})`} is not what its API describes`;
  }
  if (status === undefined) return `${operation}: the token holds characters that no header can carry`;
  const refused = refusedFields.length === 0 ? '' : `, refusing ${refusedFields.join(', ')}`;
  return `${operation}: Konnect answered ${status} (${kind})${refused}`;
}
