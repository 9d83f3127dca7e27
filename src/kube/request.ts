import { errorOfNetwork, errorOfStatus, KubeError } from './errors.ts';
import type { WatchEvent } from './objects.ts';

export type Query = Record<string, string | number | boolean | undefined>;

/** One request without its credentials. */
export interface KubeRequest {
  method: 'GET' | 'POST' | 'PATCH';
  isWatch?: boolean;
  path: string;
  query?: Query;
  accept?: string;
  contentType?: string;
  body?: object;
}

/** Returns how errors name a request. The query is left out, because it may contain a `continue` token. */
export function nameOf({ isWatch = false, method, path }: KubeRequest): string {
  return `${isWatch ? 'WATCH' : method} ${path}`;
}

export function lateError(request: KubeRequest, timeoutMs: number): KubeError {
  return new KubeError(`${nameOf(request)}: no complete answer within ${timeoutMs} ms`, { kind: 'Timeout' });
}

/** Returns `error` as a KubeError. */
export function errorOf(request: KubeRequest, error: unknown): KubeError {
  return error instanceof KubeError ? error : errorOfNetwork({ verb: request.method, path: request.path }, error);
}

/** Returns what `read` returns. Replaces the error of `JSON.parse`, which quotes the text. */
export function decode<T>(request: KubeRequest, read: () => T): T {
  try {
    return read();
  } catch {
    throw new KubeError(`${nameOf(request)}: the answer is not JSON`, { kind: 'Other' });
  }
}

/** A line of a watch before its fields are checked. */
interface RawEvent {
  type?: string;
  object?: { code?: number; metadata?: { resourceVersion?: string } };
}

/** Returns the event in a line of a watch. Throws the error of an ERROR event. */
export function eventOf<T>(request: KubeRequest, line: string): WatchEvent<T> {
  const event = decode<(RawEvent & WatchEvent<T>) | null>(request, () => JSON.parse(line));
  const { type, object }: RawEvent = event ?? {};
  if (type === 'ERROR')
    throw errorOfStatus({ verb: 'WATCH', path: request.path }, { status: object?.code ?? 500, body: object }, Date.now);
  if (event === null || !isEventType(type) || typeof object?.metadata?.resourceVersion !== 'string')
    throw new KubeError(`${nameOf(request)}: a line that is not an event`, { kind: 'Other' });
  return event;
}

function isEventType(type: string | undefined): boolean {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}
