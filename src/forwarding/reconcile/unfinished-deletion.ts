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
import type { ReconcileProcess, ReconcilerOptions } from './reconcile-process.ts';
import { undo } from './undo.ts';

const maxCleanUpMs = 3_600_000;

/**
 * Returns true if a forwarding that the watch no longer shows belongs to another operator now, for certain. The API server removes no object that has a
 * finalizer and is not being deleted, so the labels of this one have changed.
 */
export function hasMoved(
  { isElsewhere }: ReconcilerOptions,
  { metadata }: AuditLogForwarding,
  isSeen: boolean,
): boolean {
  const isKept = metadata.deletionTimestamp === undefined && metadata.finalizers.includes(finalizer);
  return isElsewhere !== undefined && isSeen && isKept;
}

/**
 * Remembers a deleted forwarding if Konnect may still hold something of it. `isSeen`: the API server has reported the deletion. A list
 * that lacks the forwarding is no proof: it can be one of a restored or damaged cluster. If other operators watch other labels, a reconciliation
 * first asks whether the forwarding still exists.
 */
export function recordDeletion(process: ReconcileProcess, forwarding: AuditLogForwarding, isSeen: boolean): void {
  const { options, memory } = process;
  if (memory.released.delete(forwarding.metadata.uid) || !ownsAnything(forwarding.status)) return;
  if (options.isElsewhere === undefined) remember(process, forwarding, isSeen);
  else memory.vanished.set(nameOf(forwarding), { forwarding, isSeen });
}

async function confirmDeletion(process: ReconcileProcess, key: string, signal: AbortSignal): Promise<void> {
  const { options, memory } = process;
  const vanished = memory.vanished.get(key);
  if (vanished === undefined) return;
  const isElsewhere = await options.isElsewhere?.(vanished.forwarding, signal);
  memory.vanished.delete(key);
  if (isElsewhere !== true) remember(process, vanished.forwarding, vanished.isSeen);
}

function remember(
  { options: { cluster, now }, memory }: ReconcileProcess,
  forwarding: AuditLogForwarding,
  isSeen: boolean,
): void {
  const { metadata } = forwarding;
  const status = { forwarding };
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
  await confirmDeletion(process, key, signal);
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
