/** What the kinds of kong-operator have in common: the path of their API, and what a failed read says. */
import { isKubeError } from '../kube/errors.ts';
import { collectionPath } from '../kube/objects.ts';

/** Returns the path of the objects of one kind: of all, or of those in one namespace. */
export function kongOperatorPath(plural: string, namespace?: string): string {
  return collectionPath('/apis/konnect.konghq.com/v1alpha1', plural, namespace);
}

/** Returns what a failed read says about the object. Throws `error` if the object did not cause it. */
export function hiddenObject(error: unknown): { readonly kind: 'absent' | 'unserved' | 'forbidden' } {
  // If the API server serves the kind, a 404 has a Status as its body. Otherwise its body is plain text.
  if (isKubeError(error, 'NotFound')) return { kind: error.reason === 'NotFound' ? 'absent' : 'unserved' };
  if (isKubeError(error, 'Forbidden')) return { kind: 'forbidden' };
  throw error;
}
