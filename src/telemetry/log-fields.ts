import { types } from 'node:util';

const deepest = 6;
const longestList = 100;
const longestMessage = 300;
const mostFrames = 10;

/** Errors whose messages and fields are our own words throughout. */
const ownErrors: ReadonlySet<string> = new Set(['KonnectError', 'KubeError', 'FencedError']);
/** Of these the message is shown with what may be secret taken out; of all others (parsers quote what they read) it is not shown. */
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
 * Log fields as they may be printed. Plain objects, lists and primitives pass; an error is reduced to a few named fields; of any other object
 * only the name of its class is left, so that a request, its options or its headers never get into a log.
 */
export function printable(fields: object, { stacks }: { stacks: boolean }): Record<string, unknown> {
  if (isError(fields)) return { err: printableError(fields, stacks, deepest) };
  const entries = Object.entries(fields).map(([key, value]) => [key, printableValue(value, stacks, deepest)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function printableValue(value: unknown, stacks: boolean, depth: number): unknown {
  if (typeof value === 'object') return printableObject(value, stacks, depth);
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'symbol' || typeof value === 'function' ? undefined : value;
}

function printableObject(value: object | null, stacks: boolean, depth: number): unknown {
  if (value === null) return null;
  if (isError(value)) return printableError(value, stacks, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth === 0) return '[…]';
  if (Array.isArray(value)) {
    return value.slice(0, longestList).map((item) => printableValue(item, stacks, depth - 1));
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return `[${classOf(value)}]`;
  const entries = Object.entries(value).map(([key, item]) => [key, printableValue(item, stacks, depth - 1)] as const);
  return Object.fromEntries(entries);
}

function printableError(error: Error, stacks: boolean, depth: number): Record<string, unknown> {
  const own = ownErrors.has(error.name);
  const shown: Record<string, unknown> = { type: identifier(error.name) ?? 'Error' };
  if (own) shown['message'] = error.message;
  else if (plainErrors.has(error.name)) shown['message'] = withoutSecrets(error.message);
  const values = new Map<string, unknown>(Object.entries(error));
  const code = values.get('code');
  if (typeof code === 'string' && identifier(code) !== undefined) shown['code'] = code;
  if (own) {
    for (const field of ownErrorFields) {
      const value = values.get(field);
      if (value !== undefined) shown[field] = printableValue(value, stacks, 1);
    }
  }
  if (stacks || !own) shown['stack'] = framesOf(error);
  if (isError(error.cause) && depth > 0) shown['cause'] = printableError(error.cause, stacks, depth - 1);
  return shown;
}

/** Where it was thrown, without the message that a stack begins with. */
function framesOf(error: Error): string[] {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^ {4}at [^\n]*:\d+:\d+\)?$/.test(line));
  return lines
    .filter((line) => !/\(?node:|[\\/]node_modules[\\/]/.test(line))
    .slice(0, mostFrames)
    .map((line) => line.trim().slice(0, longestMessage));
}

/**
 * Takes out what looks like a secret: URLs, whatever follows the name of an authorization scheme, and long runs of letters and digits that are
 * no UUID. A guess, and only the last line of defense, since secrets are kept out of errors where they are made.
 */
function withoutSecrets(text: string): string {
  return text
    .slice(0, 4 * longestMessage)
    .replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]+/gi, '[url]')
    .replace(/\b(bearer|basic|splunk|token|authorization)\b[\s:=]+["']?[^\s"']+/gi, '$1 [redacted]')
    .replace(/[A-Za-z0-9_+/=-]{16,}/g, (run) => (looksLikeSecret(run) ? '[redacted]' : run))
    .slice(0, longestMessage);
}

function looksLikeSecret(run: string): boolean {
  return /\d/.test(run) && !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(run);
}

function classOf(value: object): string {
  return identifier(value.constructor?.name) ?? 'object';
}

function identifier(text: unknown): string | undefined {
  return typeof text === 'string' && /^[A-Za-z_$][\w$]{0,63}$/.test(text) ? text : undefined;
}

/** Also of another realm, as Node's own errors are to code that runs in a `vm` context. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}
