import { errorOfNetwork, errorOfStatus, KubeError } from './errors.ts';
import type { WatchEvent } from './objects.ts';

export type Query = Record<string, string | number | boolean | undefined>;

/** One request, without credentials. */
export interface KubeRequest {
  method: 'GET' | 'POST' | 'PATCH';
  isWatch?: boolean;
  path: string;
  query?: Query;
  accept?: string;
  contentType?: string;
  body?: object;
}

/** How errors name a request: never with its query, which may hold a `continue` token. */
export function nameOf({ isWatch = false, method, path }: KubeRequest): string {
  return `${isWatch ? 'WATCH' : method} ${path}`;
}

export function lateError(request: KubeRequest, timeoutMs: number): KubeError {
  return new KubeError(`${nameOf(request)}: no full answer within ${timeoutMs} ms`, { kind: 'Timeout' });
}

/** Whatever was thrown, as a KubeError. */
export function errorOf(request: KubeRequest, error: unknown): KubeError {
  return error instanceof KubeError ? error : errorOfNetwork({ verb: request.method, path: request.path }, error);
}

/** What JSON.parse throws quotes the text, so it is thrown away. */
export function decode<T>(request: KubeRequest, read: () => T): T {
  try {
    return read();
  } catch {
    throw new KubeError(`${nameOf(request)}: the answer is not JSON`, { kind: 'Other' });
  }
}

/** Of any line of a watch that can be read as JSON. */
interface RawEvent {
  type?: string;
  object?: { code?: number; metadata?: { resourceVersion?: string } };
}

/** The event in a line of a watch; throws the error that an ERROR event tells of. */
export function eventOf<T>(request: KubeRequest, line: string): WatchEvent<T> {
  const event = decode<(RawEvent & WatchEvent<T>) | null>(request, () => JSON.parse(line));
  const { type, object }: RawEvent = event ?? {};
  if (type === 'ERROR')
    throw errorOfStatus({ verb: 'WATCH', path: request.path }, { status: object?.code ?? 500, body: object }, Date.now);
  if (event === null || !isEventType(type) || typeof object?.metadata?.resourceVersion !== 'string')
    throw new KubeError(`${nameOf(request)}: a line that is no event`, { kind: 'Other' });
  return event;
}

function isEventType(type: string | undefined): boolean {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
}
