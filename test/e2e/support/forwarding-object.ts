import type { Condition, Spec, Status } from '../../../src/api/v1alpha1.ts';

/** A forwarding as the API server shows it. */
export interface ForwardingObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: unknown;
  };
  readonly spec: Spec;
  readonly status: Status;
}

/** An Event of events.k8s.io/v1, as far as tests look. */
export interface EventObject {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly type: string;
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  readonly regarding: { readonly name: string; readonly kind: string; readonly uid: string };
  readonly reportingController: string;
  readonly series?: { readonly count: number };
}

export function conditionOf({ status }: Pick<ForwardingObject, 'status'>, type: string): Condition | undefined {
  return status.conditions?.find((one) => one.type === type);
}

/** True where the operator has spoken of the present generation, and says that all is in place. */
export function isReady(object: ForwardingObject): boolean {
  const ready = conditionOf(object, 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === object.metadata.generation;
}

/** True where the operator has spoken of the present generation, and is not ready for this reason. */
export function isUnreadyFor(reason: string): (object: ForwardingObject) => boolean {
  return (object) => {
    const ready = conditionOf(object, 'Ready');
    if (ready === undefined || ready.observedGeneration !== object.metadata.generation) return false;
    return ready.status !== 'True' && ready.reason === reason;
  };
}
