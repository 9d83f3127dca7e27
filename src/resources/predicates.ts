/** Which changes of a forwarding need a reconciliation, and how urgent it is. */
import { type AuditLogForwarding, finalizer, reconcileRequestOf, replayAnnotationOf } from '../api/v1alpha1.ts';
import { lacksFinalizer } from '../forwarding/reconcile-context.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { Priority } from '../runtime/priority.ts';
import { parseForwarding } from './forwarding-resource.ts';

/**
 * Returns whether an update needs a reconciliation. The operator's own writes of status and finalizers need none. A status that another client has
 * emptied needs one, because the operator has to observe everything again. So does a finalizer that another client has removed.
 */
export function shouldReconcile(before: KubeObject, after: KubeObject): boolean {
  const a = before.metadata;
  const b = after.metadata;
  return (
    a.uid !== b.uid ||
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    isRequested(before, after) ||
    replayAnnotationOf(a.annotations) !== replayAnnotationOf(b.annotations) ||
    (hasFinalizer(before) && !hasFinalizer(after)) ||
    // Usually the first of these is false, and the other one is not parsed.
    (!hasReport(after) && hasReport(before))
  );
}

/** Returns whether the annotation that requests a reconciliation has another value. */
export function isRequested({ metadata: before }: KubeObject, { metadata: after }: KubeObject): boolean {
  return reconcileRequestOf(before.annotations) !== reconcileRequestOf(after.annotations);
}

/**
 * Returns `resync` for a forwarding whose present generation was reconciled before, `new` for every other one, and for one without the
 * finalizer that it needs.
 */
export function priorityOf(object: KubeObject): Priority {
  const parsed = parseForwarding(object);
  return parsed.kind === 'forwarding' && isObserved(parsed.forwarding) ? 'resync' : 'new';
}

function isObserved(forwarding: AuditLogForwarding): boolean {
  const { metadata, status } = forwarding;
  const isCurrent = metadata.deletionTimestamp === undefined && status.observedGeneration === metadata.generation;
  return isCurrent && !lacksFinalizer(forwarding);
}

function hasFinalizer({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(finalizer) === true;
}

/** Returns whether the operator has written conditions. The default condition of the CRD does not count. */
function hasReport(object: KubeObject): boolean {
  const parsed = parseForwarding(object);
  return parsed.kind === 'forwarding' && parsed.forwarding.status.conditions !== undefined;
}
