import type { ClientRequest } from 'node:http';
import { Agent as HTTPAgent } from 'node:http';
import { Agent as HTTPSAgent } from 'node:https';
import { TLSSocket } from 'node:tls';
import got from 'got';
import { type Fence, FencedError } from '../runtime/write-fence.ts';
import { answerError } from './answer-error.ts';
import { KonnectError, type KonnectErrorKind, type KonnectOperation } from './errors.ts';
import { retryAfterMs } from './retry-after.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from './transport.ts';

const mostAnswerBytes = 4 * 1024 * 1024;
const connectTimeoutMs = 5_000;
/** Shorter than what servers and load balancers grant, so that we and not they close an idle connection. */
const idleSocketMs = 10_000;

/** What one request came to: a status, where an answer came, and for a failure its kind. */
export interface KonnectCall {
  operation: KonnectOperation;
  region: string;
  status: number | undefined;
  kind: KonnectErrorKind | undefined;
  /** What the caller is told, where it failed. */
  error: KonnectError | undefined;
  durationMs: number;
}

export interface KonnectHTTPOptions {
  userAgent: string;
  /** For a request as a whole, waiting for a free connection included. */
  timeoutMs?: number;
  /** Connections to one host at a time; more requests wait for one. */
  maxSockets?: number;
  onCall?: (call: KonnectCall) => void;
  /** The time of day, for a Retry-After that is a date. */
  nowMs?: () => number;
  /** Asked right before each write is sent; may throw a FencedError, with which the write then rejects. */
  fence?: Fence | undefined;
  /** Proxies on the way to Konnect. Node 22.19 goes without them; newer ones, 24 among them, use them. */
  proxies?: ProxyEnvironment | undefined;
}

/** As the environment variables of these names have it; hosts in NO_PROXY are reached directly. */
export interface ProxyEnvironment {
  HTTP_PROXY?: string | undefined;
  HTTPS_PROXY?: string | undefined;
  NO_PROXY?: string | undefined;
}

type Received =
  | { kind: 'answer'; status: number; body: object | 'unreadable' | undefined; retryAfter: string | undefined }
  | { kind: 'none'; code: string | undefined; sent: boolean };

/**
 * The process's connections to Konnect: kept alive and bounded in number, TLS verified (`NODE_EXTRA_CA_CERTS` adds to the trusted), no redirect
 * followed, nothing retried (that is for the queue), answers read to 4 MiB at most.
 */
export class KonnectHTTP implements KonnectTransport {
  readonly #options: Required<Omit<KonnectHTTPOptions, 'proxies' | 'fence'>> & { fence: Fence };
  readonly #agents: { http: HTTPAgent; https: HTTPSAgent };

  constructor({
    userAgent,
    timeoutMs = 15_000,
    maxSockets = 16,
    onCall = () => {},
    nowMs = Date.now,
    fence = () => {},
    proxies,
  }: KonnectHTTPOptions) {
    this.#options = { userAgent, timeoutMs, maxSockets, onCall, nowMs, fence };
    const agentOptions = {
      keepAlive: true,
      maxSockets,
      timeout: idleSocketMs,
      ...(proxies === undefined ? {} : { proxyEnv: { ...proxies } }),
    };
    this.#agents = { http: new HTTPAgent(agentOptions), https: new HTTPSAgent(agentOptions) };
  }

  async send(request: KonnectRequest): Promise<KonnectAnswer> {
    const { operation, region } = request;
    if (!/^[\x21-\x7e]+$/.test(request.token)) throw new KonnectError({ kind: 'Unauthorized', operation });
    if (request.method !== 'GET') this.#options.fence();
    const startedMs = performance.now();
    const received = await this.#receive(request);
    const outcome = this.#judge(request, received);
    const failed = outcome instanceof KonnectError;
    this.#options.onCall({
      operation,
      region,
      status: outcome.status,
      kind: failed ? outcome.kind : undefined,
      error: failed ? outcome : undefined,
      durationMs: performance.now() - startedMs,
    });
    if (failed) throw outcome;
    return outcome;
  }

  /** Closes the connections; requests under way fail. */
  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #judge({ operation, method }: KonnectRequest, received: Received): KonnectAnswer | KonnectError {
    const write = method !== 'GET';
    if (received.kind === 'none') {
      const { code, sent } = received;
      return new KonnectError({ kind: 'Unreachable', operation, code, mayHaveHappened: write && sent });
    }
    const { status, body, retryAfter } = received;
    if (status < 200 || status > 299) {
      const waitMs = retryAfterMs(retryAfter, this.#options.nowMs());
      return answerError({ operation, status, body, write, retryAfterMs: waitMs });
    }
    if (body === 'unreadable') {
      return new KonnectError({ kind: 'UnexpectedAnswer', operation, status, mayHaveHappened: write });
    }
    return { status, body };
  }

  async #receive({ method, url, token, body, signal }: KonnectRequest): Promise<Received> {
    const { timeoutMs, userAgent, fence } = this.#options;
    let sent = false;
    let fenced: FencedError | undefined;
    const stream = got.stream(url, {
      method,
      headers: {
        accept: 'application/json, application/problem+json',
        authorization: `Bearer ${token}`,
        'user-agent': userAgent,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      agent: this.#agents,
      signal,
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      timeout: {
        connect: Math.min(connectTimeoutMs, timeoutMs),
        secureConnect: Math.min(connectTimeoutMs, timeoutMs),
        response: timeoutMs,
        request: timeoutMs,
      },
    });
    stream.once('request', (request: ClientRequest) => {
      whenConnected(request, () => {
        // Waiting for a connection may have taken long.
        fenced = method === 'GET' ? undefined : fencedBy(fence);
        if (fenced === undefined) sent = true;
        else request.destroy(fenced);
      });
    });
    if (body === undefined && method !== 'GET') stream.end();
    let text: string | undefined;
    try {
      text = await readBounded(stream);
    } catch (error) {
      if (fenced !== undefined) throw fenced;
      // An answer that breaks off still has its status; what else it said is lost.
      if (signal.aborted) return { kind: 'none', code: 'ABORT_ERR', sent };
      if (stream.response === undefined) return { kind: 'none', code: codeOf(error), sent };
    }
    const { statusCode = 0, headers } = stream.response ?? { headers: {} };
    return { kind: 'answer', status: statusCode, body: parseObject(text), retryAfter: headers['retry-after'] };
  }
}

function fencedBy(fence: Fence): FencedError | undefined {
  try {
    fence();
    return undefined;
  } catch (error) {
    if (error instanceof FencedError) return error;
    throw error;
  }
}

/** Runs `then` once bytes of the request can flow; never for a connection that is refused or whose certificate is not trusted. */
function whenConnected(request: ClientRequest, then: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket || !(socket.connecting || (socket instanceof TLSSocket && !socket.authorized))) then();
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', then);
  });
}

/** Undefined where there is more than we are willing to read. */
async function readBounded(chunks: AsyncIterable<Buffer>): Promise<string | undefined> {
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > mostAnswerBytes) return undefined;
    read.push(chunk);
  }
  return Buffer.concat(read).toString('utf8');
}

function parseObject(text: string | undefined): object | 'unreadable' | undefined {
  if (text === undefined) return 'unreadable';
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** Node's code of an error, and nothing else of it. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : undefined;
}
