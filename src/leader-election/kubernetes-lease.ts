import { isKubeError } from '../kube/errors.ts';
import { microTime } from '../kube/event-body.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/objects.ts';

/** A Lease of coordination.k8s.io/v1, as Kubernetes shows it: anything but `metadata` may be missing. */
interface LeaseObject extends KubeObject {
  spec?: {
    holderIdentity?: string | null;
    leaseDurationSeconds?: number | null;
    acquireTime?: string | null;
    renewTime?: string | null;
    leaseTransitions?: number | null;
  };
}

/** What a Lease says; missing words and times are empty, missing numbers 0. */
export interface LeaseFacts {
  readonly holder: string;
  readonly durationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly transitions: number;
  readonly version: { readonly uid: string; readonly resourceVersion: string };
}

/** What is written into one; times in milliseconds since 1970. */
export interface NewLeaseFacts {
  readonly holder: string;
  readonly durationSeconds: number;
  readonly acquireTimeMs: number;
  readonly renewTimeMs: number;
  readonly transitions: number;
}

export interface Leases {
  /** Undefined where there is none. */
  get(signal: AbortSignal): Promise<LeaseFacts | undefined>;
  /** Conflict where there is one. */
  create(facts: NewLeaseFacts, signal: AbortSignal): Promise<LeaseFacts>;
  /** Conflict where the Lease has changed since it was read; NotFound where it is gone. What else it holds stays. */
  update(known: LeaseFacts, facts: NewLeaseFacts, signal: AbortSignal): Promise<LeaseFacts>;
}

/** One Lease. Everything rejects with a KubeError, or with the reason of an aborted signal. */
export function leaseIn(
  client: Pick<KubeClient, 'get' | 'create' | 'patch'>,
  { namespace, name }: { namespace: string; name: string },
): Leases {
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  return {
    async get(signal) {
      try {
        return factsOf(await client.get<LeaseObject>(`${collection}/${name}`, { signal }));
      } catch (error) {
        if (isKubeError(error, 'NotFound')) return undefined;
        throw error;
      }
    },
    async create(facts, signal) {
      const body = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace },
        spec: specOf(facts),
      };
      return factsOf(await client.create<LeaseObject>(collection, body, { signal }));
    },
    async update({ version }, facts, signal) {
      const body = { metadata: version, spec: specOf(facts) };
      return factsOf(await client.patch<LeaseObject>(`${collection}/${name}`, { kind: 'merge', body }, { signal }));
    },
  };
}

function specOf({ holder, durationSeconds, acquireTimeMs, renewTimeMs, transitions }: NewLeaseFacts) {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: durationSeconds,
    acquireTime: microTime(acquireTimeMs),
    renewTime: microTime(renewTimeMs),
    leaseTransitions: transitions,
  };
}

function factsOf({ metadata: { uid, resourceVersion }, spec = {} }: LeaseObject): LeaseFacts {
  return {
    holder: spec.holderIdentity ?? '',
    durationSeconds: spec.leaseDurationSeconds ?? 0,
    acquireTime: spec.acquireTime ?? '',
    renewTime: spec.renewTime ?? '',
    transitions: spec.leaseTransitions ?? 0,
    version: { uid, resourceVersion },
  };
}
