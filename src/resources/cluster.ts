/** Kubernetes as the domain asks for it, over the informers' caches and the raw client. */
import * as z from 'zod';
import {
  type AuditLogForwarding,
  AuditLogForwarding as AuditLogForwardingSchema,
  apiVersion,
  finalizer,
  group,
  kind,
  plural,
  reconcileAnnotation,
  reconcileRequestOf,
  uuid,
  version,
} from '../api/v1alpha1.ts';
import type { Cluster, PortalObject, Secret } from '../forwarding/ports.ts';
import { isKubeError } from '../kube/errors.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { addFinalizer, type JsonPatchOperation, removeFinalizer, statusPatch } from '../kube/object-patch.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Log } from '../runtime/log.ts';

export interface ClusterOptions {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly log: Log;
  /** Takes the answer of an own write into the cache, so that the next pass never sees an older state. */
  readonly onWritten: (object: KubeObject) => void;
}

/** Where the forwardings are: all of them, or those of one namespace. */
export function forwardingsPath(namespace?: string): string {
  const where = namespace === undefined ? '' : `/namespaces/${namespace}`;
  return `/apis/${group}/${version}${where}/${plural}`;
}

/** Likewise the Secrets. */
export function secretsPath(namespace?: string): string {
  return namespace === undefined ? '/api/v1/secrets' : `/api/v1/namespaces/${namespace}/secrets`;
}

/**
 * Of a forwarding's metadata what is read here. Labels, annotations and managed fields may be as long as somebody likes, while the CRD bounds
 * spec and status.
 */
export function forwardingToKeep({ metadata, ...rest }: KubeObject): KubeObject {
  const { namespace, name, uid, resourceVersion } = metadata;
  const { generation, creationTimestamp, deletionTimestamp, finalizers } = metadata;
  const demand = reconcileRequestOf(metadata.annotations);
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
      ...(demand === undefined ? {} : { annotations: { [reconcileAnnotation]: demand } }),
    },
  };
}

/** kong-operator's. */
export function portalPath(namespace: string, name: string): string {
  return `/apis/konnect.konghq.com/v1alpha1/namespaces/${namespace}/portals/${name}`;
}

/** Somebody else's object: what is not as expected counts as not there. */
const lowerUUID = z.string().max(36).toLowerCase().regex(new RegExp(uuid)).optional().catch(undefined);
const nothing = { id: undefined, organizationID: undefined, serverURL: undefined };
const serverURL = z.string().max(512).optional().catch(undefined);
const PortalSchema = z
  .object({ status: z.object({ id: lowerUUID, organizationID: lowerUUID, serverURL }) })
  .catch({ status: nothing });

/** What the failed read of a Portal says of it. Throws what is no trouble of the Portal's. */
export function hiddenPortal(error: unknown): PortalObject {
  // Of a kind that it serves the API server says in a Status what it does not find; else it answers 404 with a bare text.
  if (isKubeError(error, 'NotFound')) return { kind: error.reason === 'NotFound' ? 'absent' : 'unserved' };
  if (isKubeError(error, 'Forbidden')) return { kind: 'forbidden' };
  if (!isKubeError(error, 'TooManyRequests', 'Unavailable', 'Timeout', 'Other')) throw error;
  return { kind: 'unreadable', retryAfterMs: error.retryAfterMs };
}

/** What the API server stores, by our own schema. A CRD of another version may let through what this operator does not understand. */
export function parseForwarding(
  object: unknown,
): { kind: 'forwarding'; forwarding: AuditLogForwarding } | { kind: 'invalid'; fields: string[] } {
  const result = AuditLogForwardingSchema.safeParse(object);
  if (result.success) return { kind: 'forwarding', forwarding: result.data };
  return { kind: 'invalid', fields: result.error.issues.map(({ path }) => path.join('.')) };
}

export function createCluster({ client, recorder, log, onWritten }: ClusterOptions): Cluster {
  const path = ({ metadata }: AuditLogForwarding) => `${forwardingsPath(metadata.namespace)}/${metadata.name}`;

  async function patch(
    where: string,
    operations: JsonPatchOperation[],
    signal: AbortSignal,
  ): Promise<AuditLogForwarding> {
    const answer = await client.patch<KubeObject>(where, { kind: 'json', operations }, { signal });
    onWritten(answer);
    return AuditLogForwardingSchema.parse(answer);
  }

  return {
    async readSecret(namespace, name, signal) {
      try {
        const secret = await client.get<{ metadata: KubeObject['metadata']; data?: Secret['data'] }>(
          `${secretsPath(namespace)}/${name}`,
          { signal },
        );
        const { uid, resourceVersion } = secret.metadata;
        return { uid, resourceVersion, data: secret.data ?? {} };
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return 'absent';
        if (isKubeError(error, 'Forbidden')) return 'forbidden';
        throw error;
      }
    },

    async readPortal(namespace, name, signal): Promise<PortalObject> {
      try {
        const portal = PortalSchema.parse(await client.get<unknown>(portalPath(namespace, name), { signal }));
        return { kind: 'portal', ...portal.status };
      } catch (error) {
        return hiddenPortal(error);
      }
    },

    async addFinalizer(forwarding, signal) {
      const operations = addFinalizer(forwarding, finalizer);
      return operations === undefined ? forwarding : patch(path(forwarding), operations, signal);
    },

    async removeFinalizer(forwarding, signal) {
      const operations = removeFinalizer(forwarding, finalizer);
      if (operations !== undefined) await client.patch(path(forwarding), { kind: 'json', operations }, { signal });
    },

    writeStatus: (forwarding, status, signal) =>
      patch(`${path(forwarding)}/status`, statusPatch(forwarding, status), signal),

    recordEvent({ metadata: { namespace, name, uid } }, event) {
      log[event.type === 'Normal' ? 'info' : 'warn']({ namespace, name, ...event }, 'event');
      recorder.record({ regarding: { apiVersion, kind, namespace, name, uid }, ...event });
    },
  };
}
