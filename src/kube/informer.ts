import type { Log } from '../runtime/log.ts';
import { sleep } from '../runtime/timeout.ts';
import { isKubeError, KubeError } from './errors.ts';
import type { KubeClient } from './kube-client.ts';
import { listAll } from './list-all.ts';
import { isKubeObject, isLater, type KubeObject, type WatchEvent } from './objects.ts';
import { type Change, ObjectStore, type ReadonlyStore } from './store.ts';

export interface InformerOptions<T extends KubeObject> {
  client: Pick<KubeClient, 'list' | 'watch'>;
  /** Of the collection, such as `/api/v1/secrets`. */
  path: string;
  query?: { labelSelector?: string; fieldSelector?: string };
  /** Lists and watches metadata alone. */
  metadataOnly?: boolean;
  /** What is kept of an object; namespace, name, uid and resourceVersion must stay. */
  transform?: (object: T) => T;
  /** Called for each change once the store shows it (after a list: once it shows all). What it throws is logged. */
  onChange: (change: Change<T>) => void;
  log: Log;
  /** Objects in a page of a list; 500. */
  pageSize?: number;
  /** The server is asked to end a watch after one to two times this; 5 minutes. */
  watchMs?: number;
  /** Silence after which a watch is begun anew; 70 s. */
  inactivityMs?: number;
  /**
   * From the beginning of a failed attempt to the next: doubles from half of `baseMs` up to `maxMs`, with jitter, and is never less than the
   * first such time after the failure; 800 ms and 30 s.
   */
  backOff?: { baseMs: number; maxMs: number };
  /** Uniform in [0, 1). */
  random?: () => number;
  /** Milliseconds from any start. */
  now?: () => number;
}

/** What is to be done next. */
type State = { kind: 'list' } | { kind: 'watch'; resourceVersion: string };

/** A watch that tells nothing and ends sooner than this has failed. */
const SHORT_WATCH_MS = 1000;

/** So many failed watches in a row, and what is known may be beyond what the server knows: list again. */
const FAILURES_BEFORE_LIST = 3;

/**
 * Keeps a store like the server's collection: a list, then watches from there on; a list again when the server has forgotten where the
 * watch stood. Never stops on an error. An object deleted while the connection was down, or replaced by another of its name, is noticed.
 */
export class Informer<T extends KubeObject> {
  /** Resolves after the first list, once `onChange` has heard of all of it. Never rejects. */
  readonly synced: Promise<void>;
  readonly #options: InformerOptions<T>;
  readonly #store = new ObjectStore<T>();
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #madeAt: number;
  #state: State = { kind: 'list' };
  /** In a row, until a watch shows that it works. */
  #failures = 0;
  #lastActivity: number | undefined;
  #attemptAt: Record<State['kind'], number> = { list: -Infinity, watch: -Infinity };
  #resolveSynced: () => void = () => undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#now = options.now ?? (() => performance.now());
    this.#madeAt = this.#now();
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  get store(): ReadonlyStore<T> {
    return this.#store;
  }

  /** What is kept, as the path calls it: `secrets`. */
  get resource(): string {
    return this.#options.path.split('/').at(-1) ?? '';
  }

  /** Whether the server has ever told us anything. */
  get hasHeard(): boolean {
    return this.#lastActivity !== undefined;
  }

  /** For how long the server has told us nothing (a bookmark comes about every minute), or since this was made. */
  get silentMs(): number {
    return this.#now() - (this.#lastActivity ?? this.#madeAt);
  }

  /**
   * Takes in the answer to an own write, so that the next look at the store sees it. Ignored if older than what is known, or if the object is
   * known to be gone. The watch's event of the same write then changes nothing.
   */
  upsert(object: T): void {
    this.#tell(this.#store.upsert(this.#keep(object)));
  }

  /** Runs until `signal` is aborted; never rejects. To be called once. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#attemptAt[this.#state.kind] = this.#now();
      try {
        if (this.#state.kind === 'list') await this.#list(signal);
        else await this.#watch(this.#state.resourceVersion, signal);
      } catch (error) {
        if (signal.aborted) return;
        await sleep(this.#fail(error), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, path, query, metadataOnly = false, pageSize = 500 } = this.#options;
    this.#store.beginList();
    const options = { ...query, metadataOnly, limit: pageSize, signal };
    const { items, resourceVersion } = await listAll<T>(client, path, options, this.#keep);
    this.#lastActivity = this.#now();
    const changes = this.#store.replace(items, resourceVersion);
    this.#state = { kind: 'watch', resourceVersion };
    this.#tell(changes);
    this.#resolveSynced();
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, path, query, metadataOnly = false, watchMs = 300_000, inactivityMs = 70_000 } = this.#options;
    const startedAt = this.#now();
    const timeoutSeconds = Math.ceil((watchMs / 1000) * (1 + this.#random()));
    const events = client.watch<T>(
      path,
      { ...query, resourceVersion, allowWatchBookmarks: true, timeoutSeconds },
      { signal, metadataOnly, inactivityMs, onOpen: this.#hear },
    );
    let heard = false;
    for await (const event of events) {
      this.#take(event);
      heard = true;
      this.#failures = 0;
    }
    if (!heard && this.#now() - startedAt < SHORT_WATCH_MS)
      throw new KubeError(`WATCH ${path}: closed as soon as it was open`, { kind: 'Unavailable' });
    this.#failures = 0;
  }

  readonly #hear = (): void => {
    this.#lastActivity = this.#now();
  };

  #take(event: WatchEvent<T>): void {
    this.#hear();
    if (event.type !== 'BOOKMARK' && !isKubeObject(event.object))
      throw new KubeError(`WATCH ${this.#options.path}: an event of what is no object`, { kind: 'Other' });
    const { resourceVersion } = event.object.metadata;
    // A watch only goes forward, unless the server's data was restored from a backup.
    if (this.#state.kind === 'watch' && isBehind(resourceVersion, this.#state.resourceVersion))
      throw new KubeError(`WATCH ${this.#options.path}: went back in time`, { kind: 'Gone' });
    this.#state = { kind: 'watch', resourceVersion };
    if (event.type === 'BOOKMARK') return;
    const object = this.#keep(event.object);
    this.#tell(event.type === 'DELETED' ? this.#store.drop(object) : this.#store.put(object));
  }

  /** Decides what comes after a failure and answers how long to wait before, in milliseconds. */
  #fail(error: unknown): number {
    const { path, log } = this.#options;
    const { baseMs, maxMs } = this.#options.backOff ?? { baseMs: 800, maxMs: 30_000 };
    const state = this.#state.kind;
    const gone = state === 'watch' && isKubeError(error, 'Gone');
    this.#failures += 1;
    // A watch that has expired shows a server that works: only the last list can have been too short a time ago.
    const sinceMs = this.#now() - this.#attemptAt[gone ? 'list' : state];
    const boundMs = Math.min(maxMs, baseMs * 2 ** (this.#failures - 1));
    const jitter = (1 + this.#random()) / 2;
    const ownMs = Math.max(boundMs * jitter - sinceMs, baseMs * jitter);
    const waitMs = Math.max(ownMs, isKubeError(error) ? (error.retryAfterMs ?? 0) : 0);
    const fields = { path, state, err: error, failures: this.#failures, waitMs: Math.round(waitMs) };
    if (gone) log.info(fields, 'watch expired, listing again');
    else if (this.#failures === 1) log.info(fields, 'list or watch interrupted');
    else log.warn(fields, 'list or watch failed again');
    const unreachable = isKubeError(error, 'Unavailable', 'TooManyRequests');
    if (gone || (!unreachable && this.#failures >= FAILURES_BEFORE_LIST)) this.#state = { kind: 'list' };
    return waitMs;
  }

  readonly #keep = (object: T): T => this.#options.transform?.(object) ?? object;

  #tell(changes: Change<T>[]): void {
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
