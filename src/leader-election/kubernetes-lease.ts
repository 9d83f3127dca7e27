import { isKubeError } from '../kube/errors.ts';
import { microTime } from '../kube/event-body.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { LeaseChange, LeaseStore, StoredLease } from './lease.ts';

/** A Lease of coordination.k8s.io/v1 as Kubernetes shows it: everything but `metadata` may be missing. */
interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number | null;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number | null;
  };
}

/** Returns the store of one Lease in Kubernetes. Its methods reject with a KubeError, or with the reason of an aborted signal. */
export function kubernetesLease(
  client: Pick<KubeClient, 'get' | 'create' | 'patch'>,
  { namespace, name }: { namespace: string; name: string },
): LeaseStore {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return {
    async get(signal) {
      try {
        return storedLease(await client.get<LeaseObject>(`${collection}/${name}`, { signal }));
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return undefined;
        throw error;
      }
    },
    async create(change, signal) {
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace },
        spec: specOf(change),
      };
      return storedLease(await client.create<LeaseObject>(collection, body, { signal }));
    },
    async update({ version }, change, signal) {
      const body = { metadata: version, spec: specOf(change) };
      return storedLease(await client.patch<LeaseObject>(`${collection}/${name}`, { kind: 'merge', body }, { signal }));
    },
  };
}

function specOf({ holder, durationSeconds, acquireTimeMs, renewTimeMs, transitions }: LeaseChange) {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: durationSeconds,
    acquireTime: microTime(acquireTimeMs),
    renewTime: microTime(renewTimeMs),
    leaseTransitions: transitions,
  };
}

/** Returns what the Lease says. Missing texts become empty, missing numbers 0. */
function storedLease({ metadata: { uid, resourceVersion }, spec = {} }: LeaseObject): StoredLease {
  return {
    holder: spec.holderIdentity ?? '',
    durationSeconds: spec.leaseDurationSeconds ?? 0,
    acquireTime: spec.acquireTime ?? '',
    renewTime: spec.renewTime ?? '',
    transitions: spec.leaseTransitions ?? 0,
    version: { uid, resourceVersion },
  };
}
