import { isLater, type KubeObject, keyOf } from './objects.ts';

/** Where a change comes from. `upsert` is the answer to an own write. */
export type Source = 'list' | 'watch' | 'upsert';

/** A change of the store. `deleted` has the last known state. */
export type Change<T> =
  | { kind: 'added'; key: string; object: T; source: Source }
  | { kind: 'updated'; key: string; object: T; previous: T; source: Source }
  | { kind: 'deleted'; key: string; object: T; source: Source };

/** Objects by `namespace/name`. They are shared, so no caller may modify one. */
export interface ReadonlyStore<T> {
  readonly size: number;
  get(key: string): T | undefined;
  list(): T[];
}

/** Returns several stores as one, for example the stores of several namespaces. */
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

/** More than the number of deleted objects that can have an answer in flight. */
const maxTombstones = 1000;

/**
 * The known objects of one resource, from lists, watch events and the answers to own writes, in any order. An object returns to an older state only
 * through a list. A deleted object returns only through a list, or a watch event newer than its deletion. Each method returns the changes that it made.
 */
export class ObjectStore<T extends KubeObject> implements ReadonlyStore<T> {
  #objects = new Map<string, T>();
  /** The uids of deleted objects, the latest last, each with the resourceVersion of its deletion. */
  readonly #tombstones = new Map<string, string>();
  /** The keys of own writes since the list in flight began. Undefined if no list is in flight. */
  #written: Set<string> | undefined;

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** Applies an ADDED or MODIFIED event. Another uid under a known key means that the deletion was missed. */
  put(object: T, source: Source = 'watch'): Change<T>[] {
    const key = keyOf(object);
    const { uid, resourceVersion } = object.metadata;
    const known = this.#objects.get(key);
    const latest = known?.metadata.resourceVersion ?? this.#tombstones.get(uid);
    if (latest !== undefined && !isLater(resourceVersion, latest)) return [];
    this.#tombstones.delete(uid);
    this.#objects.set(key, object);
    if (known === undefined) return [{ kind: 'added', key, object, source }];
    if (known.metadata.uid === uid) return [{ kind: 'updated', key, object, previous: known, source }];
    this.#addTombstone(known, resourceVersion);
    return [
      { kind: 'deleted', key, object: known, source },
      { kind: 'added', key, object, source },
    ];
  }

  /** Applies a DELETED event. `object` is the last state. */
  drop(object: T, source: Source = 'watch'): Change<T>[] {
    const key = keyOf(object);
    const { resourceVersion } = object.metadata;
    this.#addTombstone(object, resourceVersion);
    const known = this.#objects.get(key);
    if (known === undefined) return [];
    const isSameObject = known.metadata.uid === object.metadata.uid;
    if (!isSameObject && !isLater(resourceVersion, known.metadata.resourceVersion)) return [];
    this.#addTombstone(known, resourceVersion);
    this.#objects.delete(key);
    return [{ kind: 'deleted', key, object: isSameObject ? object : known, source }];
  }

  /** Applies the answer to an own write. An object with a deletionTimestamp and without finalizers counts as deleted. */
  upsert(object: T): Change<T>[] {
    const { uid, deletionTimestamp, finalizers = [] } = object.metadata;
    if (this.#tombstones.has(uid)) return [];
    this.#written?.add(keyOf(object));
    return deletionTimestamp !== undefined && finalizers.length === 0
      ? this.drop(object, 'upsert')
      : this.put(object, 'upsert');
  }

  /** Must be called before a list is requested: objects that are upserted from now on may be newer than that list. */
  beginList(): void {
    this.#written = new Set();
  }

  /** Replaces everything with a list. Deletions come first among the changes. Objects in their known state are not a change. */
  replace(items: readonly T[], resourceVersion: string): Change<T>[] {
    const before = this.#objects;
    const after = new Map(items.map((item) => [keyOf(item), item]));
    for (const key of this.#written ?? []) {
      const own = before.get(key);
      const listed = after.get(key);
      if (own !== undefined && isLater(own.metadata.resourceVersion, resourceVersion)) after.set(key, own);
      else if (own === undefined && listed !== undefined && this.#tombstones.has(listed.metadata.uid))
        after.delete(key);
    }
    this.#written = undefined;
    this.#objects = after;
    for (const { metadata } of after.values()) this.#tombstones.delete(metadata.uid);
    const deleted: Change<T>[] = [];
    const present: Change<T>[] = [];
    for (const [key, object] of before) {
      if (after.get(key)?.metadata.uid === object.metadata.uid) continue;
      this.#addTombstone(object, resourceVersion);
      deleted.push({ kind: 'deleted', key, object, source: 'list' });
    }
    for (const [key, object] of after) {
      const previous = before.get(key);
      if (previous?.metadata.uid !== object.metadata.uid) present.push({ kind: 'added', key, object, source: 'list' });
      else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion)
        present.push({ kind: 'updated', key, object, previous, source: 'list' });
    }
    return [...deleted, ...present];
  }

  #addTombstone({ metadata: { uid } }: T, resourceVersion: string): void {
    this.#tombstones.delete(uid);
    this.#tombstones.set(uid, resourceVersion);
    for (const oldest of this.#tombstones.keys()) {
      if (this.#tombstones.size <= maxTombstones) break;
      this.#tombstones.delete(oldest);
    }
  }
}
