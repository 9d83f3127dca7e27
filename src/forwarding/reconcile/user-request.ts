/** A reconciliation that a user has requested with the annotation. */
import { reconcileRequestOf } from '../../api/v1alpha1.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import type { ProcessMemory } from './process-memory.ts';

export interface UserRequest {
  /** True if the annotation has a value that no reconciliation has answered yet. */
  readonly isRequested: boolean;
  /** Records the answer. Called only at the end, so that a reconciliation which was aborted or met a conflict runs again as requested. */
  readonly answer: () => void;
  /** Leaves the request open: in an outage the operator does not see what Konnect has. */
  readonly keepOpen: () => void;
}

/** Returns the request for a reconciliation of `key`. After a new one, the operator corrects every object again. */
export function userRequestOf(memory: ProcessMemory, key: string, status: StatusWriter): UserRequest {
  const request = reconcileRequestOf(status.forwarding.metadata.annotations);
  const isRequested = request !== undefined && request !== status.recorded.lastHandledReconcileAt;
  if (isRequested && !memory.isOpenRequest(key, request)) status.recorded = withoutAnyCorrections(status.recorded);
  return {
    isRequested,
    answer() {
      memory.keepOpenRequest(key, undefined);
      if (isRequested) status.recorded = { ...status.recorded, lastHandledReconcileAt: request };
    },
    keepOpen: () => memory.keepOpenRequest(key, isRequested ? request : undefined),
  };
}
