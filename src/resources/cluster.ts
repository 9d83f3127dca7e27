import {
  type AuditLogForwarding,
  AuditLogForwarding as AuditLogForwardingSchema,
  apiVersion,
  finalizer,
  kind,
} from '../api/v1alpha1.ts';
import type {
  AuthConfiguration,
  Cluster,
  ClusterReads,
  KubernetesEvent,
  PortalObject,
  Secret,
} from '../forwarding/ports.ts';
import { isKubeError } from '../kube/errors.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { addFinalizer, type JsonPatchOperation, removeFinalizer, statusPatch } from '../kube/object-patch.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Log } from '../runtime/log.ts';
import { authConfigurationsPath, parseAuthConfiguration } from './auth-configuration-resource.ts';
import { forwardingsPath } from './forwarding-resource.ts';
import { hiddenObject } from './kong-operator-resource.ts';
import { hiddenPortal, parsePortal, portalPath } from './portal-resource.ts';
import { secretsPath } from './secret-resource.ts';

export interface ClusterOptions {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly log: Log;
  /** Called with the answer to each own write of a forwarding. */
  readonly onWritten: (object: KubeObject) => void;
  /** Called with each event, for metrics. */
  readonly onEvent: (forwarding: AuditLogForwarding, event: KubernetesEvent) => void;
}

/** Returns how the domain reads what forwardings name. */
export function clusterReads(client: Pick<KubeClient, 'get'>): ClusterReads {
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
        return parsePortal(await client.get<unknown>(portalPath(namespace, name), { signal }));
      } catch (error) {
        return hiddenPortal(error);
      }
    },

    async readAuthConfiguration(namespace, name, signal): Promise<AuthConfiguration> {
      try {
        const where = `${authConfigurationsPath(namespace)}/${name}`;
        return parseAuthConfiguration(await client.get<unknown>(where, { signal }));
      } catch (error) {
        return hiddenObject(error);
      }
    },
  };
}

/** Returns Kubernetes as the domain needs it, over the caches and the raw client. */
export function createCluster({ client, recorder, log, onWritten, onEvent }: ClusterOptions): Cluster {
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
    ...clusterReads(client),

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

    recordEvent(forwarding, event) {
      const { namespace, name, uid } = forwarding.metadata;
      onEvent(forwarding, event);
      log[event.type === 'Normal' ? 'info' : 'warn']({ namespace, name, ...event }, 'event');
      recorder.record({ regarding: { apiVersion, kind, namespace, name, uid }, ...event });
    },
  };
}
