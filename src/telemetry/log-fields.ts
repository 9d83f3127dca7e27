import { types } from 'node:util';

const maxDepth = 6;
const maxListLength = 100;
const maxMessageLength = 300;
const maxFrames = 10;

/** The errors whose messages and fields contain only our own words. */
const ownErrors: ReadonlySet<string> = new Set(['KonnectError', 'KubeError', 'FencedError']);
/** The errors whose messages are shown, without what may be secret. Messages of all other errors are left out, because parsers quote their input. */
const plainErrors: ReadonlySet<string> = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'ReferenceError',
  'AggregateError',
]);

const ownErrorFields = [
  'kind',
  'operation',
  'status',
  'reason',
  'retryAfterMs',
  'instance',
  'refusedFields',
  'mayHaveHappened',
];

/**
 * Returns log fields in a form that is safe to print. It keeps plain objects, lists and primitives, and a few fields of an error. It replaces every other
 * object with the name of its class, so that no request, options or headers get into the log.
 */
export function printable(fields: object, { hasStacks }: { hasStacks: boolean }): Record<string, unknown> {
  if (isError(fields)) return { err: printableError(fields, hasStacks, maxDepth) };
  const entries = Object.entries(fields).map(
    ([key, value]) => [key, printableValue(value, hasStacks, maxDepth)] as const,
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function printableValue(value: unknown, hasStacks: boolean, depth: number): unknown {
  if (typeof value === 'object') return printableObject(value, hasStacks, depth);
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'symbol' || typeof value === 'function' ? undefined : value;
}

function printableObject(value: object | null, hasStacks: boolean, depth: number): unknown {
  if (value === null) return null;
  if (isError(value)) return printableError(value, hasStacks, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth === 0) return '[…]';
  if (Array.isArray(value)) {
    return value.slice(0, maxListLength).map((item) => printableValue(item, hasStacks, depth - 1));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return `[${classOf(value)}]`;
  const entries = Object.entries(value).map(
    ([key, item]) => [key, printableValue(item, hasStacks, depth - 1)] as const,
  );
  return Object.fromEntries(entries);
}

function printableError(error: Error, hasStacks: boolean, depth: number): Record<string, unknown> {
  const isOwn = ownErrors.has(error.name);
  const shown: Record<string, unknown> = { type: identifier(error.name) ?? 'Error' };
  if (isOwn) shown['message'] = error.message;
  else if (plainErrors.has(error.name)) shown['message'] = withoutSecrets(error.message);
  const values = new Map<string, unknown>(Object.entries(error));
  const code = values.get('code');
  if (typeof code === 'string' && identifier(code) !== undefined) shown['code'] = code;
  if (isOwn) {
    for (const field of ownErrorFields) {
      const value = values.get(field);
      if (value !== undefined) shown[field] = printableValue(value, hasStacks, 1);
    }
  }
  if (hasStacks || !isOwn) shown['stack'] = framesOf(error);
  if (isError(error.cause) && depth > 0) shown['cause'] = printableError(error.cause, hasStacks, depth - 1);
  return shown;
}

/** Returns the frames of the stack, without the message at its beginning. */
function framesOf(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^ {4}at [^\n]*:\d+:\d+\)?$/.test(line));
  return lines
    .filter((line) => !/\(?node:|[\\/]node_modules[\\/]/.test(line))
    .slice(0, maxFrames)
    .map((line) => line.trim().slice(0, maxMessageLength));
}

/**
 * Returns `text` without what may be a secret: URLs, everything after the name of an authorization scheme, and long runs of letters and digits that are not
 * UUIDs. This is only the last defense, because no error is created with a secret in it.
 */
function withoutSecrets(text: string): string {
  return text
    .slice(0, 4 * maxMessageLength)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]+/gi, '[url]')
    .replace(/\b(bearer|basic|splunk|token|authorization)\b[\s:=]+["']?[^\s"']+/gi, '$1 [redacted]')
    .replace(/[A-Za-z0-9_+/=-]{16,}/g, (run) => (mayBeSecret(run) ? '[redacted]' : run))
    .slice(0, maxMessageLength);
}

function mayBeSecret(run: string): boolean {
  return /\d/.test(run) && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(run);
}

function classOf(value: object): string {
  return identifier(value.constructor?.name) ?? 'object';
}

function identifier(text: unknown): string | undefined {
  return typeof text === 'string' && /^[A-Za-z_$][\w$]{0,63}$/.test(text) ? text : undefined;
}

/** Returns whether `value` is an error, also one of another realm: Node's errors are that for code in a `vm` context. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}
