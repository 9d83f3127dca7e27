/** From a key to a reconciled forwarding: the entry of the domain. */
import { type AuditLogForwarding, type CleanupStatus, finalizer, reconcileRequestOf } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { Priority } from '../../runtime/priority.ts';
import type { ReconcileResult } from '../../runtime/reconcile-result.ts';
import { type Report, suspended } from '../../status/conditions.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import { objectKeyOf, ownsAnything } from '../../status/recorded-state.ts';
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
import type { ReconcileContext, Successor } from '../reconcile-context.ts';
import {
  type Conclusion,
  conclude,
  graceMsOf,
  intervalMs,
  isApplied,
  isPending,
  isUnavailable,
  nextAfter,
  readyOf,
  writeConditions,
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
  /** What is new or has changed goes before what is looked at again. */
  readonly konnectFor: (token: string, priority: Priority) => Konnect;
  /** The forwarding as last seen, at least as new as our own last write of it. */
  readonly find: (key: string) => AuditLogForwarding | undefined;
  /** The other forwardings, as last seen, that have one of these claims. */
  readonly contenders: (key: string, claims: readonly string[]) => readonly AuditLogForwarding[];
  readonly clusterName: string;
  /** How long Konnect may serve lists that lack a destination whose POST may have been carried out, the POST's own time included. */
  readonly pendingCreationTimeoutMs: number;
  /** The time of day, for what stands on record. */
  readonly now: () => Date;
  /** Milliseconds from any start that never go back, for all patience; those of `now` unless given. */
  readonly nowMs?: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

const handoverTimeoutMs = 2 * 60_000;

/** Reconciles forwardings, one key at a time: finds one, then deletes, rests, enforces or observes, and concludes. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #memory: ProcessMemory;
  readonly #locks = new KeyedLock();

  constructor(options: ReconcilerOptions) {
    const { now } = options;
    this.#options = options;
    this.#memory = new ProcessMemory(options.nowMs ?? (() => now().getTime()));
  }

  /** Reconciles once. Rejects with KubeError, and with the reason for which `signal` was aborted. Status tells everything else. */
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
    const { forwarding } = status;
    const request = reconcileRequestOf(forwarding.metadata.annotations);
    const isRequested = request !== undefined && request !== status.recorded.lastHandledReconcileAt;
    if (isRequested) status.recorded = withoutAnyCorrections(status.recorded);
    // Only at the end: a reconciliation that is overtaken or aborted is repeated as it was requested.
    const answerRequest = () => {
      if (isRequested) status.recorded = { ...status.recorded, lastHandledReconcileAt: request };
    };
    if (forwarding.spec.suspend) {
      answerRequest();
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
        const how = { organizationID, maxListAgeMs, pendingCreationTimeoutMs, ownership };
        return forwarding.spec.mode === 'Observe' ? observeOnly(context, desired, how) : enforce(context, desired, how);
      });
    } catch (error) {
      if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
      const problem = problemOf(error, "this forwarding's organization", context.tokenSource);
      return problem.severity === 'stalled' ? secretsReport([problem]) : problemReport(problem);
    }
  }

  /** Before the forwarding moves to another organization, a creation whose answer was lost is looked up in the old one. */
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
      const organizationID = status.recorded.konnect?.organizationID ?? provedID;
      const konnect = organizationID === provedID ? context.konnect : context.konnectIn(organizationID);
      if (konnect === undefined) return [organizationChanged(context, organizationID, provedID)];
      const claims = claimsOf(status.forwarding, undefined, organizationID);
      const options = { organizationID, pendingCreationTimeoutMs };
      return await this.#locks.runExclusive(claims, () => finalize({ ...context, konnect }, options));
    } catch (error) {
      if (!(error instanceof KonnectError) || signal.aborted) throw error;
      return [problemOf(error, "this forwarding's organization", context.tokenSource)];
    }
  }

  async #conclude(key: string, to: Conclusion, report: Report, wasApplied = false): Promise<ReconcileResult> {
    const { forwarding } = to.status;
    const isOut = isUnavailable(report);
    const mayGrace = wasApplied && isOut && readyOf(to.before)?.status !== 'False';
    const graceMs = graceMsOf(forwarding);
    const grace = !mayGrace ? 'none' : this.#memory.unavailableForMs(key) < graceMs ? 'keep' : 'unknown';
    await conclude(to, report, grace);
    if (!isOut) this.#memory.endOutage(key);
    return nextAfter(report, to.status.forwarding, this.#options.random);
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
      signal,
      wasApplied,
      konnect: konnectFor(token, priority),
      tokenSource: tokenSource(forwarding),
      konnectIn: (organizationID) => {
        const known = memory.goodToken(key, organizationID);
        return known === undefined ? undefined : konnectFor(known, priority);
      },
      successor: (entry, destinationID) => this.#successor(key, status.forwarding, entry, destinationID),
      inUseForMs: (destinationID) => memory.inUseForMs(key, destinationID),
    };
  }

  #successor(
    key: string,
    self: AuditLogForwarding,
    entry: CleanupStatus,
    destinationID: string | undefined,
  ): Successor | undefined {
    const claims = claimsOf(self, undefined);
    const next = successorOf({ self, all: this.#options.contenders(key, claims) }, entry, destinationID);
    const object = `${entry.region}/${objectKeyOf(entry)}`;
    if (next === undefined || next.hasIt) {
      this.#memory.endHandover(key, object);
      return next;
    }
    return this.#memory.handoverForMs(key, object) < handoverTimeoutMs ? next : undefined;
  }
}

/** Keeps what is known, and answers the generation. */
async function suspend(to: Conclusion): Promise<ReconcileResult> {
  const message =
    'spec.suspend is true: nothing is written to Konnect, and nothing looked for, until it is false again';
  await writeConditions(to, suspended(message, to.status.context('none')));
  return { kind: 'done' };
}
