import type { JsonPatchOperation } from './json-patch.ts';
import type { KubeObject } from './objects.ts';

/**
 * The start of every patch that was worked out from a state we had read: the API server answers 409 Conflict if the object has changed since,
 * 422 Invalid if it is another one of the same name.
 */
export function guardOf({ metadata: { uid, resourceVersion } }: KubeObject): JsonPatchOperation[] {
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
  ];
}

export function hasFinalizer({ metadata: { finalizers = [] } }: KubeObject, finalizer: string): boolean {
  return finalizers.includes(finalizer);
}

/** Adds `finalizer`; `undefined` if it is there. Note that a deleted object takes no new finalizers (422). */
export function addFinalizer(object: KubeObject, finalizer: string): JsonPatchOperation[] | undefined {
  if (hasFinalizer(object, finalizer)) return undefined;
  const value = [...(object.metadata.finalizers ?? []), finalizer];
  return [...guardOf(object), { op: 'add', path: '/metadata/finalizers', value }];
}

/** Removes `finalizer` and no other; `undefined` if it is not there. */
export function removeFinalizer(object: KubeObject, finalizer: string): JsonPatchOperation[] | undefined {
  if (!hasFinalizer(object, finalizer)) return undefined;
  const value = (object.metadata.finalizers ?? []).filter((other) => other !== finalizer);
  return [...guardOf(object), { op: 'replace', path: '/metadata/finalizers', value }];
}
