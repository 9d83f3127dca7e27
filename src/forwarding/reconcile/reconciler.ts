/** Reconciles a forwarding by its key: the entry of the domain. */
import { type AuditLogForwarding, finalizer } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { ReconcileResult } from '../../runtime/reconcile-result.ts';
import type { Report } from '../../status/conditions.ts';
import { ownsAnything } from '../../status/recorded-state.ts';
import { StatusWriter } from '../../status/status-writer.ts';
import { recoverCreation, resolvePendingCreation } from '../apply/pending-creation.ts';
import { type Credentials, resolveCredentials } from '../desired/credentials.ts';
import { resolvePortals } from '../desired/desired-portals.ts';
import { desiredState, destinationName } from '../desired/desired-state.ts';
import { resolveToken, tokenPlace } from '../desired/token.ts';
import { claimsOf, nameOf } from '../ownership/claims.ts';
import { KeyedLock } from '../ownership/keyed-lock.ts';
import { ownershipOf } from '../ownership/ownership.ts';
import { problemOf } from '../problems.ts';
import { type ReconcileContext, restoreFinalizer } from '../reconcile-context.ts';
import {
  type Conclusion,
  conclude,
  graceMsOf,
  intervalMs,
  isApplied,
  isPending,
  isRefused,
  isUnavailable,
  nextAfter,
  readyOf,
  suspend,
} from './conclude.ts';
import { enforce } from './enforce.ts';
import { deletionReport, isStatusLost, recordRetained, recordStatusLost, whyRetained } from './finalize.ts';
import { problemReport, secretsReport } from './health-report.ts';
import { observeOnly } from './observe-only.ts';
import { ProcessMemory } from './process-memory.ts';
import {
  contendersOf,
  createContext,
  endWaits,
  type ReconcileProcess,
  type ReconcilerOptions,
  sharedLists,
} from './reconcile-process.ts';
import { replayRequestOf } from './replay-request.ts';
import { organizationChanged, proveOrganization } from './token-organization.ts';
import { undo } from './undo.ts';
import { finishDeletion, hasMoved, recordDeletion } from './unfinished-deletion.ts';
import { userRequestOf } from './user-request.ts';

/** Reconciles one key: finds the forwarding, then deletes, skips, enforces or observes, and reports the outcome. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memory: ProcessMemory;
  readonly #process: ReconcileProcess;
  /** By key, what aborts a reconciliation whose forwarding another operator has taken over. */
  readonly #inWork = new Map<string, AbortController>();

  constructor(options: ReconcilerOptions) {
    const { now } = options;
    this.#options = options;
    this.#memory = new ProcessMemory(options.nowMs ?? (() => now().getTime()));
    this.#process = { options, memory: this.#memory, locks: new KeyedLock() };
  }

  /** Reconciles once. Every other problem goes to status. Rejects with KubeError, or with the reason of `signal`. */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const moved = new AbortController();
    this.#inWork.set(key, moved);
    try {
      return await this.#reconcile(key, AbortSignal.any([signal, moved.signal]));
    } catch (error) {
      // What this reconciliation has seen may not stand in status.
      this.#memory.looks.forget(key);
      signal.throwIfAborted();
      if (moved.signal.aborted) return { kind: 'done' };
      throw error;
    } finally {
      this.#inWork.delete(key);
    }
  }

  /**
   * Has to be called when the cache no longer shows a forwarding, before its key is reconciled again. `isSeen`: the API server has reported
   * that, and a list does not only lack the forwarding.
   */
  onDeleted(forwarding: AuditLogForwarding, isSeen: boolean): void {
    if (hasMoved(this.#options, forwarding, isSeen)) this.#inWork.get(nameOf(forwarding))?.abort();
    else recordDeletion(this.#process, forwarding, isSeen);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { cluster, find, now } = this.#options;
    const forwarding = find(key);
    const unfinished = await finishDeletion(this.#process, key, forwarding, signal);
    const isKnown = unfinished !== undefined || this.#memory.keepOnlyOf(key, forwarding);
    const retry = { kind: 'retry', minDelayMs: unfinished?.retryAfterMs ?? 0 } as const;
    if (forwarding === undefined) return unfinished === undefined ? { kind: 'done' } : retry;
    const status = new StatusWriter(forwarding, (one, next, until) => cluster.writeStatus(one, next, until), now);
    const to = { cluster, status, before: forwarding.status.conditions ?? [], startedAt: now(), signal };
    if (unfinished !== undefined) {
      await conclude(to, problemReport(unfinished), 'none');
      return retry;
    }
    if (forwarding.metadata.deletionTimestamp !== undefined) {
      return forwarding.metadata.finalizers.includes(finalizer) ? this.#delete(key, to) : { kind: 'done' };
    }
    return this.#reconcileLive(key, to, isKnown);
  }

  async #reconcileLive(key: string, to: Conclusion, isKnown: boolean): Promise<ReconcileResult> {
    const { cluster } = this.#options;
    const { status, before, signal } = to;
    await restoreFinalizer(to);
    const { forwarding } = status;
    const replayRequest = replayRequestOf(to, this.#options.now());
    const request = userRequestOf(this.#memory, key, status);
    if (forwarding.spec.suspend) {
      request.answer();
      this.#memory.refused.remove(key);
      return suspend(to);
    }
    const [token, credentials] = await Promise.all([
      resolveToken(forwarding, cluster, signal),
      resolveCredentials(forwarding, cluster, signal),
    ]);
    if (token.kind === 'problem' || credentials.kind === 'problem') {
      request.answer();
      const missing = [token, credentials].flatMap((one) => (one.kind === 'problem' ? [one.problem] : []));
      return this.#conclude(key, to, secretsReport(missing));
    }
    const wasApplied = isApplied(forwarding, credentials.value?.secretVersion);
    const { isRequested } = request;
    const priority = wasApplied && !isRequested && !isPending(before) ? 'resync' : 'new';
    const isAfterRestart = !isKnown && priority === 'resync';
    const isUrgent = isRequested || replayRequest !== undefined;
    const areLooksDue = !isAfterRestart && this.#memory.looks.areDue(key, intervalMs(forwarding));
    const looks = { areLooksDue: isUrgent || areLooksDue } as const;
    const use = { token: token.value, wasApplied, ...looks, isRequested, replayRequest, priority } as const;
    const context = createContext(this.#process, key, status, use, signal);
    const report = await this.#proveAndReconcile(key, context, token.value, credentials.value);
    if (isUnavailable(report)) request.keepOpen();
    else request.answer();
    return this.#conclude(key, to, report, { wasApplied, isAfterRestart });
  }

  /** Finds out the organization of the token, and reconciles there. */
  async #proveAndReconcile(
    key: string,
    context: ReconcileContext,
    token: string,
    credentials: Credentials | undefined,
  ): Promise<Report> {
    try {
      const proof = await proveOrganization(context);
      if (proof.kind === 'problem') return secretsReport([proof.problem]);
      const { organizationID } = proof;
      this.#memory.rememberToken(key, organizationID, token);
      const unresolved = await this.#resolveCreation(context, organizationID);
      return unresolved ?? (await this.#enforceOrObserve(key, context, credentials, organizationID));
    } catch (error) {
      if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
      const problem = problemOf(error, "this forwarding's organization", context);
      return problem.severity === 'stalled' ? secretsReport([problem]) : problemReport(problem);
    }
  }

  async #enforceOrObserve(
    key: string,
    context: ReconcileContext,
    credentials: Credentials | undefined,
    organizationID: string,
  ): Promise<Report> {
    const { clusterName, pendingCreationTimeoutMs } = this.#options;
    const { forwarding, recorded } = context.status;
    const wanted = await resolvePortals(forwarding, { ...context, recorded, organizationID });
    const desired = desiredState(forwarding, credentials, clusterName, wanted);
    const claims = claimsOf(forwarding, destinationName(forwarding, clusterName), organizationID, wanted.portals);
    return this.#process.locks.runExclusive(claims, async () => {
      const ownership = ownershipOf({
        self: forwarding,
        organizationID,
        all: contendersOf(this.#process, key, claims),
        destinationName: (other) => destinationName(other, clusterName),
      });
      const lists = sharedLists(this.#options, key, context);
      const modeOptions = { organizationID, lists, pendingCreationTimeoutMs, ownership };
      return forwarding.spec.mode === 'Observe'
        ? observeOnly(context, desired, modeOptions)
        : enforce(context, desired, modeOptions);
    });
  }

  /** Finds what an unconfirmed creation made, and ends one in an organization that the forwarding leaves. Returns a report until that is done. */
  async #resolveCreation(context: ReconcileContext, organizationID: string): Promise<Report | undefined> {
    const { recorded, forwarding } = context.status;
    const formerID = recorded.konnect?.organizationID ?? organizationID;
    const isElsewhere = formerID !== organizationID;
    if (recorded.destination?.creating === undefined) return undefined;
    const { konnect: where, mode } = forwarding.spec;
    if (mode === 'Observe')
      return isElsewhere ? secretsReport([organizationChanged(context, formerID, organizationID)]) : undefined;
    const konnect = isElsewhere ? context.konnectIn(formerID) : context.konnect;
    if (konnect === undefined) return secretsReport([organizationChanged(context, formerID, organizationID)]);
    const { pendingCreationTimeoutMs } = this.#options;
    const there = { ...context, konnect };
    const lost = await recoverCreation(there, where.auditLogsAPI, pendingCreationTimeoutMs);
    if (lost !== undefined) return problemReport(lost);
    if (!isElsewhere) return undefined;
    const problem = await resolvePendingCreation(there, where.auditLogsAPI, pendingCreationTimeoutMs);
    return problem === undefined ? undefined : problemReport(problem);
  }

  async #delete(key: string, to: Conclusion): Promise<ReconcileResult> {
    const { status, signal } = to;
    const why = whyRetained(status.forwarding);
    if (why !== undefined) recordRetained(to, why);
    else {
      if (isStatusLost(status)) recordStatusLost(to, destinationName(status.forwarding, this.#options.clusterName));
      const problems = ownsAnything(status.recorded) ? await undo(this.#process, key, status, signal) : [];
      if (problems.length > 0) return this.#conclude(key, to, deletionReport(problems, status.recorded));
    }
    return this.#release(to);
  }

  async #release({ cluster, status: { forwarding }, signal }: Conclusion): Promise<ReconcileResult> {
    this.#memory.released.add(forwarding.metadata.uid);
    await cluster.removeFinalizer(forwarding, signal);
    return { kind: 'done' };
  }

  async #conclude(
    key: string,
    to: Conclusion,
    report: Report,
    { wasApplied, isAfterRestart } = { wasApplied: false, isAfterRestart: false },
  ): Promise<ReconcileResult> {
    const { forwarding } = to.status;
    const isOutage = isUnavailable(report);
    const mayGrace = wasApplied && isOutage && readyOf(to.before)?.status !== 'False';
    const graceMs = graceMsOf(forwarding);
    const grace = !mayGrace ? 'none' : this.#memory.unavailableForMs(key) < graceMs ? 'keep' : 'unknown';
    await conclude(to, report, grace);
    if (!isOutage) this.#memory.endOutage(key);
    endWaits(this.#memory, key, to.status.recorded);
    const { random } = this.#options;
    const earlyMs = this.#refusedForMs(key, to.status, report);
    const lookInMs = this.#memory.looks.nextInMs(key, intervalMs(to.status.forwarding));
    const due = { earlyMs, random, now: to.startedAt, isAfterRestart, lookInMs };
    return nextAfter(report, to.status.forwarding, due);
  }

  /** Returns after how many milliseconds a refused forwarding may be resynced. Enqueues others that were refused, if this one no longer is. */
  #refusedForMs(key: string, { recorded, forwarding }: StatusWriter, report: Report): number | undefined {
    const { refused } = this.#memory;
    if (isRefused(report)) return refused.add(key, recorded.konnect?.organizationID ?? tokenPlace(forwarding));
    // An outage of Konnect says nothing about what Konnect would answer.
    if (!isUnavailable(report)) for (const other of refused.remove(key)) this.#options.enqueue(other);
    return undefined;
  }
}
