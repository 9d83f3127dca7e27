/** The part of every object's metadata that the operator reads. */
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
    /** Where the next page begins; absent or empty on the last one. */
    continue?: string;
    remainingItemCount?: number;
  };
}

/** What a watch tells. An ERROR event is thrown as a KubeError instead. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  /** Nothing happened up to this resourceVersion; the object holds nothing else. */
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion: string } } };

/** Whether something has what a cache needs of an object: whoever lacks it came from no API server. */
export function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null || !('metadata' in value)) return false;
  const { metadata } = value;
  if (typeof metadata !== 'object' || metadata === null) return false;
  const { name, namespace = '', uid, resourceVersion }: Record<string, unknown> = { ...metadata };
  return (
    typeof namespace === 'string' && [name, uid, resourceVersion].every((one) => typeof one === 'string' && one !== '')
  );
}

/** `namespace/name`, or `name` of an object without a namespace. */
export function keyOf({ metadata: { name, namespace } }: KubeObject): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/**
 * Whether resourceVersion `a` is later than `b`. Kubernetes promises that those of one resource compare as decimal numbers; of any that
 * are not numbers, another one counts as later.
 */
export function isLater(a: string, b: string): boolean {
  if (!/^\d+$/.test(a) || !/^\d+$/.test(b)) return a !== b;
  return BigInt(a) > BigInt(b);
}
