import { isLater, type KubeObject, keyOf } from './objects.ts';

/** Where a change was learned from. */
export type Source = 'list' | 'watch' | 'upsert';

/** `deleted` holds the last state known. */
export type Change<T> =
  | { kind: 'added'; key: string; object: T; source: Source }
  | { kind: 'updated'; key: string; object: T; previous: T; source: Source }
  | { kind: 'deleted'; key: string; object: T; source: Source };

/** Objects by `namespace/name`. They are shared: never change one. */
export interface ReadonlyStore<T> {
  readonly size: number;
  get(key: string): T | undefined;
  list(): T[];
}

/** Several stores (of one namespace each, say) seen as one. */
export function joinStores<T>(stores: readonly ReadonlyStore<T>[]): ReadonlyStore<T> {
  return {
    get size() {
      return stores.reduce((sum, { size }) => sum + size, 0);
    },
    get(key) {
      for (const store of stores) {
        const object = store.get(key);
        if (object !== undefined) return object;
      }
      return undefined;
    },
    list: () => stores.flatMap((store) => store.list()),
  };
}

/** As many deleted objects are remembered as can have an answer under way. */
const MAX_BURIED = 1000;

/**
 * What is known of one resource, from lists, watches and the answers to own writes, whatever order they come in: an object never goes back to
 * an older state except by a list, and never comes back from the dead except by a list, or by a watch that tells of a later time than that of
 * its death. Each method answers the changes it made.
 */
export class ObjectStore<T extends KubeObject> implements ReadonlyStore<T> {
  #objects = new Map<string, T>();
  /** Uids of deleted objects, the latest last, each with the resourceVersion of its end. */
  readonly #buried = new Map<string, string>();
  /** Keys written by ourselves since the list under way was begun. */
  readonly #written = new Set<string>();

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** An ADDED or MODIFIED event. Another uid under a known key is a deletion that was missed. */
  put(object: T, source: Source = 'watch'): Change<T>[] {
    const key = keyOf(object);
    const { uid, resourceVersion } = object.metadata;
    const known = this.#objects.get(key);
    const latest = known?.metadata.resourceVersion ?? this.#buried.get(uid);
    if (latest !== undefined && !isLater(resourceVersion, latest)) return [];
    this.#buried.delete(uid);
    this.#objects.set(key, object);
    if (known === undefined) return [{ kind: 'added', key, object, source }];
    if (known.metadata.uid === uid) return [{ kind: 'updated', key, object, previous: known, source }];
    this.#bury(known, resourceVersion);
    return [
      { kind: 'deleted', key, object: known, source },
      { kind: 'added', key, object, source },
    ];
  }

  /** A DELETED event; `object` is the last state. */
  drop(object: T, source: Source = 'watch'): Change<T>[] {
    const key = keyOf(object);
    const { resourceVersion } = object.metadata;
    this.#bury(object, resourceVersion);
    const known = this.#objects.get(key);
    if (known === undefined) return [];
    const same = known.metadata.uid === object.metadata.uid;
    if (!same && !isLater(resourceVersion, known.metadata.resourceVersion)) return [];
    this.#bury(known, resourceVersion);
    this.#objects.delete(key);
    return [{ kind: 'deleted', key, object: same ? object : known, source }];
  }

  /** The answer to an own write. One that shows an object marked as deleted and without finalizers shows its end. */
  upsert(object: T): Change<T>[] {
    const { uid, deletionTimestamp, finalizers = [] } = object.metadata;
    if (this.#buried.has(uid)) return [];
    this.#written.add(keyOf(object));
    return deletionTimestamp !== undefined && finalizers.length === 0
      ? this.drop(object, 'upsert')
      : this.put(object, 'upsert');
  }

  /** To be called before a list is asked for: what is upserted from now on may be newer than that list. */
  beginList(): void {
    this.#written.clear();
  }

  /** Swaps everything for a list. Deletions come first among the changes; objects in the state that was known are no change. */
  replace(items: readonly T[], resourceVersion: string): Change<T>[] {
    const before = this.#objects;
    const after = new Map(items.map((item) => [keyOf(item), item]));
    for (const key of this.#written) {
      const own = before.get(key);
      const listed = after.get(key);
      if (own !== undefined && isLater(own.metadata.resourceVersion, resourceVersion)) after.set(key, own);
      else if (own === undefined && listed !== undefined && this.#buried.has(listed.metadata.uid)) after.delete(key);
    }
    this.#written.clear();
    this.#objects = after;
    for (const { metadata } of after.values()) this.#buried.delete(metadata.uid);
    const gone: Change<T>[] = [];
    const here: Change<T>[] = [];
    for (const [key, object] of before) {
      if (after.get(key)?.metadata.uid === object.metadata.uid) continue;
      this.#bury(object, resourceVersion);
      gone.push({ kind: 'deleted', key, object, source: 'list' });
    }
    for (const [key, object] of after) {
      const previous = before.get(key);
      if (previous?.metadata.uid !== object.metadata.uid) here.push({ kind: 'added', key, object, source: 'list' });
      else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion)
        here.push({ kind: 'updated', key, object, previous, source: 'list' });
    }
    return [...gone, ...here];
  }

  #bury({ metadata: { uid } }: T, resourceVersion: string): void {
    this.#buried.delete(uid);
    this.#buried.set(uid, resourceVersion);
    for (const oldest of this.#buried.keys()) {
      if (this.#buried.size <= MAX_BURIED) break;
      this.#buried.delete(oldest);
    }
  }
}
