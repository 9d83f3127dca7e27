/** The metadata of an object that the operator reads. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string | undefined;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** One page of a list. */
export interface KubeList<T> {
  items: T[];
  metadata: {
    resourceVersion: string;
    /** The token of the next page. Absent or empty on the last page. */
    continue?: string;
    remainingItemCount?: number;
  };
}

/** An event of a watch. An ERROR event is thrown as a KubeError instead. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** There are no more events up to this resourceVersion. The object has no other field. */
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion: string } } };

/** Returns whether `value` has the fields that a cache needs. Every object of an API server has them. */
export function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return false;
  const { metadata } = value;
  if (typeof metadata !== 'object' || metadata === null) return false;
  const { name, namespace = '', uid, resourceVersion }: Record<string, unknown> = { ...metadata };
  return (
    typeof namespace === 'string' && [name, uid, resourceVersion].every((one) => typeof one === 'string' && one !== '')
  );
}

/** Returns the path of the objects of one kind: of all, or of those in one namespace. `api` is the path of the API, such as `/api/v1`. */
export function collectionPath(api: string, plural: string, namespace?: string): string {
  return namespace === undefined ? `${api}/${plural}` : `${api}/namespaces/${namespace}/${plural}`;
}

/** Returns `namespace/name`, or only `name` for an object without a namespace. */
export function keyOf({ metadata: { name, namespace } }: KubeObject): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/**
 * Returns whether resourceVersion `a` is later than `b`. Kubernetes guarantees that the resourceVersions of one resource compare as decimal numbers. If one
 * of them is not a number, any other resourceVersion counts as later.
 */
export function isLater(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return a !== b;
  return BigInt(a) > BigInt(b);
}
