/** Reconciles a forwarding by its key: the entry of the domain. */
import { type AuditLogForwarding, type CleanupStatus, finalizer, reconcileRequestOf } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { Priority } from '../../runtime/priority.ts';
import type { ReconcileResult } from '../../runtime/reconcile-result.ts';
import type { Report } from '../../status/conditions.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import { objectKeyOf, ownsAnything, type RecordedState } from '../../status/recorded-state.ts';
import { StatusWriter } from '../../status/status-writer.ts';
import { resolvePendingCreation } from '../apply/pending-creation.ts';
import { type Credentials, resolveCredentials, resolveToken, tokenSource } from '../desired/credentials.ts';
import { resolvePortals } from '../desired/desired-portals.ts';
import { desiredState, destinationName } from '../desired/desired-state.ts';
import { claimsOf } from '../ownership/claims.ts';
import { KeyedLock } from '../ownership/keyed-lock.ts';
import { ownershipOf, successorOf } from '../ownership/ownership.ts';
import type { Cluster, Konnect } from '../ports.ts';
import { type Problem, problemOf } from '../problems.ts';
import { type PointedWebhook, type ReconcileContext, restoreFinalizer, type Successor } from '../reconcile-context.ts';
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
import {
  deletionReport,
  finalize,
  isStatusLost,
  recordRetained,
  recordStatusLost,
  tokenGone,
  whyRetained,
} from './finalize.ts';
import { problemReport, secretsReport } from './health-report.ts';
import { observeOnly } from './observe-only.ts';
import { ProcessMemory } from './process-memory.ts';
import { organizationChanged, proveOrganization } from './token-organization.ts';

export interface ReconcilerOptions {
  readonly cluster: Cluster;
  /** Returns Konnect with one token, for a forwarding in `region`. Requests of new and changed forwardings go before those of resyncs. */
  readonly konnectFor: (token: string, priority: Priority, region: string) => Konnect;
  /** Returns the forwarding from the cache, at least as new as the operator's last write of it. */
  readonly find: (key: string) => AuditLogForwarding | undefined;
  /** Returns the other forwardings in the cache that have one of these claims. */
  readonly contenders: (key: string, claims: readonly string[]) => readonly AuditLogForwarding[];
  /** Enqueues another forwarding for a resync. */
  readonly enqueue: (key: string) => void;
  readonly clusterName: string;
  /** How long a created destination may be missing in Konnect's lists, counted from before the POST. */
  readonly pendingCreationTimeoutMs: number;
  /** The time of day, for times in status. */
  readonly now: () => Date;
  /** Milliseconds that never go back, for waits. Default: those of `now`. */
  readonly nowMs?: () => number;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
}

const handoverTimeoutMs = 2 * 60_000;

/** Reconciles one key: finds the forwarding, then deletes, skips, enforces or observes, and reports the outcome. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memory: ProcessMemory;
  readonly #locks = new KeyedLock();

  constructor(options: ReconcilerOptions) {
    const { now } = options;
    this.#options = options;
    this.#memory = new ProcessMemory(options.nowMs ?? (() => now().getTime()));
  }

  /** Reconciles once. Every other problem goes to status. Rejects with KubeError, or with the reason of `signal`. */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    try {
      return await this.#reconcile(key, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const { cluster, find, now } = this.#options;
    const forwarding = find(key);
    this.#memory.keepOnlyOf(key, forwarding);
    if (forwarding === undefined) return { kind: 'done' };
    const status = new StatusWriter(forwarding, (one, next, until) => cluster.writeStatus(one, next, until), now);
    const to = { cluster, status, before: forwarding.status.conditions ?? [], signal };
    if (forwarding.metadata.deletionTimestamp !== undefined) {
      return forwarding.metadata.finalizers.includes(finalizer) ? this.#delete(key, to) : { kind: 'done' };
    }
    return this.#reconcileLive(key, to);
  }

  async #reconcileLive(key: string, to: Conclusion): Promise<ReconcileResult> {
    const { cluster } = this.#options;
    const { status, before, signal } = to;
    await restoreFinalizer(to);
    const { forwarding } = status;
    const request = reconcileRequestOf(forwarding.metadata.annotations);
    const isRequested = request !== undefined && request !== status.recorded.lastHandledReconcileAt;
    if (isRequested) status.recorded = withoutAnyCorrections(status.recorded);
    // Called only at the end, so that a reconciliation which was aborted or met a conflict runs again as requested.
    const answerRequest = () => {
      if (isRequested) status.recorded = { ...status.recorded, lastHandledReconcileAt: request };
    };
    if (forwarding.spec.suspend) {
      answerRequest();
      this.#memory.refused.remove(key);
      return suspend(to);
    }
    const [token, credentials] = await Promise.all([
      resolveToken(forwarding, cluster, signal),
      resolveCredentials(forwarding, cluster, signal),
    ]);
    if (token.kind === 'problem' || credentials.kind === 'problem') {
      answerRequest();
      const missing = [token, credentials].flatMap((one) => (one.kind === 'problem' ? [one.problem] : []));
      return this.#conclude(key, to, secretsReport(missing));
    }
    const wasApplied = isApplied(forwarding, credentials.value?.secretVersion);
    const priority = wasApplied && !isRequested && !isPending(before) ? 'resync' : 'new';
    const context = this.#context(key, status, { token: token.value, wasApplied, priority }, signal);
    const maxListAgeMs = isRequested ? 0 : intervalMs(forwarding) / 2;
    const report = await this.#enforceOrObserve(key, context, token.value, credentials.value, maxListAgeMs);
    answerRequest();
    return this.#conclude(key, to, report, wasApplied);
  }

  async #enforceOrObserve(
    key: string,
    context: ReconcileContext,
    token: string,
    credentials: Credentials | undefined,
    maxListAgeMs: number,
  ): Promise<Report> {
    const { clusterName, contenders, pendingCreationTimeoutMs } = this.#options;
    const { forwarding } = context.status;
    try {
      const proof = await proveOrganization(context);
      if (proof.kind === 'problem') return secretsReport([proof.problem]);
      const { organizationID } = proof;
      this.#memory.rememberToken(key, organizationID, token);
      const unresolved = await this.#resolveCreationElsewhere(context, organizationID);
      if (unresolved !== undefined) return unresolved;
      const options = { ...context, recorded: context.status.recorded, organizationID };
      const wanted = await resolvePortals(forwarding, options);
      const desired = desiredState(forwarding, credentials, clusterName, wanted);
      const claims = claimsOf(forwarding, destinationName(forwarding, clusterName), organizationID, wanted.portals);
      return await this.#locks.runExclusive(claims, async () => {
        const ownership = ownershipOf({
          self: forwarding,
          organizationID,
          all: contenders(key, claims),
          destinationName: (other) => destinationName(other, clusterName),
        });
        const modeOptions = { organizationID, maxListAgeMs, pendingCreationTimeoutMs, ownership };
        return forwarding.spec.mode === 'Observe'
          ? observeOnly(context, desired, modeOptions)
          : enforce(context, desired, modeOptions);
      });
    } catch (error) {
      if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
      const problem = problemOf(error, "this forwarding's organization", context.tokenSource);
      return problem.severity === 'stalled' ? secretsReport([problem]) : problemReport(problem);
    }
  }

  /** Ends a pending creation in the organization that the forwarding leaves. Returns a report until that is done. */
  async #resolveCreationElsewhere(context: ReconcileContext, organizationID: string): Promise<Report | undefined> {
    const { recorded, forwarding } = context.status;
    const formerID = recorded.konnect?.organizationID ?? organizationID;
    if (formerID === organizationID || recorded.destination?.creating === undefined) return undefined;
    const { konnect: where, mode } = forwarding.spec;
    const konnect = context.konnectIn(formerID);
    if (konnect === undefined || mode === 'Observe')
      return secretsReport([organizationChanged(context, formerID, organizationID)]);
    const { pendingCreationTimeoutMs } = this.#options;
    const problem = await resolvePendingCreation({ ...context, konnect }, where.auditLogsAPI, pendingCreationTimeoutMs);
    return problem === undefined ? undefined : problemReport(problem);
  }

  async #delete(key: string, to: Conclusion): Promise<ReconcileResult> {
    const { cluster, clusterName } = this.#options;
    const { status, signal } = to;
    const why = whyRetained(status.forwarding);
    if (why !== undefined) recordRetained(to, why);
    else {
      if (isStatusLost(status)) recordStatusLost(to, destinationName(status.forwarding, clusterName));
      const problems = ownsAnything(status.recorded) ? await this.#undo(key, status, signal) : [];
      if (problems.length > 0) return this.#conclude(key, to, deletionReport(problems, status.recorded));
    }
    await cluster.removeFinalizer(status.forwarding, signal);
    return { kind: 'done' };
  }

  async #undo(key: string, status: StatusWriter, signal: AbortSignal): Promise<readonly Problem[]> {
    const { cluster, pendingCreationTimeoutMs } = this.#options;
    const token = await resolveToken(status.forwarding, cluster, signal);
    const recordedID = status.forwarding.status.konnect?.organizationID;
    const value = token.kind === 'resolved' ? token.value : this.#memory.goodToken(key, recordedID);
    if (value === undefined) return [tokenGone(status.forwarding)];
    const context = this.#context(key, status, { token: value, wasApplied: false, priority: 'new' }, signal);
    try {
      const proof = await proveOrganization(context);
      if (proof.kind === 'problem') return [proof.problem];
      const { organizationID: provedID } = proof;
      this.#memory.rememberToken(key, provedID, value);
      const organizationID = status.recorded.konnect?.organizationID ?? provedID;
      const konnect = context.konnectIn(organizationID);
      const isReachable = konnect !== undefined;
      const canCleanUp = (status.recorded.cleanup ?? []).some((entry) => entry.organizationID === provedID);
      if (!isReachable && !canCleanUp) return [organizationChanged(context, organizationID, provedID)];
      const claims = claimsOf(status.forwarding, undefined, organizationID);
      const options = { organizationID, pendingCreationTimeoutMs, isReachable };
      const reach = { ...context, konnect: konnect ?? context.konnect };
      return await this.#locks.runExclusive(claims, () => finalize(reach, options));
    } catch (error) {
      if (!(error instanceof KonnectError) || signal.aborted) throw error;
      return [problemOf(error, "this forwarding's organization", context.tokenSource)];
    }
  }

  async #conclude(key: string, to: Conclusion, report: Report, wasApplied = false): Promise<ReconcileResult> {
    const { forwarding } = to.status;
    const isOutage = isUnavailable(report);
    const mayGrace = wasApplied && isOutage && readyOf(to.before)?.status !== 'False';
    const graceMs = graceMsOf(forwarding);
    const grace = !mayGrace ? 'none' : this.#memory.unavailableForMs(key) < graceMs ? 'keep' : 'unknown';
    await conclude(to, report, grace);
    if (!isOutage) this.#memory.endOutage(key);
    this.#endWaits(key, to.status.recorded);
    const earlyMs = this.#refusedForMs(key, to.status, report);
    return nextAfter(report, to.status.forwarding, { earlyMs, random: this.#options.random });
  }

  /** Returns after how many milliseconds a refused forwarding may be resynced. Enqueues others that were refused, if this one no longer is. */
  #refusedForMs(key: string, { recorded, forwarding }: StatusWriter, report: Report): number | undefined {
    const { refused } = this.#memory;
    const { metadata, spec } = forwarding;
    const source = `${metadata.namespace}/${spec.konnect.tokenSecretRef.name}`;
    if (isRefused(report)) return refused.add(key, recorded.konnect?.organizationID ?? source);
    // An outage of Konnect says nothing about what Konnect would answer.
    if (!isUnavailable(report)) for (const other of refused.remove(key)) this.#options.enqueue(other);
    return undefined;
  }

  #endWaits(key: string, { cleanup = [] }: RecordedState): void {
    const handovers = new Set(cleanup.map(handoverOf));
    const destinations = new Set(
      cleanup.flatMap(({ kind, destinationID }) => (kind === 'destination' ? (destinationID ?? []) : [])),
    );
    this.#memory.endWaits(key, { handovers, destinations });
  }

  #context(
    key: string,
    status: StatusWriter,
    { token, wasApplied, priority }: { token: string; wasApplied: boolean; priority: Priority },
    signal: AbortSignal,
  ): ReconcileContext {
    const { cluster, konnectFor, now } = this.#options;
    const { forwarding } = status;
    const memory = this.#memory;
    return {
      forwarding,
      status,
      cluster,
      now,
      stamp: () => {
        const time = now().toISOString();
        memory.timestampAgeMs(key, time);
        return time;
      },
      ageMs: (time) => memory.timestampAgeMs(key, time),
      expire: (time) => memory.expireTimestamp(key, time),
      signal,
      wasApplied,
      konnect: konnectFor(token, priority, forwarding.spec.konnect.region),
      tokenSource: tokenSource(forwarding),
      konnectIn: (organizationID) => {
        const known = memory.goodToken(key, organizationID);
        return known === undefined ? undefined : konnectFor(known, priority, forwarding.spec.konnect.region);
      },
      isCurrentToken: (organizationID) => memory.goodToken(key, organizationID) === token,
      forgetToken: (organizationID) => memory.forgetToken(key, organizationID),
      successor: (entry, seen) => this.#successor(key, status.forwarding, entry, seen),
      inUseForMs: (destinationID) => memory.inUseForMs(key, destinationID),
    };
  }

  #successor(key: string, self: AuditLogForwarding, entry: CleanupStatus, seen: PointedWebhook): Successor | undefined {
    const claims = claimsOf(self, undefined);
    const next = successorOf({ self, all: this.#options.contenders(key, claims) }, entry, seen);
    const object = handoverOf(entry);
    if (next === undefined || next.hasIt) {
      this.#memory.endHandover(key, object);
      return next;
    }
    return this.#memory.handoverForMs(key, object) < handoverTimeoutMs ? next : undefined;
  }
}

function handoverOf(entry: CleanupStatus): string {
  return `${entry.region}/${objectKeyOf(entry)}`;
}
