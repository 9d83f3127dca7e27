import { Readable } from 'node:stream';
import { type Dispatcher, request as send } from 'undici';
import { withTimeout } from '../runtime/timeout.ts';
import { type Fence, FencedError } from '../runtime/write-fence.ts';
import { errorOfStatus, KubeError, networkCodeOf } from './errors.ts';

import type { Credentials, PooledKubeConfig } from './kube-config.ts';
import type { JsonPatchOperation } from './object-patch.ts';
import type { KubeList, WatchEvent } from './objects.ts';
import { readLines, readText } from './read-body.ts';
import { decode, errorOf, eventOf, type KubeRequest, lateError, nameOf, type Query } from './request.ts';

export interface RequestOptions {
  /** Aborting it ends the request, which then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** For the whole exchange, from authentication to the last byte. */
  timeoutMs?: number;
}

export interface ReadOptions extends RequestOptions {
  /** Asks for metadata alone, and refuses anything else. */
  metadataOnly?: boolean;
}

export interface ListOptions extends ReadOptions {
  /** Objects in a page; everything in one answer unless given. */
  limit?: number;
  /** From the page before. */
  continue?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface WatchOptions {
  signal: AbortSignal;
  metadataOnly?: boolean;
  /** For how long no byte may come before the watch is given up; 70 s unless given, since the API server sends a bookmark about every minute. */
  inactivityMs?: number;
  /** Called when the server has agreed to watch, before there is any event. */
  onOpen?: () => void;
}

export type Patch = { kind: 'json'; operations: JsonPatchOperation[] } | { kind: 'merge'; body: object };

export interface KubeClientOptions {
  config: Pick<PooledKubeConfig, 'server' | 'credentials' | 'isReplaced'>;
  userAgent: string;
  /** Unless a call says otherwise; 30 s. */
  timeoutMs?: number;
  /** A longer answer is an error with the reason {@link answerTooLong}; 16 MiB. */
  maxAnswerBytes?: number;
  /** A longer line of a watch is an error; 8 MiB. */
  maxLineBytes?: number;
  /** Asked right before each write is sent; may throw a FencedError, with which the write then rejects. */
  fence?: Fence | undefined;
}

type Answer = Dispatcher.ResponseData;

const MIB = 2 ** 20;
/** No word of the API server's. */
export const answerTooLong = 'AnswerTooLong';
const MAX_ERROR_BYTES = MIB / 4;
const CONTENT_TYPES: Record<Patch['kind'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
};

/**
 * The Kubernetes API in raw JSON: nothing is dropped, renamed or turned into dates. `path` is everything after the server, such as
 * `/api/v1/namespaces/a/secrets/b`. What comes back has the type the caller names, unchecked. Every method rejects with a KubeError, or
 * with the reason of an aborted signal; a write also with a FencedError. A GET whose connection broke is sent once more; nothing else is tried again.
 */
export class KubeClient {
  readonly #options: Required<Omit<KubeClientOptions, 'fence'>> & Pick<KubeClientOptions, 'fence'>;

  constructor(options: KubeClientOptions) {
    this.#options = { timeoutMs: 30_000, maxAnswerBytes: 16 * MIB, maxLineBytes: 8 * MIB, ...options };
  }

  get<T>(path: string, { metadataOnly = false, ...options }: ReadOptions = {}): Promise<T> {
    return this.#run({ method: 'GET', path, accept: accept(metadataOnly, '') }, options);
  }

  /** One page. */
  async list<T>(path: string, options: ListOptions = {}): Promise<KubeList<T>> {
    const { metadataOnly = false, limit, continue: from, labelSelector, fieldSelector, ...rest } = options;
    const query = { limit, continue: from, labelSelector, fieldSelector };
    const request: KubeRequest = { method: 'GET', path, query, accept: accept(metadataOnly, 'List') };
    const { items, metadata } = (await this.#run<Partial<KubeList<T>> | null>(request, rest)) ?? {};
    // Go writes an empty list as null.
    if (typeof metadata?.resourceVersion !== 'string' || !(items === null || Array.isArray(items)))
      throw new KubeError(`${nameOf(request)}: the answer is no list`, { kind: 'Other' });
    return { items: items ?? [], metadata };
  }

  create<T>(path: string, body: object, options: RequestOptions = {}): Promise<T> {
    return this.#run({ method: 'POST', path, body, contentType: 'application/json' }, options);
  }

  patch<T>(path: string, patch: Patch, options: RequestOptions = {}): Promise<T> {
    const body = patch.kind === 'json' ? patch.operations : patch.body;
    const contentType = CONTENT_TYPES[patch.kind];
    return this.#run({ method: 'PATCH', path, body, contentType }, options);
  }

  /**
   * What happens from `query.resourceVersion` on. Returns when the server ends the watch; throws when it breaks, falls silent, is cut amid a
   * line, tells of an error (410 is kind `Gone`), or `signal` is aborted. Leaving the loop ends the watch.
   */
  async *watch<T extends { metadata: { resourceVersion: string } }>(
    path: string,
    query: Query,
    { signal, metadataOnly = false, inactivityMs = 70_000, onOpen }: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void> {
    const request: KubeRequest = {
      method: 'GET',
      isWatch: true,
      path,
      query: { ...query, watch: true },
      accept: accept(metadataOnly, ''),
    };
    const { timeoutMs, maxLineBytes } = this.#options;
    const stream = new AbortController();
    const stop = () => stream.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const timedOut = () => lateError(request, timeoutMs);
      const { body } = await withTimeout({ signal, timeoutMs, timedOut }, () =>
        this.#authenticated(request, stream.signal, ({ watches }) => watches),
      );
      onOpen?.();
      const lines = readLines(body, {
        maxLineBytes,
        inactivityMs,
        tooLong: () =>
          new KubeError(`${nameOf(request)}: a line of more than ${maxLineBytes} bytes`, { kind: 'Other' }),
        silent: () => new KubeError(`${nameOf(request)}: no byte for ${inactivityMs} ms`, { kind: 'Timeout' }),
        cut: () => new KubeError(`${nameOf(request)}: ended amid a line`, { kind: 'Unavailable' }),
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
    const { signal, timeoutMs = this.#options.timeoutMs } = options;
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
    const { body } = await this.#authenticated(request, signal, ({ requests }) => requests);
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

  /** A kept connection may turn out to be closed just as it is used again. */
  #onceMore(request: KubeRequest, signal: AbortSignal, error: unknown): Promise<string> {
    const broken = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(networkCodeOf(error) ?? '');
    if (request.method !== 'GET' || !broken || signal.aborted) throw error;
    return this.#once(request, signal);
  }

  /** The answer, if it is a good one; else its error. */
  async #authenticated(
    request: KubeRequest,
    signal: AbortSignal,
    pool: (credentials: Credentials) => Dispatcher,
  ): Promise<Answer> {
    const { config } = this.#options;
    const first = await this.#credentials(request);
    const answer = await this.#send(request, first.headers, pool(first), signal);
    if (answer.statusCode !== 401 || !config.isReplaced(first)) return this.#checked(request, answer);
    await answer.body.dump();
    const fresh = await this.#credentials(request);
    return this.#checked(request, await this.#send(request, fresh.headers, pool(fresh), signal));
  }

  async #credentials(request: KubeRequest): Promise<Credentials> {
    try {
      return await this.#options.config.credentials();
    } catch (error) {
      // What an exec plugin wrote may hold anything.
      const code = networkCodeOf(error);
      throw new KubeError(
        `${nameOf(request)}: the kubeconfig's credentials cannot be had${code === undefined ? '' : ` (${code})`}`,
        { kind: 'Unauthorized' },
      );
    }
  }

  async #send(
    request: KubeRequest,
    credentials: Record<string, string>,
    dispatcher: Dispatcher,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { userAgent, config, fence } = this.#options;
    const { method, path, query = {}, accept: types = 'application/json', contentType, body } = request;
    const text = body === undefined ? undefined : JSON.stringify(body);
    if (method !== 'GET') fence?.();
    const url = new URL(config.server + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return send(url, {
      method,
      dispatcher,
      signal,
      headers: {
        ...credentials,
        accept: types,
        'user-agent': userAgent,
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...(text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }),
      },
      body:
        text === undefined || fence === undefined
          ? (text ?? null)
          : Readable.from(fenced(text, fence), { objectMode: false }),
      // The deadline and the inactivity limit stand in for these.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  async #checked(request: KubeRequest, answer: Answer): Promise<Answer> {
    const { statusCode: status, headers, body } = answer;
    if (status >= 200 && status < 300) return answer;
    const text = await readText(body, MAX_ERROR_BYTES, () => new Error('too long')).catch(() => '');
    const retryAfter = headers['retry-after'];
    throw errorOfStatus(
      { verb: request.method, path: request.path },
      { status, body: statusOf(text), retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined },
      Date.now,
    );
  }
}

/** undici reads it when it has a connection, and sends nothing of the request before: waiting for one may have taken long. */
async function* fenced(text: string, fence: Fence): AsyncGenerator<Buffer> {
  fence();
  yield Buffer.from(text);
}

/** Without another type to fall back to: a server that cannot give metadata alone must not give everything. */
function accept(metadataOnly: boolean, suffix: '' | 'List'): string {
  return metadataOnly ? `application/json;as=PartialObjectMetadata${suffix};g=meta.k8s.io;v=v1` : 'application/json';
}

/** The `Status` that an error's body should hold. */
function statusOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
