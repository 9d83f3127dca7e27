/**
 * Cleans up after forwardings that Kubernetes deleted too early: another client had removed the finalizer. What stood in Konnect is known
 * from the last state of the object, until the process ends.
 */
import { type AuditLogForwarding, finalizer } from '../../api/v1alpha1.ts';
import { mergeCauses, worstFirst } from '../../status/problem.ts';
import { mayBeAttached, ownsAnything } from '../../status/recorded-state.ts';
import { StatusWriter, type WriteStatus } from '../../status/status-writer.ts';
import { nameOf } from '../ownership/claims.ts';
import { type Problem, reasons, waiting } from '../problems.ts';
import { recordEvent } from '../reconcile-context.ts';
import { describeRemaining, recordRetained, whyRetained } from './finalize.ts';
import type { ReconcileProcess } from './reconcile-process.ts';
import { undo } from './undo.ts';

const maxCleanUpMs = 3_600_000;

/**
 * Remembers a deleted forwarding if Konnect may still hold something of it. `isSeen`: the API server has reported the deletion. A list
 * that lacks the forwarding is no proof: it can be one of a restored or damaged cluster.
 */
export function recordDeletion(
  { options: { cluster, now }, memory }: ReconcileProcess,
  forwarding: AuditLogForwarding,
  isSeen: boolean,
): void {
  const { metadata } = forwarding;
  const status = { forwarding };
  if (memory.released.delete(metadata.uid) || !ownsAnything(forwarding.status)) return;
  const why = whyRetained(forwarding);
  if (why !== undefined) {
    recordRetained({ cluster, status }, why);
    return;
  }
  const remaining = describeRemaining(forwarding.status);
  if (!isSeen) {
    const note = `the forwarding is missing in a list of the API server, and the operator has not seen its deletion; left in Konnect: ${remaining}. If nothing else needs it, remove it there by hand`;
    recordEvent({ cluster, status }, 'Warning', 'LeftBehind', 'Delete', note);
    return;
  }
  const deletionTimestamp = metadata.deletionTimestamp ?? now().toISOString();
  memory.deleted.set(nameOf(forwarding), { ...forwarding, metadata: { ...metadata, deletionTimestamp } });
  const note = `another client removed the finalizer ${finalizer}, so the forwarding was deleted before the operator had cleaned up; it cleans up now, for an hour at most: ${remaining}`;
  recordEvent({ cluster, status }, 'Warning', 'DeletedWithoutFinalizer', 'Delete', note);
}

/**
 * Cleans up after the deleted forwarding of this key, if there is one. Returns the problem while it has to be tried again. `next`: a new
 * forwarding of the same name, which waits for this.
 */
export async function finishDeletion(
  process: ReconcileProcess,
  key: string,
  next: AuditLogForwarding | undefined,
  signal: AbortSignal,
): Promise<Problem | undefined> {
  const { options, memory } = process;
  const { cluster } = options;
  const found = memory.deleted.get(key);
  if (found === undefined) return undefined;
  const deleted = withoutTaken(found, next);
  memory.keepOnlyOf(key, deleted);
  const status = statusInMemory(process, key, deleted);
  const problems = mergeCauses(worstFirst(await undo(process, key, status, signal)));
  await status.write(deleted.status.conditions ?? [], signal);

  const [first] = problems;
  const isTooLate = memory.timestampAgeMs(key, deleted.metadata.deletionTimestamp ?? '') >= maxCleanUpMs;
  const isHopeless = next !== undefined && first?.severity === 'stalled';
  if (first !== undefined && !isTooLate && !isHopeless) {
    const message = `the operator first cleans up in Konnect after the deleted forwarding of this name: ${first.message}`;
    return { ...first, ...waiting(reasons.detaching, message) };
  }
  memory.deleted.delete(key);
  if (first !== undefined) {
    const note = `the forwarding was deleted without its finalizer; left in Konnect: ${describeRemaining(status.recorded)}. Remove it there by hand; ${problems.map(({ message }) => message).join('; ')}`;
    recordEvent({ cluster, status }, 'Warning', 'LeftBehind', 'Delete', note);
  }
  return undefined;
}

/**
 * Leaves the organization's webhook of v2 out if the new forwarding has taken it: another process can have reconciled it before this one saw
 * the deletion. A webhook of v3 names its destination, so no check of the new forwarding is needed there.
 */
function withoutTaken(deleted: AuditLogForwarding, next: AuditLogForwarding | undefined): AuditLogForwarding {
  const { konnect, organization } = next?.status ?? {};
  const { organization: ours, cleanup, ...status } = deleted.status;
  const isSame =
    konnect?.organizationID === status.konnect?.organizationID && konnect?.region === status.konnect?.region;
  if (!isSame || organization?.api !== 'v2' || !mayBeAttached(organization)) return deleted;
  return {
    ...deleted,
    status: {
      ...status,
      ...(ours === undefined || ours.api === 'v2' ? {} : { organization: ours }),
      ...(cleanup === undefined
        ? {}
        : { cleanup: cleanup.filter(({ kind, api }) => kind !== 'organization' || api !== 'v2') }),
    },
  };
}

/** Returns a writer that keeps the status in memory, since Kubernetes no longer has the forwarding. */
function statusInMemory({ options, memory }: ReconcileProcess, key: string, deleted: AuditLogForwarding): StatusWriter {
  const write: WriteStatus = async (forwarding, status) => {
    const written = { ...forwarding, status };
    memory.deleted.set(key, written);
    return written;
  };
  return new StatusWriter(deleted, write, options.now);
}
