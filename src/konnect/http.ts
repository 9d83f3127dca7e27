import type { ClientRequest } from 'node:http';
import { Agent as HTTPAgent } from 'node:http';
import { Agent as HTTPSAgent, type AgentOptions as HTTPSAgentOptions } from 'node:https';
import { TLSSocket } from 'node:tls';
import got from 'got';
import { type Fence, FencedError } from '../runtime/write-fence.ts';
import { answerError } from './answer-error.ts';
import { KonnectError, type KonnectErrorKind, type KonnectOperation, proxyAuthenticationCode } from './errors.ts';
import { isExceptedFromProxy, type ProxyEnvironment } from './proxy.ts';
import { retryAfterMs } from './retry-after.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from './transport.ts';

const maxAnswerBytes = 4 * 1024 * 1024;
/** For all addresses of the host together. Long enough for a second one, if the first one does not answer. */
const connectTimeoutMs = 10_000;
const tlsTimeoutMs = 5_000;
/** Shorter than the limits of servers and load balancers, so that the operator closes an idle connection before they do. */
const idleSocketMs = 10_000;

/** The result of one request. */
export interface KonnectCall {
  operation: KonnectOperation;
  region: string;
  /** Undefined if there was no answer. */
  status: number | undefined;
  /** Undefined if it succeeded. */
  kind: KonnectErrorKind | undefined;
  /** The error that the caller gets. Undefined if it succeeded. */
  error: KonnectError | undefined;
  durationMs: number;
}

export interface KonnectHTTPOptions {
  userAgent: string;
  /** The time limit for a request, including the wait for a free connection. */
  timeoutMs?: number;
  /** The number of connections to one host. Further requests wait for one. */
  maxSockets?: number;
  onCall?: (call: KonnectCall) => void;
  /** Returns the time of day, for a Retry-After that is a date. */
  nowMs?: () => number;
  /** Called right before each write is sent. If it throws a FencedError, the write rejects with that. */
  fence?: Fence | undefined;
  /** The proxies for Konnect, with URLs from `parseProxyURL`. Node 22.19 ignores them, newer versions such as 24 use them. */
  proxies?: ProxyEnvironment | undefined;
}

interface Agents {
  http: HTTPAgent;
  https: HTTPSAgent;
}

type Received =
  | { kind: 'answer'; status: number; body: object | 'unreadable' | undefined; retryAfter: string | undefined }
  | { kind: 'none'; code: string | undefined; isSent: boolean };

/**
 * Sends requests to Konnect over connections that are kept alive and limited in number. It verifies TLS (`NODE_EXTRA_CA_CERTS` adds trusted
 * certificates), follows no redirect, reads at most 4 MiB of an answer, and retries nothing: that is for the work queue.
 */
export class KonnectHTTP implements KonnectTransport {
  readonly #options: Required<Omit<KonnectHTTPOptions, 'proxies' | 'fence'>> & { fence: Fence };
  readonly #direct: Agents;
  readonly #proxied: Agents;
  readonly #noProxy: string;

  constructor({
    userAgent,
    timeoutMs = 15_000,
    maxSockets = 16,
    onCall = () => {},
    nowMs = Date.now,
    fence = () => {},
    proxies: { NO_PROXY = '', ...proxyEnv } = {},
  }: KonnectHTTPOptions) {
    this.#options = { userAgent, timeoutMs, maxSockets, onCall, nowMs, fence };
    const agentOptions = { keepAlive: true, maxSockets, timeout: idleSocketMs };
    this.#direct = agentsWith(agentOptions);
    this.#proxied = agentsWith({ ...agentOptions, proxyEnv });
    this.#noProxy = NO_PROXY;
  }

  async send(request: KonnectRequest): Promise<KonnectAnswer> {
    const { operation, region } = request;
    if (request.token !== undefined && !/^[\x21-\x7e]+$/.test(request.token))
      throw new KonnectError({ kind: 'Unauthorized', operation });
    if (request.method !== 'GET') this.#options.fence();
    const startedMs = performance.now();
    const received = await this.#receive(request);
    const outcome = this.#toOutcome(request, received);
    const hasFailed = outcome instanceof KonnectError;
    this.#options.onCall({
      operation,
      region,
      status: outcome.status,
      kind: hasFailed ? outcome.kind : undefined,
      error: hasFailed ? outcome : undefined,
      durationMs: performance.now() - startedMs,
    });
    if (hasFailed) throw outcome;
    return outcome;
  }

  /** Closes the connections. Requests in flight fail. */
  close(): void {
    for (const { http, https } of [this.#direct, this.#proxied]) {
      http.destroy();
      https.destroy();
    }
  }

  #toOutcome({ operation, method }: KonnectRequest, received: Received): KonnectAnswer | KonnectError {
    const isWrite = method !== 'GET';
    if (received.kind === 'none') {
      const { code, isSent } = received;
      return new KonnectError({ kind: 'Unreachable', operation, code, mayHaveHappened: isWrite && isSent });
    }
    const { status, body, retryAfter } = received;
    if (status < 200 || status > 299) {
      const waitMs = retryAfterMs(retryAfter, this.#options.nowMs());
      return answerError({ operation, status, body, isWrite, retryAfterMs: waitMs });
    }
    if (body === 'unreadable') {
      return new KonnectError({ kind: 'UnexpectedAnswer', operation, status, mayHaveHappened: isWrite });
    }
    return { status, body };
  }

  async #receive({ method, url, token, body, signal }: KonnectRequest): Promise<Received> {
    const { timeoutMs, userAgent, fence } = this.#options;
    let isSent = false;
    let fenced: FencedError | undefined;
    const stream = got.stream(url, {
      method,
      headers: {
        accept: 'application/json, application/problem+json',
        'user-agent': userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      agent: isExceptedFromProxy(url, this.#noProxy) ? this.#direct : this.#proxied,
      signal,
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      timeout: {
        connect: Math.min(connectTimeoutMs, timeoutMs),
        secureConnect: Math.min(tlsTimeoutMs, timeoutMs),
        response: timeoutMs,
        request: timeoutMs,
      },
    });
    stream.once('request', (request: ClientRequest) => {
      whenConnected(request, () => {
        // The request may have waited for its connection for a long time.
        fenced = method === 'GET' ? undefined : fencedBy(fence);
        if (fenced === undefined) isSent = true;
        else request.destroy(fenced);
      });
    });
    if (body === undefined && method !== 'GET') stream.end();
    let text: string | undefined;
    try {
      text = await readBounded(stream);
    } catch (error) {
      if (fenced !== undefined) throw fenced;
      // An incomplete answer still has its status, but its body is lost.
      if (signal.aborted) return { kind: 'none', code: 'ABORT_ERR', isSent };
      if (stream.response === undefined) return { kind: 'none', code: codeOf(error), isSent };
    }
    const { statusCode = 0, headers } = stream.response ?? { headers: {} };
    if (statusCode === 407) return { kind: 'none', code: proxyAuthenticationCode, isSent: false };
    return { kind: 'answer', status: statusCode, body: parseObject(text), retryAfter: headers['retry-after'] };
  }
}

function agentsWith(options: HTTPSAgentOptions): Agents {
  return { http: new HTTPAgent(options), https: new HTTPSAgent(options) };
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

/** Calls `then` when the request can be sent. Never calls it if the connection is refused or its certificate is not trusted. */
function whenConnected(request: ClientRequest, then: () => void): void {
  request.once('socket', (socket) => {
    if (request.reusedSocket || !(socket.connecting || (socket instanceof TLSSocket && !socket.authorized))) then();
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', then);
  });
}

/** Returns the body as text, or undefined if it is longer than {@link maxAnswerBytes}. */
async function readBounded(chunks: AsyncIterable<Buffer>): Promise<string | undefined> {
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxAnswerBytes) return undefined;
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

/** Returns Node's code of an error, or {@link proxyAuthenticationCode} if a proxy answered 407 to CONNECT. Returns nothing else of the error. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { cause } = error;
  if (typeof cause === 'object' && cause !== null && 'statusCode' in cause && cause.statusCode === 407) {
    return proxyAuthenticationCode;
  }
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : undefined;
}
