import { HTTPConnections, type HTTPOutcome } from '../http/http-connections.ts';
import type { ProxyEnvironment } from '../http/proxy.ts';
import { retryAfterMs } from '../http/retry-after.ts';
import type { Fence } from '../runtime/write-fence.ts';
import { answerError } from './answer-error.ts';
import { KonnectError, type KonnectErrorKind, type KonnectOperation } from './errors.ts';
import { rateLimitOf } from './rate-limit.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from './transport.ts';

const maxAnswerBytes = 4 * 1024 * 1024;

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
  proxies?: ProxyEnvironment | undefined;
}

/** Sends requests to Konnect. It reads at most 4 MiB of an answer, and retries nothing: that is for the work queue. */
export class KonnectHTTP implements KonnectTransport {
  readonly #options: Required<Pick<KonnectHTTPOptions, 'onCall' | 'nowMs'>> & { fence: Fence };
  readonly #connections: HTTPConnections;

  constructor({
    userAgent,
    timeoutMs = 15_000,
    maxSockets = 16,
    onCall = () => {},
    nowMs = Date.now,
    fence = () => {},
    proxies,
  }: KonnectHTTPOptions) {
    this.#options = { onCall, nowMs, fence };
    this.#connections = new HTTPConnections({ userAgent, timeoutMs, maxSockets, maxAnswerBytes, proxies });
  }

  async send(request: KonnectRequest): Promise<KonnectAnswer> {
    const { operation, region } = request;
    if (request.token !== undefined && !/^[\x21-\x7e]+$/.test(request.token))
      throw new KonnectError({ kind: 'Unauthorized', operation });
    const { method, url, token, body, signal } = request;
    const fence = method === 'GET' ? undefined : this.#options.fence;
    fence?.();
    const startedMs = performance.now();
    const headers = {
      accept: 'application/json, application/problem+json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const received = await this.#connections.send({ method, url, headers, body, signal, fence });
    if (received.kind === 'answer') {
      const limit = rateLimitOf((name) => received.headers[name]?.toString());
      if (limit !== undefined) request.onRateLimit?.(limit);
    }
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
    this.#connections.close();
  }

  #toOutcome({ operation, method }: KonnectRequest, received: HTTPOutcome): KonnectAnswer | KonnectError {
    const isWrite = method !== 'GET';
    if (received.kind === 'none') {
      const { code, isSent } = received;
      return new KonnectError({ kind: 'Unreachable', operation, code, mayHaveHappened: isWrite && isSent });
    }
    const { status, body, headers } = received;
    if (status < 200 || status > 299) {
      const waitMs = retryAfterMs(headers['retry-after'], this.#options.nowMs());
      return answerError({ operation, status, body, isWrite, retryAfterMs: waitMs });
    }
    if (body === 'unreadable') {
      return new KonnectError({ kind: 'UnexpectedAnswer', operation, status, mayHaveHappened: isWrite });
    }
    return { status, body };
  }
}
