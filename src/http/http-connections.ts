import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { Agent as HTTPAgent } from 'node:http';
import { Agent as HTTPSAgent, type AgentOptions as HTTPSAgentOptions } from 'node:https';
import got from 'got';
import { type Fence, FencedError } from '../runtime/write-fence.ts';
import { isExceptedFromProxy, type ProxyEnvironment, proxyAuthenticationCode } from './proxy.ts';
import { whenConnected } from './when-connected.ts';

/** For all addresses of the host together. Long enough for a second one, if the first one does not answer. */
const connectTimeoutMs = 10_000;
const tlsTimeoutMs = 5_000;
/** Shorter than the limits of servers and load balancers, so that the operator closes an idle connection before they do. */
const idleSocketMs = 10_000;

export interface HTTPConnectionsOptions {
  userAgent: string;
  /** The time limit for a request, including the wait for a free connection. */
  timeoutMs: number;
  /** The longest answer that is read. */
  maxAnswerBytes: number;
  /** The number of connections to one host. Further requests wait for one. */
  maxSockets: number;
  /** The proxies, with URLs from `parseProxyURL`. Node 22.19 ignores them, newer versions such as 24 use them. */
  proxies?: ProxyEnvironment | undefined;
}

export interface HTTPRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: URL;
  /** Without `user-agent` and `content-type`. */
  headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: object | undefined;
  signal: AbortSignal;
  /** Called when the connection is there, right before the request is sent. If it throws a FencedError, the request rejects with that. */
  fence?: Fence | undefined;
}

export type HTTPOutcome =
  | {
      kind: 'answer';
      status: number;
      /** The parsed JSON object. Undefined if the answer had no body. */
      body: object | 'unreadable' | undefined;
      headers: IncomingHttpHeaders;
    }
  | { kind: 'none'; code: string | undefined; isSent: boolean };

interface Agents {
  http: HTTPAgent;
  https: HTTPSAgent;
}

/**
 * Sends requests over connections that are kept alive and limited in number. It verifies TLS (`NODE_EXTRA_CA_CERTS` adds trusted
 * certificates), follows no redirect, reads a limited part of an answer, and retries nothing.
 */
export class HTTPConnections {
  readonly #options: HTTPConnectionsOptions;
  readonly #direct: Agents;
  readonly #proxied: Agents;
  readonly #noProxy: string;

  constructor(options: HTTPConnectionsOptions) {
    const { maxSockets, proxies: { NO_PROXY = '', ...proxyEnv } = {} } = options;
    this.#options = options;
    const agentOptions = { keepAlive: true, maxSockets, timeout: idleSocketMs };
    this.#direct = agentsWith(agentOptions);
    this.#proxied = agentsWith({ ...agentOptions, proxyEnv });
    this.#noProxy = NO_PROXY;
  }

  /** Closes the connections. Requests in flight fail. */
  close(): void {
    for (const { http, https } of [this.#direct, this.#proxied]) {
      http.destroy();
      https.destroy();
    }
  }

  /** Rejects only with a FencedError. */
  async send({ method, url, headers, body, signal, fence }: HTTPRequest): Promise<HTTPOutcome> {
    const { timeoutMs, userAgent, maxAnswerBytes } = this.#options;
    let isSent = false;
    let fenced: FencedError | undefined;
    const stream = got.stream(url, {
      method,
      headers: {
        ...headers,
        'user-agent': userAgent,
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
        fenced = fence === undefined ? undefined : fencedBy(fence);
        if (fenced === undefined) isSent = true;
        else request.destroy(fenced);
      });
    });
    if (body === undefined && method !== 'GET') stream.end();
    let text: string | undefined;
    try {
      text = await readBounded(stream, maxAnswerBytes);
    } catch (error) {
      if (fenced !== undefined) throw fenced;
      // An incomplete answer still has its status, but its body is lost.
      if (signal.aborted) return { kind: 'none', code: 'ABORT_ERR', isSent };
      if (stream.response === undefined) return { kind: 'none', code: codeOf(error), isSent };
    }
    const { statusCode = 0, headers: received } = stream.response ?? { headers: {} };
    if (statusCode === 407) return { kind: 'none', code: proxyAuthenticationCode, isSent: false };
    return { kind: 'answer', status: statusCode, body: parseObject(text), headers: received };
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

/** Returns the body as text, or undefined if it is longer than `maxBytes`. */
async function readBounded(chunks: AsyncIterable<Buffer>, maxBytes: number): Promise<string | undefined> {
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
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
