import type { JsonPatchOperation } from './json-patch.ts';
import { guardOf } from './object-patch.ts';
import type { KubeObject } from './objects.ts';

/** Puts `status` in place of the whole status, for the `/status` subresource; 409 Conflict if the object has changed since it was read. */
export function statusPatch(object: KubeObject, status: object): JsonPatchOperation[] {
  return [...guardOf(object), { op: 'add', path: '/status', value: status }];
}
