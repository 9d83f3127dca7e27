import type { AuditLogForwarding } from '../../src/api/v1alpha1.ts';
import type { Cluster, KubernetesEvent } from '../../src/forwarding/ports.ts';
import { KubeError, type KubeErrorFacts } from '../../src/kube/errors.ts';
import { hiddenPortal } from '../../src/resources/portal-resource.ts';
import { isObservation, withoutDeliveryTimes } from '../support/observation.ts';
import type { Call, Fault } from './faults.ts';
import type { Kubernetes } from './kubernetes.ts';
import { isVerification } from './search-jobs.ts';

export interface ClusterOptions {
  readonly kubernetes: Kubernetes;
  /** Executes a call, and applies a fault to it. */
  readonly call: <T>(call: Call, action: () => T) => Promise<T>;
  readonly recordEvent: (event: KubernetesEvent & { readonly of: string }) => void;
}

/** Returns Kubernetes as the operator calls it. */
export function clusterOf({ kubernetes, ...options }: ClusterOptions): Cluster {
  const call = <T>(what: string, kind: 'read' | 'write', action: () => T, hasOnlyTime = false): Promise<T> =>
    options.call(
      {
        system: 'kubernetes',
        what,
        kind,
        isObservation: hasOnlyTime,
        touchesDestinations: false,
        creates: false,
        hasBody: true,
      },
      action,
    );
  const nameOf = ({ metadata }: AuditLogForwarding) => `${metadata.namespace}/${metadata.name}`;
  return {
    readSecret: (namespace, name) =>
      call(`read Secret ${name}`, 'read', () => kubernetes.readSecret(`${namespace}/${name}`)),
    readPortal: (namespace, name) =>
      call(`read Portal ${name}`, 'read', () => kubernetes.readPortal(`${namespace}/${name}`)).catch(hiddenPortal),
    readAuthConfiguration: (namespace, name) =>
      call(`read KonnectAPIAuthConfiguration ${name}`, 'read', () =>
        kubernetes.readAuthConfiguration(`${namespace}/${name}`),
      ),
    addFinalizer: (one) => call(`add finalizer ${nameOf(one)}`, 'write', () => kubernetes.addFinalizer(one)),
    removeFinalizer: (one) => call(`remove finalizer ${nameOf(one)}`, 'write', () => kubernetes.removeFinalizer(one)),
    writeStatus: (one, status) =>
      call(
        `write status ${nameOf(one)}`,
        'write',
        () => kubernetes.writeStatus(one, status),
        isObservation(withoutDeliveryTimes(one.status), withoutDeliveryTimes(status)) ||
          isVerification(one.status, status),
      ),
    recordEvent: (one, announcement) => {
      options.recordEvent({ ...announcement, of: nameOf(one) });
    },
  };
}

const kubeErrors: Partial<Record<Fault, KubeErrorFacts>> = {
  'http-409': { kind: 'Conflict', status: 409 },
  'http-429': { kind: 'TooManyRequests', status: 429, retryAfterMs: 1_000 },
  timeout: { kind: 'Timeout' },
};

/** Returns the error that the operator gets of Kubernetes for a fault. */
export function kubeError(fault: Fault): KubeError {
  return new KubeError(fault, kubeErrors[fault] ?? { kind: 'Unavailable' });
}
