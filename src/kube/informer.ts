import type { Log } from '../runtime/log.ts';
import { sleep } from '../runtime/timeout.ts';
import { isKubeError, KubeError } from './errors.ts';
import type { KubeClient } from './kube-client.ts';
import { listAll } from './list-all.ts';
import { isKubeObject, isLater, type KubeObject, type WatchEvent } from './objects.ts';
import { type Change, ObjectStore, type ReadonlyStore } from './store.ts';

export interface InformerOptions<T extends KubeObject> {
  client: Pick<KubeClient, 'list' | 'watch'>;
  /** The path of the collection, such as `/api/v1/secrets`. */
  path: string;
  query?: { labelSelector?: string; fieldSelector?: string };
  /** Lists and watches only metadata. */
  isMetadataOnly?: boolean;
  /** Whether the process can do without this resource. Probes then stay ready without the right to read it. */
  isOptional?: boolean;
  /** Returns what the store keeps of an object. It must keep namespace, name, uid and resourceVersion. */
  transform?: (object: T) => T;
  /** Called for each change after the store shows it. After a list, the store shows all changes first. An error is logged. */
  onChange: (change: Change<T>) => void;
  log: Log;
  /** The number of objects in a page of a list. 500 by default. */
  pageSize?: number;
  /** The server is asked to end a watch after one to two times this. 5 minutes by default. */
  watchMs?: number;
  /** A watch without data for this time is restarted. 70 s by default. */
  inactivityMs?: number;
  /**
   * The time from the start of a failed attempt to the next attempt. It doubles from half of `baseMs` up to `maxMs`, with jitter. At least the first
   * such time is left between the failure and the next attempt. 800 ms and 30 s by default.
   */
  backOff?: { baseMs: number; maxMs: number };
  /** Uniform in [0, 1). */
  random?: () => number;
  /** Returns milliseconds from an arbitrary start that never decrease. */
  now?: () => number;
}

/** What the informer does next. */
type State = { kind: 'list' } | { kind: 'watch'; resourceVersion: string };

/** A watch without events that ends sooner than this counts as failed. */
const minWatchMs = 1000;

/** After this many failed watches in a row the informer lists again, because the server may have lost the known resourceVersion. */
const failuresBeforeList = 3;

/**
 * Keeps a store equal to the collection of the API server: it lists, then watches from there on. It lists again when the server no longer knows the
 * resourceVersion of the watch. It never ends because of an error. It detects objects that were deleted or replaced while there was no connection.
 */
export class Informer<T extends KubeObject> {
  /** Resolves after the first list, when `onChange` was called for all of it. Never rejects. */
  readonly synced: Promise<void>;
  /** Resolves after the first list, or when the API server forbids it for the first time. Never rejects. */
  readonly attempted: Promise<void>;
  readonly #options: InformerOptions<T>;
  readonly #store = new ObjectStore<T>();
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #createdAt: number;
  #state: State = { kind: 'list' };
  /** Failures in a row. A working watch resets them. */
  #failures = 0;
  #lastActivity: number | undefined;
  #attemptAt: Record<State['kind'], number> = { list: -Infinity, watch: -Infinity };
  #resolveSynced: () => void = () => undefined;
  #resolveAttempted: () => void = () => undefined;
  #isForbidden = false;
  #isServed = true;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#now = options.now ?? (() => performance.now());
    this.#createdAt = this.#now();
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
    this.attempted = new Promise((resolve) => {
      this.#resolveAttempted = resolve;
    });
  }

  get store(): ReadonlyStore<T> {
    return this.#store;
  }

  /** The name of the resource in the path, such as `secrets`. */
  get resource(): string {
    return this.#options.path.split('/').at(-1) ?? '';
  }

  /** The namespace in the path. Undefined if the informer watches all namespaces. */
  get namespace(): string | undefined {
    return /\/namespaces\/([^/]+)\//.exec(this.#options.path)?.[1];
  }

  /** Whether the process can do without this resource. */
  get isOptional(): boolean {
    return this.#options.isOptional ?? false;
  }

  /** Whether the API server forbade the last list or watch. The informer tries again. */
  get isForbidden(): boolean {
    return this.#isForbidden;
  }

  /** False if the API server answered the last list or watch with 404, since it does not serve this kind. The informer tries again. */
  get isServed(): boolean {
    return this.#isServed;
  }

  /** Whether the first list has ended. */
  get hasSynced(): boolean {
    return this.#lastActivity !== undefined;
  }

  /** For how long the server has sent nothing, or how old the informer is before the first data. A bookmark comes about every minute. */
  get silentMs(): number {
    return this.#now() - (this.#lastActivity ?? this.#createdAt);
  }

  /**
   * Puts the answer to an own write into the store. Ignores it if the store has a newer state, or if the object is known to be deleted. The event of the
   * same write then changes nothing.
   */
  upsert(object: T): void {
    this.#notify(this.#store.upsert(this.#transform(object)));
  }

  /** Runs until `signal` is aborted. Never rejects. May be called only once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#attemptAt[this.#state.kind] = this.#now();
      try {
        if (this.#state.kind === 'list') await this.#list(signal);
        else await this.#watch(this.#state.resourceVersion, signal);
      } catch (error) {
        if (signal.aborted) return;
        await sleep(this.#afterFailure(error), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, path, query, isMetadataOnly = false, pageSize = 500 } = this.#options;
    this.#store.beginList();
    const options = { ...query, isMetadataOnly, limit: pageSize, signal };
    const { items, resourceVersion } = await listAll<T>(client, path, options, this.#transform);
    this.#markActive();
    const changes = this.#store.replace(items, resourceVersion);
    this.#state = { kind: 'watch', resourceVersion };
    this.#notify(changes);
    this.#resolveSynced();
    this.#resolveAttempted();
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, path, query, isMetadataOnly = false, watchMs = 300_000, inactivityMs = 70_000 } = this.#options;
    const startedAt = this.#now();
    const timeoutSeconds = Math.ceil((watchMs / 1000) * (1 + this.#random()));
    const events = client.watch<T>(
      path,
      { ...query, resourceVersion, allowWatchBookmarks: true, timeoutSeconds },
      { signal, isMetadataOnly, inactivityMs, onOpen: this.#markActive },
    );
    let hasEvents = false;
    for await (const event of events) {
      this.#apply(event);
      hasEvents = true;
      this.#failures = 0;
    }
    if (!hasEvents && this.#now() - startedAt < minWatchMs)
      throw new KubeError(`WATCH ${path}: the server closed it at once`, { kind: 'Unavailable' });
    this.#failures = 0;
  }

  readonly #markActive = (): void => {
    this.#lastActivity = this.#now();
    this.#isForbidden = false;
    this.#isServed = true;
  };

  #apply(event: WatchEvent<T>): void {
    this.#markActive();
    if (event.type !== 'BOOKMARK' && !isKubeObject(event.object))
      throw new KubeError(`WATCH ${this.#options.path}: an event without a valid object`, { kind: 'Other' });
    const { resourceVersion } = event.object.metadata;
    // The resourceVersions of a watch only increase, unless the data of the server was restored from a backup.
    if (this.#state.kind === 'watch' && isBehind(resourceVersion, this.#state.resourceVersion))
      throw new KubeError(`WATCH ${this.#options.path}: an event older than the one before`, { kind: 'Gone' });
    this.#state = { kind: 'watch', resourceVersion };
    if (event.type === 'BOOKMARK') return;
    const object = this.#transform(event.object);
    this.#notify(event.type === 'DELETED' ? this.#store.drop(object) : this.#store.put(object));
  }

  /** Decides what the informer does after a failure. Returns how long to wait before, in milliseconds. */
  #afterFailure(error: unknown): number {
    const { path, log } = this.#options;
    const { baseMs, maxMs } = this.#options.backOff ?? { baseMs: 800, maxMs: 30_000 };
    const state = this.#state.kind;
    const isExpired = state === 'watch' && isKubeError(error, 'Gone');
    this.#failures += 1;
    const wasForbidden = this.#isForbidden;
    this.#isForbidden = isKubeError(error, 'Forbidden');
    this.#isServed = !isKubeError(error, 'NotFound');
    if (this.#isForbidden) this.#resolveAttempted();
    // If a watch has expired, the server works. Only a list that was too recent needs a delay then.
    const sinceMs = this.#now() - this.#attemptAt[isExpired ? 'list' : state];
    const boundMs = Math.min(maxMs, baseMs * 2 ** (this.#failures - 1));
    const jitter = (1 + this.#random()) / 2;
    const ownMs = Math.max(boundMs * jitter - sinceMs, baseMs * jitter);
    const waitMs = Math.max(ownMs, isKubeError(error) ? (error.retryAfterMs ?? 0) : 0);
    const fields = { path, state, err: error, failures: this.#failures, waitMs: Math.round(waitMs) };
    if (isExpired) log.info(fields, 'watch expired, listing again');
    else if (this.#isForbidden && !wasForbidden)
      log.warn(
        { ...fields, resource: this.resource, namespace: this.namespace },
        'the API server forbids to list or watch a resource, or the namespace does not exist',
      );
    else if (this.#failures === 1) log.info(fields, 'list or watch interrupted');
    else log.warn(fields, 'list or watch failed again');
    const isUnreachable = isKubeError(error, 'Unavailable', 'TooManyRequests');
    if (isExpired || (!isUnreachable && this.#failures >= failuresBeforeList)) this.#state = { kind: 'list' };
    return waitMs;
  }

  readonly #transform = (object: T): T => this.#options.transform?.(object) ?? object;

  #notify(changes: Change<T>[]): void {
    for (const change of changes) {
      try {
        this.#options.onChange(change);
      } catch (err) {
        this.#options.log.error({ path: this.#options.path, key: change.key, err }, 'change handler failed');
      }
    }
  }
}

function isBehind(a: string, b: string): boolean {
  return /^\d+$/.test(a) && isLater(b, a) && !isLater(a, b);
}
