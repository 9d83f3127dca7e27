export type KubeErrorKind =
  | 'NotFound'
  /** The object has changed, or exists already. `reason` says which: `Conflict`, `AlreadyExists`. */
  | 'Conflict'
  /** The server no longer knows the resourceVersion or `continue`: list again. */
  | 'Gone'
  | 'Forbidden'
  | 'Unauthorized'
  /** 400 or 422: the request is invalid, and a retry does not help. */
  | 'Invalid'
  | 'TooManyRequests'
  /** No connection, or a 5xx. */
  | 'Unavailable'
  /** No answer in time, or a watch without data. */
  | 'Timeout'
  | 'Other';

export interface KubeErrorFacts {
  kind: KubeErrorKind;
  /** The HTTP status. Absent if there was no answer. */
  status?: number;
  /** How long the server asked to wait, in milliseconds, at most five minutes. */
  retryAfterMs?: number;
  /** The API server's machine-readable reason, or the code of a network error. */
  reason?: string;
}

/**
 * A failed request to the API server. It is safe to log and to show, because it contains no headers and no bodies. Its message has the method, the path
 * without the query, the status, and at most 300 characters of the server's message. For Secrets the server's message is left out.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly kind: KubeErrorKind;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly reason?: string;

  constructor(message: string, { kind, status, retryAfterMs, reason }: KubeErrorFacts) {
    super(message);
    this.kind = kind;
    if (status !== undefined) this.status = status;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
    if (reason !== undefined) this.reason = reason;
  }
}

/** Returns whether `error` is a KubeError, of one of these kinds if there are any. */
export function isKubeError(error: unknown, ...kinds: KubeErrorKind[]): error is KubeError {
  return error instanceof KubeError && (kinds.length === 0 || kinds.includes(error.kind));
}

const maxServerMessageLength = 300;

/** A Retry-After that is a date may be far in the future, because the clocks differ. */
const maxRetryAfterMs = 300_000;

/** Returns the error for an answer that is not 2xx, or for an ERROR event. `body` is the parsed answer: a `Status` if it is from the API server. */
export function errorOfStatus(
  { verb, path }: { verb: string; path: string },
  answer: { status: number; body: unknown; retryAfter?: string | undefined },
  now: () => number,
): KubeError {
  const body = fieldsOf(answer.body);
  const reason = wordOf(body['reason']);
  const status = answer.status;
  const retryAfterMs =
    retryAfterOf(answer.retryAfter, now) ?? secondsOf(fieldsOf(body['details'])['retryAfterSeconds']);
  return new KubeError(
    `${verb} ${path}: ${status}${reason === undefined ? '' : ` ${reason}`}${serverMessage(path, body['message'])}`,
    {
      kind: kindOf(status, reason),
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(retryAfterMs, maxRetryAfterMs) }),
    },
  );
}

/** Returns the error for a request without an answer. It keeps only the code of `error`, because the rest may contain the request. */
export function errorOfNetwork({ verb, path }: { verb: string; path: string }, error: unknown): KubeError {
  const code = networkCodeOf(error);
  return new KubeError(`${verb} ${path}: no answer${code === undefined ? '' : ` (${code})`}`, {
    kind: 'Unavailable',
    ...(code === undefined ? {} : { reason: code }),
  });
}

/** Returns the code of a network error, such as `ECONNRESET`. Searches causes and aggregates, too. */
export function networkCodeOf(error: unknown): string | undefined {
  const { code, cause, errors } = fieldsOf(error);
  if (typeof code === 'string') return wordOf(code);
  if (cause !== undefined && cause !== error) return networkCodeOf(cause);
  return Array.isArray(errors) ? networkCodeOf(errors[0]) : undefined;
}

function kindOf(status: number, reason: string | undefined): KubeErrorKind {
  if (reason === 'Expired' || reason === 'Gone') return 'Gone';
  switch (status) {
    case 400:
    case 422:
      return 'Invalid';
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 408:
    case 504:
      return 'Timeout';
    case 409:
      return 'Conflict';
    case 410:
      return 'Gone';
    case 429:
      return 'TooManyRequests';
    default:
      return status >= 500 ? 'Unavailable' : 'Other';
  }
}

function serverMessage(path: string, message: unknown): string {
  if (typeof message !== 'string' || message === '' || path.split('/').includes('secrets')) return '';
  return `: ${message.length > maxServerMessageLength ? `${message.slice(0, maxServerMessageLength)}…` : message}`;
}

/** Returns the milliseconds that a Retry-After asks to wait: seconds or a date, RFC 9110. */
function retryAfterOf(header: string | undefined, now: () => number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = secondsOf(Number(header));
  if (seconds !== undefined) return seconds;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now());
}

function secondsOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value * 1000 : undefined;
}

/** Returns a reason or code, which is a single word. Anything else is free text and is left out. */
function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^\w{1,64}$/.test(value) ? value : undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null
    ? { ...value, ...(value instanceof Error ? errorFields(value) : {}) }
    : {};
}

/** Returns `cause` and `errors` of an Error, which are not enumerable. */
function errorFields(error: Error): Record<string, unknown> {
  return { cause: error.cause, ...(error instanceof AggregateError ? { errors: error.errors } : {}) };
}
