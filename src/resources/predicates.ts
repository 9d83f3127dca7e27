/** Which changes of a forwarding need a reconciliation, and how urgent it is. */
import { type AuditLogForwarding, reconcileRequestOf } from '../api/v1alpha1.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Priority } from '../runtime/priority.ts';
import { parseForwarding } from './forwarding-resource.ts';

/**
 * Returns whether an update needs a reconciliation. The operator's own writes of status and finalizers need none. A status that another client has
 * emptied needs one, because the operator has to observe everything again.
 */
export function shouldReconcile(before: KubeObject, after: KubeObject): boolean {
  const a = before.metadata;
  const b = after.metadata;
  return (
    a.uid !== b.uid ||
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    reconcileRequestOf(a.annotations) !== reconcileRequestOf(b.annotations) ||
    (hasConditions(before) && !hasConditions(after))
  );
}

/** Returns `resync` for a forwarding whose present generation was reconciled before, `new` for every other one. */
export function priorityOf(object: KubeObject): Priority {
  const parsed = parseForwarding(object);
  return parsed.kind === 'forwarding' && isObserved(parsed.forwarding) ? 'resync' : 'new';
}

function isObserved({ metadata, status }: AuditLogForwarding): boolean {
  return metadata.deletionTimestamp === undefined && status.observedGeneration === metadata.generation;
}

function hasConditions(object: KubeObject): boolean {
  const status = 'status' in object ? object.status : undefined;
  return typeof status === 'object' && status !== null && 'conditions' in status;
}
