import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { answer, readBody } from './http.ts';
import type { SourceState, Sources } from './sources.ts';

const unzip = promisify(gunzip);
const maxUnpackedBytes = 64 * 1024 * 1024;
export const receiverPath = '/receiver/v1/http/';
/** The path of every source of the kind *Auth Header*. */
export const headerReceiverPath = '/receiver/v1/http';
const codeHeader = 'x-sumo-token';

/** The statuses that a test can make an HTTP source answer. */
export type ReceiverStatus = 200 | 401 | 408 | 429 | 503 | 504;

/** A request to an HTTP source, accepted or not. */
export interface ReceivedRequest {
  readonly at: Date;
  /** From the URL, or from the header `x-sumo-token`. It may be unknown. */
  readonly code: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly authorization: string | undefined;
  /** Number of lines in the body. 0 if the request was rejected before its body was parsed. */
  readonly lines: number;
}

export interface Receiver {
  readonly handle: (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;
  readonly requests: () => readonly ReceivedRequest[];
  /** See `SumoLogicControl.respond`. */
  readonly respond: (code: string, status: ReceiverStatus, times?: number) => void;
}

/** Returns the HTTP sources: `POST /receiver/v1/http/<code>`, or `POST /receiver/v1/http` with the code in a header. */
export function createReceiver(sources: Sources, clock: () => Date): Receiver {
  const requests: ReceivedRequest[] = [];
  const defaultStatuses = new Map<string, ReceiverStatus>();
  const nextStatuses = new Map<string, ReceiverStatus[]>();

  async function handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const at = clock();
    const isInHeader = path === headerReceiverPath;
    const code = isInHeader ? String(request.headers[codeHeader] ?? '') : path.slice(receiverPath.length);
    const body = await readBody(request);
    const { status, lines } = await receive(request, { code, isInHeader }, body);
    const { authorization, 'content-type': contentType, 'content-encoding': contentEncoding } = request.headers;
    requests.push({ at, code, status, contentType, contentEncoding, authorization, lines });
    if (status === 200) answer(response, 200);
    else answer(response, status, { errors: [{ code: status, message: STATUS_CODES[status] ?? '' }] });
  }

  async function receive(
    request: IncomingMessage,
    { code, isInHeader }: { code: string; isInHeader: boolean },
    body: Buffer | undefined,
  ): Promise<{ status: number; lines: number }> {
    const source = sources.get(code);
    if (source === undefined || (source.options.kind === 'auth-header') !== isInHeader)
      return { status: 401, lines: 0 };
    if (request.method !== 'POST') return { status: 405, lines: 0 };
    const status = nextStatuses.get(code)?.shift() ?? defaultStatuses.get(code) ?? 200;
    if (status !== 200) return { status, lines: 0 };
    if (!isAuthorized(source, request)) return { status: 401, lines: 0 };
    if (body === undefined) return { status: 413, lines: 0 };
    const text = await unpack(body, request.headers['content-encoding']);
    if (text === undefined) return { status: 400, lines: 0 };
    sources.keep(source, text);
    return { status: 200, lines: text.split('\n').filter((line) => line !== '').length };
  }

  function respond(code: string, status: ReceiverStatus, times?: number): void {
    if (sources.get(code) === undefined) throw new Error('no source has this code');
    if (times === undefined) {
      defaultStatuses.set(code, status);
      nextStatuses.delete(code);
    } else {
      nextStatuses.set(code, [...(nextStatuses.get(code) ?? []), ...Array.from({ length: times }, () => status)]);
    }
  }

  return { handle, respond, requests: () => requests };
}

function isAuthorized(source: SourceState, request: IncomingMessage): boolean {
  const { authorization } = source.options;
  return authorization === undefined || request.headers.authorization === authorization;
}

/** Resolves with the text of a plain or gzip body. Accepts both names that Konnect uses for gzip. Undefined if it cannot be unpacked. */
async function unpack(body: Buffer, encoding = 'identity'): Promise<string | undefined> {
  if (encoding === 'identity') return body.toString();
  if (encoding !== 'gzip' && encoding !== 'application/gzip') return undefined;
  try {
    return (await unzip(body, { maxOutputLength: maxUnpackedBytes })).toString();
  } catch {
    return undefined;
  }
}
