export type KubeErrorKind =
  | 'NotFound'
  /** Stale, or there already (`reason` tells which: `Conflict`, `AlreadyExists`). */
  | 'Conflict'
  /** A resourceVersion or `continue` that the server no longer knows: list again. */
  | 'Gone'
  | 'Forbidden'
  | 'Unauthorized'
  /** 400 or 422: what was sent is wrong, sending it again does not help. */
  | 'Invalid'
  | 'TooManyRequests'
  /** No connection, or a server in trouble. */
  | 'Unavailable'
  /** No answer in time, or a watch that fell silent. */
  | 'Timeout'
  | 'Other';

export interface KubeErrorFacts {
  kind: KubeErrorKind;
  /** HTTP status; absent when there was no answer. */
  status?: number;
  /** How long the server asked to be left alone, in milliseconds; five minutes at most. */
  retryAfterMs?: number;
  /** The API server's machine-readable reason, or the code of a network error. */
  reason?: string;
}

/**
 * What went wrong between us and the API server. Safe to log and to show: it holds neither headers nor bodies, its message has the verb, the
 * path without the query, the status and at most 300 characters of the server's own message, and of that nothing where Secrets are concerned.
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

/** Whether `error` is a KubeError of one of these kinds. */
export function isKubeError(error: unknown, ...kinds: KubeErrorKind[]): error is KubeError {
  return error instanceof KubeError && (kinds.length === 0 || kinds.includes(error.kind));
}

const MAX_SERVER_MESSAGE = 300;

/** A date, on a clock that differs from ours, may lie years ahead. */
const MAX_RETRY_AFTER_MS = 300_000;

/** The error of an answer that is not 2xx, or of an ERROR event of a watch. `body` is the parsed answer, a `Status` if it came from the API server. */
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
      ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) }),
    },
  );
}

/** The error of a request that got no answer. Only the code of what was thrown is kept: the rest may hold what was sent. */
export function errorOfNetwork({ verb, path }: { verb: string; path: string }, error: unknown): KubeError {
  const code = networkCodeOf(error);
  return new KubeError(`${verb} ${path}: no answer${code === undefined ? '' : ` (${code})`}`, {
    kind: 'Unavailable',
    ...(code === undefined ? {} : { reason: code }),
  });
}

/** Such as `ECONNRESET`; looked for through causes and aggregates. */
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
  return `: ${message.length > MAX_SERVER_MESSAGE ? `${message.slice(0, MAX_SERVER_MESSAGE)}…` : message}`;
}

/** Seconds or a date, as RFC 9110 has it. */
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

/** Reasons and codes are single words; anything else is somebody's free text and stays out. */
function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^\w{1,64}$/.test(value) ? value : undefined;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null
    ? { ...value, ...(value instanceof Error ? errorFields(value) : {}) }
    : {};
}

/** `cause` and `errors` of an Error are not enumerable. */
function errorFields(error: Error): Record<string, unknown> {
  return { cause: error.cause, ...(error instanceof AggregateError ? { errors: error.errors } : {}) };
}
