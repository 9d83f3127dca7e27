import { Readable } from 'node:stream';
import { type Dispatcher, request as send } from 'undici';
import { withTimeout } from '../runtime/timeout.ts';
import { type Fence, FencedError } from '../runtime/write-fence.ts';
import { errorOfStatus, KubeError, networkCodeOf } from './errors.ts';

export type { Query, Verb } from './request.ts';

import type { JsonPatchOperation } from './json-patch.ts';
import type { Credentials, PooledKubeConfig } from './kube-config.ts';
import type { KubeList, WatchEvent } from './objects.ts';
import { readLines, readText } from './read-body.ts';
import { decode, type Exchange, errorOf, eventOf, lateError, nameOf, type Query, type Verb } from './request.ts';

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

export type Patch =
  | { kind: 'json'; operations: JsonPatchOperation[] }
  | { kind: 'merge'; body: object }
  /** Server-side apply; `force` takes fields over from other managers. */
  | { kind: 'apply'; body: object; fieldManager: string; force?: boolean };

export interface DeleteOptions extends RequestOptions {
  /** Only the object with this uid. */
  uid?: string;
  /** Only in this state. */
  resourceVersion?: string;
}

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
  /** For metrics: once the headers of an answer, or none, have come; must not throw. `status` is absent when no answer came. */
  onRequest?: (facts: { verb: Verb; status?: number; durationMs: number }) => void;
}

type Answer = Dispatcher.ResponseData;

const MIB = 2 ** 20;
/** No word of the API server's. */
export const answerTooLong = 'AnswerTooLong';
const MAX_ERROR_BYTES = MIB / 4;
const CONTENT_TYPES: Record<Patch['kind'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  // JSON is YAML.
  apply: 'application/apply-patch+yaml',
};

/**
 * The Kubernetes API in raw JSON: nothing is dropped, renamed or turned into dates. `path` is everything after the server, such as
 * `/api/v1/namespaces/a/secrets/b`. What comes back has the type the caller names, unchecked. Every method rejects with a KubeError, or
 * with the reason of an aborted signal; a write also with a FencedError. A GET whose connection broke is sent once more; nothing else is tried again.
 */
export class KubeClient {
  readonly #options: Required<Omit<KubeClientOptions, 'onRequest' | 'fence'>> &
    Pick<KubeClientOptions, 'onRequest' | 'fence'>;

  constructor(options: KubeClientOptions) {
    this.#options = { timeoutMs: 30_000, maxAnswerBytes: 16 * MIB, maxLineBytes: 8 * MIB, ...options };
  }

  get<T>(path: string, { metadataOnly = false, ...options }: ReadOptions = {}): Promise<T> {
    return this.#exchange({ verb: 'get', method: 'GET', path, accept: accept(metadataOnly, '') }, options);
  }

  /** One page. */
  async list<T>(path: string, options: ListOptions = {}): Promise<KubeList<T>> {
    const { metadataOnly = false, limit, continue: from, labelSelector, fieldSelector, ...rest } = options;
    const query = { limit, continue: from, labelSelector, fieldSelector };
    const exchange: Exchange = { verb: 'list', method: 'GET', path, query, accept: accept(metadataOnly, 'List') };
    const { items, metadata } = (await this.#exchange<Partial<KubeList<T>> | null>(exchange, rest)) ?? {};
    // Go writes an empty list as null.
    if (typeof metadata?.resourceVersion !== 'string' || !(items === null || Array.isArray(items)))
      throw new KubeError(`${nameOf(exchange)}: the answer is no list`, { kind: 'Other' });
    return { items: items ?? [], metadata };
  }

  create<T>(path: string, body: object, options: RequestOptions = {}): Promise<T> {
    return this.#exchange({ verb: 'create', method: 'POST', path, body, contentType: 'application/json' }, options);
  }

  patch<T>(path: string, patch: Patch, options: RequestOptions = {}): Promise<T> {
    const query = patch.kind === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force } : {};
    const body = patch.kind === 'json' ? patch.operations : patch.body;
    const contentType = CONTENT_TYPES[patch.kind];
    return this.#exchange({ verb: 'patch', method: 'PATCH', path, query, body, contentType }, options);
  }

  /** Resolves once the API server has taken the deletion in; finalizers may keep the object for longer. */
  async delete(path: string, { uid, resourceVersion, ...options }: DeleteOptions = {}): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    await this.#exchange({ verb: 'delete', method: 'DELETE', path, body, contentType: 'application/json' }, options);
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
    const exchange: Exchange = {
      verb: 'watch',
      method: 'GET',
      path,
      query: { ...query, watch: true },
      accept: accept(metadataOnly, ''),
    };
    const { timeoutMs, maxLineBytes } = this.#options;
    const stream = new AbortController();
    const stop = () => stream.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const timedOut = () => lateError(exchange, timeoutMs);
      const { body } = await withTimeout({ signal, timeoutMs, timedOut }, () =>
        this.#letIn(exchange, stream.signal, ({ watches }) => watches),
      );
      onOpen?.();
      const lines = readLines(body, {
        maxLineBytes,
        inactivityMs,
        tooLong: () =>
          new KubeError(`${nameOf(exchange)}: a line of more than ${maxLineBytes} bytes`, { kind: 'Other' }),
        silent: () => new KubeError(`${nameOf(exchange)}: no byte for ${inactivityMs} ms`, { kind: 'Timeout' }),
        cut: () => new KubeError(`${nameOf(exchange)}: ended amid a line`, { kind: 'Unavailable' }),
      });
      for await (const line of lines) yield eventOf<T>(exchange, line);
    } catch (error) {
      throw signal.aborted ? signal.reason : errorOf(exchange, error);
    } finally {
      signal.removeEventListener('abort', stop);
      stream.abort();
    }
  }

  async #exchange<T>(exchange: Exchange, options: RequestOptions): Promise<T> {
    const { signal, timeoutMs = this.#options.timeoutMs } = options;
    const timedOut = () => lateError(exchange, timeoutMs);
    try {
      const text = await withTimeout({ signal, timeoutMs, timedOut }, (within) =>
        this.#once(exchange, within).catch((error: unknown) => this.#onceMore(exchange, within, error)),
      );
      return decode<T>(exchange, () => JSON.parse(text));
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw error instanceof FencedError ? error : errorOf(exchange, error);
    }
  }

  async #once(exchange: Exchange, signal: AbortSignal): Promise<string> {
    const { maxAnswerBytes } = this.#options;
    const { body } = await this.#letIn(exchange, signal, ({ requests }) => requests);
    return readText(
      body,
      maxAnswerBytes,
      () =>
        new KubeError(`${nameOf(exchange)}: an answer of more than ${maxAnswerBytes} bytes`, {
          kind: 'Other',
          reason: answerTooLong,
        }),
    );
  }

  /** A kept connection may turn out to be closed just as it is used again. */
  #onceMore(exchange: Exchange, signal: AbortSignal, error: unknown): Promise<string> {
    const broken = ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(networkCodeOf(error) ?? '');
    if (exchange.method !== 'GET' || !broken || signal.aborted) throw error;
    return this.#once(exchange, signal);
  }

  /** The answer, if it is a good one; else its error. */
  async #letIn(
    exchange: Exchange,
    signal: AbortSignal,
    pool: (credentials: Credentials) => Dispatcher,
  ): Promise<Answer> {
    const { config } = this.#options;
    const first = await this.#credentials(exchange);
    const answer = await this.#send(exchange, first.headers, pool(first), signal);
    if (answer.statusCode !== 401 || !config.isReplaced(first)) return this.#accepted(exchange, answer);
    await answer.body.dump();
    const fresh = await this.#credentials(exchange);
    return this.#accepted(exchange, await this.#send(exchange, fresh.headers, pool(fresh), signal));
  }

  async #credentials(exchange: Exchange): Promise<Credentials> {
    try {
      return await this.#options.config.credentials();
    } catch (error) {
      // What an exec plugin wrote may hold anything.
      const code = networkCodeOf(error);
      throw new KubeError(
        `${nameOf(exchange)}: the kubeconfig's credentials cannot be had${code === undefined ? '' : ` (${code})`}`,
        { kind: 'Unauthorized' },
      );
    }
  }

  async #send(
    exchange: Exchange,
    credentials: Record<string, string>,
    dispatcher: Dispatcher,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { userAgent, config, onRequest, fence } = this.#options;
    const { verb, method, path, query = {}, accept: types = 'application/json', contentType, body } = exchange;
    const text = body === undefined ? undefined : JSON.stringify(body);
    if (method !== 'GET') fence?.();
    const url = new URL(config.server + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const startedAt = performance.now();
    try {
      const answer = await send(url, {
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
      onRequest?.({ verb, status: answer.statusCode, durationMs: performance.now() - startedAt });
      return answer;
    } catch (error) {
      onRequest?.({ verb, durationMs: performance.now() - startedAt });
      throw error;
    }
  }

  async #accepted(exchange: Exchange, answer: Answer): Promise<Answer> {
    const { statusCode: status, headers, body } = answer;
    if (status >= 200 && status < 300) return answer;
    const text = await readText(body, MAX_ERROR_BYTES, () => new Error('too long')).catch(() => '');
    const retryAfter = headers['retry-after'];
    throw errorOfStatus(
      { verb: exchange.method, path: exchange.path },
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
