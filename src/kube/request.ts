import { errorOfNetwork, errorOfStatus, KubeError } from './errors.ts';
import type { WatchEvent } from './objects.ts';

export type Query = Record<string, string | number | boolean | undefined>;

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';

/** One request, without credentials. */
export interface Exchange {
  verb: Verb;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  path: string;
  query?: Query;
  accept?: string;
  contentType?: string;
  body?: object;
}

/** How errors name a request: never with its query, which may hold a `continue` token. */
export function nameOf({ verb, method, path }: Exchange): string {
  return `${verb === 'watch' ? 'WATCH' : method} ${path}`;
}

export function lateError(exchange: Exchange, timeoutMs: number): KubeError {
  return new KubeError(`${nameOf(exchange)}: no full answer within ${timeoutMs} ms`, { kind: 'Timeout' });
}

/** Whatever was thrown, as a KubeError. */
export function errorOf(exchange: Exchange, error: unknown): KubeError {
  return error instanceof KubeError ? error : errorOfNetwork({ verb: exchange.method, path: exchange.path }, error);
}

/** What JSON.parse throws quotes the text, so it is thrown away. */
export function decode<T>(exchange: Exchange, read: () => T): T {
  try {
    return read();
  } catch {
    throw new KubeError(`${nameOf(exchange)}: the answer is not JSON`, { kind: 'Other' });
  }
}

/** Of any line of a watch that can be read as JSON. */
interface RawEvent {
  type?: string;
  object?: { code?: number; metadata?: { resourceVersion?: string } };
}

/** The event in a line of a watch; throws the error that an ERROR event tells of. */
export function eventOf<T>(exchange: Exchange, line: string): WatchEvent<T> {
  const event = decode<(RawEvent & WatchEvent<T>) | null>(exchange, () => JSON.parse(line));
  const { type, object }: RawEvent = event ?? {};
  if (type === 'ERROR')
    throw errorOfStatus(
      { verb: 'WATCH', path: exchange.path },
      { status: object?.code ?? 500, body: object },
      Date.now,
    );
  if (event === null || !isEventType(type) || typeof object?.metadata?.resourceVersion !== 'string')
    throw new KubeError(`${nameOf(exchange)}: a line that is no event`, { kind: 'Other' });
  return event;
}

function isEventType(type: string | undefined): boolean {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}
