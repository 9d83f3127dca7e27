import { collectionPath, type KubeObject } from '../kube/objects.ts';

/** Returns the path of the Secrets: of all, or of those in one namespace. */
export function secretsPath(namespace?: string): string {
  return collectionPath('/api/v1', 'secrets', namespace);
}

/** Returns a Secret with only its identity. Even its metadata may contain the data, in the last-applied annotation. */
export function secretToKeep({ metadata: { namespace, name, uid, resourceVersion } }: KubeObject): KubeObject {
  return { metadata: { ...(namespace === undefined ? {} : { namespace }), name, uid, resourceVersion } };
}
