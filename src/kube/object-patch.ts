import type { KubeObject } from './objects.ts';

/** One operation of RFC 6902, of the kinds that are used here. */
export type JsonPatchOperation =
  | { op: 'test' | 'add' | 'replace'; path: string; value: unknown }
  | { op: 'remove'; path: string };

/**
 * Returns the first operations of every patch. With them the API server answers 409 Conflict if the object has changed since it was read. It answers
 * 422 Invalid if there is another object of the same name.
 */
function guardOf({ metadata: { uid, resourceVersion } }: KubeObject): JsonPatchOperation[] {
  return [
    { op: 'test', path: '/metadata/uid', value: uid },
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
  ];
}

function hasFinalizer({ metadata: { finalizers = [] } }: KubeObject, finalizer: string): boolean {
  return finalizers.includes(finalizer);
}

/** Returns the patch that adds `finalizer`, or undefined if it is there. An object that is being deleted accepts no new finalizer (422). */
export function addFinalizer(object: KubeObject, finalizer: string): JsonPatchOperation[] | undefined {
  if (hasFinalizer(object, finalizer)) return undefined;
  const value = [...(object.metadata.finalizers ?? []), finalizer];
  return [...guardOf(object), { op: 'add', path: '/metadata/finalizers', value }];
}

/** Returns the patch that removes only `finalizer`, or undefined if it is not there. */
export function removeFinalizer(object: KubeObject, finalizer: string): JsonPatchOperation[] | undefined {
  if (!hasFinalizer(object, finalizer)) return undefined;
  const value = (object.metadata.finalizers ?? []).filter((other) => other !== finalizer);
  return [...guardOf(object), { op: 'replace', path: '/metadata/finalizers', value }];
}

/** Returns the patch that replaces the whole status, for the `/status` subresource. */
export function statusPatch(object: KubeObject, status: object): JsonPatchOperation[] {
  return [...guardOf(object), { op: 'add', path: '/status', value: status }];
}
