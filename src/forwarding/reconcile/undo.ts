/** Undoes everything that a deleted forwarding set in Konnect. */
import { KonnectError } from '../../konnect/errors.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import { recoverCreation } from '../apply/pending-creation.ts';
import { resolveToken } from '../desired/token.ts';
import { claimsOf } from '../ownership/claims.ts';
import { type Problem, problemOf } from '../problems.ts';
import { finalize, tokenGone } from './finalize.ts';
import { createContext, type ReconcileProcess } from './reconcile-process.ts';
import { organizationChanged, proveOrganization } from './token-organization.ts';

/** Uses the token in the Secret, or the last valid one in memory. Returns the problems; without any, nothing is left in Konnect. */
export async function undo(
  process: ReconcileProcess,
  key: string,
  status: StatusWriter,
  signal: AbortSignal,
): Promise<readonly Problem[]> {
  const { options: shared, memory, locks } = process;
  const { cluster, pendingCreationTimeoutMs } = shared;
  const token = await resolveToken(status.forwarding, cluster, signal);
  const recordedID = status.forwarding.status.konnect?.organizationID;
  const value = token.kind === 'resolved' ? token.value : memory.goodToken(key, recordedID);
  if (value === undefined) return [tokenGone(status.forwarding)];
  const context = createContext(process, key, status, { token: value, wasApplied: false, priority: 'new' }, signal);
  try {
    const proof = await proveOrganization(context);
    if (proof.kind === 'problem') return [proof.problem];
    const { organizationID: provedID } = proof;
    memory.rememberToken(key, provedID, value);
    const organizationID = status.recorded.konnect?.organizationID ?? provedID;
    const konnect = context.konnectIn(organizationID);
    const isReachable = konnect !== undefined;
    const canCleanUp = (status.recorded.cleanup ?? []).some((entry) => entry.organizationID === provedID);
    if (!isReachable && !canCleanUp) return [organizationChanged(context, organizationID, provedID)];
    const claims = claimsOf(status.forwarding, undefined, organizationID);
    const options = { organizationID, pendingCreationTimeoutMs, isReachable };
    const reach = { ...context, konnect: konnect ?? context.konnect };
    return await locks.runExclusive(claims, async () => {
      const { auditLogsAPI } = status.forwarding.spec.konnect;
      const lost = isReachable ? await recoverCreation(reach, auditLogsAPI, pendingCreationTimeoutMs) : undefined;
      return lost === undefined ? finalize(reach, options) : [lost];
    });
  } catch (error) {
    if (!(error instanceof KonnectError) || signal.aborted) throw error;
    return [problemOf(error, "this forwarding's organization", context)];
  }
}
