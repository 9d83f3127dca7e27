import {
  type AuditLogForwarding,
  AuditLogForwarding as AuditLogForwardingSchema,
  group,
  plural,
  reconcileAnnotation,
  reconcileRequestOf,
  replayAnnotation,
  replayAnnotationOf,
  version,
} from '../api/v1alpha1.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { collectionPath, type KubeObject } from '../kube/objects.ts';

/** Returns the path of the forwardings: of all, or of those in one namespace. */
export function forwardingsPath(namespace?: string): string {
  return collectionPath(`/apis/${group}/${version}`, plural, namespace);
}

/** Returns whether the API server still has this very forwarding, whatever its labels are. Rejects with a KubeError. */
export async function isThere(
  client: Pick<KubeClient, 'list'>,
  { metadata: { namespace, name, uid } }: AuditLogForwarding,
  signal: AbortSignal,
): Promise<boolean> {
  const options = { fieldSelector: `metadata.name=${name}`, isMetadataOnly: true, signal };
  const { items } = await client.list<KubeObject>(forwardingsPath(namespace), options);
  return items.some(({ metadata }) => metadata.uid === uid);
}

/**
 * Returns a forwarding with only the metadata that the operator reads. The CRD limits the size of spec and status, but nothing limits labels,
 * annotations and managed fields.
 */
export function forwardingToKeep({ metadata, ...rest }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion } = metadata;
  const { generation, creationTimestamp, deletionTimestamp, finalizers } = metadata;
  const reconcile = reconcileRequestOf(metadata.annotations);
  const replay = replayAnnotationOf(metadata.annotations);
  const annotations = {
    ...(reconcile === undefined ? {} : { [reconcileAnnotation]: reconcile }),
    ...(replay === undefined ? {} : { [replayAnnotation]: replay }),
  };
  return {
    ...rest,
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(namespace === undefined ? {} : { namespace }),
      ...(generation === undefined ? {} : { generation }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(reconcile === undefined && replay === undefined ? {} : { annotations }),
    },
  };
}

/** Parses an object of the API server with the operator's own schema. A CRD of another version may accept fields that this operator does not know. */
export function parseForwarding(
  object: unknown,
): { kind: 'forwarding'; forwarding: AuditLogForwarding } | { kind: 'invalid'; fields: string[] } {
  const result = AuditLogForwardingSchema.safeParse(object);
  if (result.success) return { kind: 'forwarding', forwarding: result.data };
  return { kind: 'invalid', fields: result.error.issues.map(({ path }) => path.join('.')) };
}
