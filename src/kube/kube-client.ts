import type { Agent, IncomingMessage } from 'node:http';
import { withTimeout } from '../runtime/timeout.ts';
import { type Fence, FencedError } from '../runtime/write-fence.ts';
import { errorOfStatus, KubeError, networkCodeOf } from './errors.ts';

import type { Credentials, PooledKubeConfig } from './kube-config.ts';
import type { JsonPatchOperation } from './object-patch.ts';
import type { KubeList, WatchEvent } from './objects.ts';
import { readLines, readText } from './read-body.ts';
import { decode, errorOf, eventOf, type KubeRequest, lateError, nameOf, type Query } from './request.ts';
import { sendRequest } from './send-request.ts';

export interface RequestOptions {
  /** If it is aborted, the request ends and rejects with the reason of the signal. */
  signal?: AbortSignal;
  /** The time limit, from authentication to the last byte. */
  timeoutMs?: number;
}

export interface ReadOptions extends RequestOptions {
  /** Requests only metadata, and accepts nothing else. */
  isMetadataOnly?: boolean;
}

export interface ListOptions extends ReadOptions {
  /** The number of objects in a page. Without it, one answer contains everything. */
  limit?: number;
  /** The token from the previous page. */
  continue?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface WatchOptions {
  signal: AbortSignal;
  isMetadataOnly?: boolean;
  /** Ends a watch without data for this time. 70 s by default, because the API server sends a bookmark about every minute. */
  inactivityMs?: number;
  /** Called when the server has accepted the watch, before the first event. */
  onOpen?: () => void;
}

export type Patch = { kind: 'json'; operations: JsonPatchOperation[] } | { kind: 'merge'; body: object };

export interface KubeClientOptions {
  config: Pick<PooledKubeConfig, 'server' | 'credentials' | 'isReplaced'>;
  userAgent: string;
  /** The default time limit of a request. 30 s by default. */
  timeoutMs?: number;
  /** For requests without a signal of their own. */
  signal?: AbortSignal | undefined;
  /** A longer answer is an error with the reason {@link answerTooLong}. 16 MiB by default. */
  maxAnswerBytes?: number;
  /** A longer line of a watch is an error. 8 MiB by default. */
  maxLineBytes?: number;
  /** Called right before each write is sent. If it throws a FencedError, the write rejects with that. */
  fence?: Fence | undefined;
  /** Called after each request, for metrics. `code`: the HTTP status, or `<error>` if there was no answer. */
  onAnswer?: ((method: string, code: string) => void) | undefined;
}

const mebibyte = 2 ** 20;
/** A reason of this client. The API server never uses it. */
export const answerTooLong = 'AnswerTooLong';
const maxErrorBytes = mebibyte / 4;
const contentTypes: Record<Patch['kind'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
};

/**
 * A client of the Kubernetes API in raw JSON: it drops and converts no field. `path` is everything after the server, such as
 * `/api/v1/namespaces/a/secrets/b`. Answers have the type that the caller names, unchecked. Every method rejects with a KubeError or with the reason of an
 * aborted signal, and a write also with a FencedError. A GET whose connection broke is sent once more. Nothing else is retried.
 */
export class KubeClient {
  readonly #options: Required<Omit<KubeClientOptions, 'signal' | 'fence' | 'onAnswer'>> &
    Pick<KubeClientOptions, 'signal' | 'fence' | 'onAnswer'>;

  constructor(options: KubeClientOptions) {
    this.#options = { timeoutMs: 30_000, maxAnswerBytes: 16 * mebibyte, maxLineBytes: 8 * mebibyte, ...options };
  }

  get<T>(path: string, { isMetadataOnly = false, ...options }: ReadOptions = {}): Promise<T> {
    return this.#run({ method: 'GET', path, accept: accept(isMetadataOnly, '') }, options);
  }

  /** Returns one page. */
  async list<T>(path: string, options: ListOptions = {}): Promise<KubeList<T>> {
    const { isMetadataOnly = false, limit, continue: from, labelSelector, fieldSelector, ...rest } = options;
    const query = { limit, continue: from, labelSelector, fieldSelector };
    const request: KubeRequest = { method: 'GET', path, query, accept: accept(isMetadataOnly, 'List') };
    const { items, metadata } = (await this.#run<Partial<KubeList<T>> | null>(request, rest)) ?? {};
    // Go encodes an empty list as null.
    if (typeof metadata?.resourceVersion !== 'string' || !(items === null || Array.isArray(items)))
      throw new KubeError(`${nameOf(request)}: the answer is not a list`, { kind: 'Other' });
    return { items: items ?? [], metadata };
  }

  create<T>(path: string, body: object, options: RequestOptions = {}): Promise<T> {
    return this.#run({ method: 'POST', path, body, contentType: 'application/json' }, options);
  }

  patch<T>(path: string, patch: Patch, options: RequestOptions = {}): Promise<T> {
    const body = patch.kind === 'json' ? patch.operations : patch.body;
    const contentType = contentTypes[patch.kind];
    return this.#run({ method: 'PATCH', path, body, contentType }, options);
  }

  /**
   * Yields the events after `query.resourceVersion`. Returns when the server ends the watch. Throws when the connection breaks or ends within a line, and
   * when there is no data for too long. Throws when the server sends an error (410 is kind `Gone`), and when `signal` is aborted. Leaving the loop ends the
   * watch.
   */
  async *watch<T extends { metadata: { resourceVersion: string } }>(
    path: string,
    query: Query,
    { signal, isMetadataOnly = false, inactivityMs = 70_000, onOpen }: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void> {
    const request: KubeRequest = {
      method: 'GET',
      isWatch: true,
      path,
      query: { ...query, watch: true },
      accept: accept(isMetadataOnly, ''),
    };
    const { timeoutMs, maxLineBytes } = this.#options;
    const stream = new AbortController();
    const stop = () => stream.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const timedOut = () => lateError(request, timeoutMs);
      const body = await withTimeout({ signal, timeoutMs, timedOut }, () =>
        this.#authenticated(request, stream.signal, ({ watches }) => watches),
      );
      onOpen?.();
      const lines = readLines(body, {
        maxLineBytes,
        inactivityMs,
        tooLong: () =>
          new KubeError(`${nameOf(request)}: a line of more than ${maxLineBytes} bytes`, { kind: 'Other' }),
        silent: () => new KubeError(`${nameOf(request)}: no byte for ${inactivityMs} ms`, { kind: 'Timeout' }),
        cut: () => new KubeError(`${nameOf(request)}: ended within a line`, { kind: 'Unavailable' }),
      });
      for await (const line of lines) yield eventOf<T>(request, line);
    } catch (error) {
      throw signal.aborted ? signal.reason : errorOf(request, error);
    } finally {
      signal.removeEventListener('abort', stop);
      stream.abort();
    }
  }

  async #run<T>(request: KubeRequest, options: RequestOptions): Promise<T> {
    const { signal = this.#options.signal, timeoutMs = this.#options.timeoutMs } = options;
    const timedOut = () => lateError(request, timeoutMs);
    try {
      const text = await withTimeout({ signal, timeoutMs, timedOut }, (within) =>
        this.#once(request, within).catch((error: unknown) => this.#onceMore(request, within, error)),
      );
      return decode<T>(request, () => JSON.parse(text));
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw error instanceof FencedError ? error : errorOf(request, error);
    }
  }

  async #once(request: KubeRequest, signal: AbortSignal): Promise<string> {
    const { maxAnswerBytes } = this.#options;
    const body = await this.#authenticated(request, signal, ({ requests }) => requests);
    return readText(
      body,
      maxAnswerBytes,
      () =>
        new KubeError(`${nameOf(request)}: an answer of more than ${maxAnswerBytes} bytes`, {
          kind: 'Other',
          reason: answerTooLong,
        }),
    );
  }

  /** Repeats a GET whose connection broke: the server may close an idle connection when it is used again. */
  #onceMore(request: KubeRequest, signal: AbortSignal, error: unknown): Promise<string> {
    const isBroken = ['ECONNRESET', 'EPIPE'].includes(networkCodeOf(error) ?? '');
    if (request.method !== 'GET' || !isBroken || signal.aborted) throw error;
    return this.#once(request, signal);
  }

  /** Sends the request, and once more with new credentials if the old ones were refused. Rejects if the answer is not 2xx. */
  async #authenticated(
    request: KubeRequest,
    signal: AbortSignal,
    pool: (credentials: Credentials) => Agent,
  ): Promise<IncomingMessage> {
    const { config } = this.#options;
    const first = await this.#credentials(request);
    const answer = await this.#send(request, first.headers, pool(first), signal);
    if (answer.statusCode !== 401 || !config.isReplaced(first)) return this.#checked(request, answer);
    answer.resume();
    const fresh = await this.#credentials(request);
    return this.#checked(request, await this.#send(request, fresh.headers, pool(fresh), signal));
  }

  async #credentials(request: KubeRequest): Promise<Credentials> {
    try {
      return await this.#options.config.credentials();
    } catch (error) {
      // The error of an exec plugin may contain anything.
      const code = networkCodeOf(error);
      throw new KubeError(
        `${nameOf(request)}: the credentials of the kubeconfig are not available${code === undefined ? '' : ` (${code})`}`,
        { kind: 'Unauthorized' },
      );
    }
  }

  async #send(
    request: KubeRequest,
    credentials: Credentials['headers'],
    agent: Agent,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { userAgent, config, fence, onAnswer } = this.#options;
    const { method, path, query = {}, accept: types = 'application/json', contentType, body: sent } = request;
    const body = sent === undefined ? undefined : JSON.stringify(sent);
    const isWrite = method !== 'GET';
    if (isWrite) fence?.();
    const url = new URL(config.server + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const headers = {
      ...credentials,
      accept: types,
      'user-agent': userAgent,
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    };
    const answered = sendRequest(url, { method, headers, body, agent, signal, fence: isWrite ? fence : undefined });
    if (onAnswer !== undefined) {
      answered.then(
        ({ statusCode }) => onAnswer(method, String(statusCode)),
        () => onAnswer(method, '<error>'),
      );
    }
    return answered;
  }

  /** Returns a 2xx answer, and throws the error of every other answer. */
  async #checked(request: KubeRequest, answer: IncomingMessage): Promise<IncomingMessage> {
    const { statusCode: status = 0, headers } = answer;
    if (status >= 200 && status < 300) return answer;
    const text = await readText(answer, maxErrorBytes, () => new Error('too long')).catch(() => '');
    throw errorOfStatus(
      { verb: request.method, path: request.path },
      { status, body: statusOf(text), retryAfter: headers['retry-after'] },
      Date.now,
    );
  }
}

/** Returns the accepted type. There is no second choice: a server that cannot send only metadata must not send whole objects. */
function accept(isMetadataOnly: boolean, suffix: '' | 'List'): string {
  return isMetadataOnly ? `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1` : 'application/json';
}

/** Returns the `Status` in the body of an error, or undefined if it is not JSON. */
function statusOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
