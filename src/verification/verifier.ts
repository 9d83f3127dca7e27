/** Verifies one forwarding: looks in SumoLogic for what Konnect sent. It has its own queue, so no reconciliation waits for it. */
import { parseDurationMs } from '../api/duration.ts';
import { type AuditLogForwarding, reconcileRequestOf, type VerificationStatus } from '../api/v1alpha1.ts';
import { type Resolved, resolveAccessKey } from '../forwarding/desired/credentials.ts';
import { resolveToken, tokenSource } from '../forwarding/desired/token.ts';
import type { ClusterReads } from '../forwarding/ports.ts';
import { type Problem, problemOf } from '../forwarding/problems.ts';
import { isKonnectError, KonnectError } from '../konnect/errors.ts';
import type { LedgerClient } from '../konnect/ledger-client.ts';
import type { ReconcileResult } from '../runtime/reconcile-result.ts';
import { deliveryKeyOf, deliveryOf } from '../status/delivery.ts';
import {
  type DueRanges,
  dueOf,
  hasVerdict,
  type VerificationTimes,
  waitAfter,
  wantsOrganization,
  withSince,
} from '../status/verification.ts';
import { SumoLogicError } from '../sumologic/errors.ts';
import type { SearchClient, SumoLogicAccess } from '../sumologic/search-client.ts';
import { collect, TooManyLinesError } from './collect.ts';
import { type Ledgers, resultOf } from './ledgers.ts';
import { type OutcomeOptions, OutdatedError, type Run, writeOutcome } from './outcome.ts';
import { notSearched, refusedSearch, tooManyLines, type Verdict, verdictOf } from './verdict.ts';

const minuteMs = 60_000;
/** How long a reconciliation usually takes. */
const reconciliationMs = 5_000;

export interface VerifierOptions extends OutcomeOptions {
  readonly cluster: OutcomeOptions['cluster'] & ClusterReads;
  /** Returns a client for what Konnect audited, as a token sees it. */
  readonly ledgerFor: (token: string) => LedgerClient;
  readonly search: Pick<SearchClient, 'search' | 'deleteJob'>;
  /** The age from which on a line has to be in SumoLogic. */
  readonly delayMs: number;
  /** Returns 0 to below 1. */
  readonly random: () => number;
}

export class Verifier {
  readonly #options: VerifierOptions;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /** Verifies a forwarding if that is due. Rejects with KubeError, with a FencedError, or with the reason of `signal`. */
  async verify(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    try {
      return await this.#verify(key, signal);
    } catch (error) {
      if (error instanceof OutdatedError) return { kind: 'requeue', afterMs: 0 };
      throw error;
    }
  }

  async #verify(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const forwarding = this.#options.find(key);
    const wanted = forwarding?.spec.verification;
    if (forwarding === undefined || wanted === undefined || forwarding.metadata.deletionTimestamp !== undefined)
      return { kind: 'done' };
    // A reconciliation comes first: it says what is in place.
    if (forwarding.status.conditions === undefined || forwarding.status.konnect === undefined)
      return { kind: 'requeue', afterMs: reconciliationMs };
    const at = this.#options.now();
    const run: Run = { key, forwarding, wanted, at, signal };
    const left = await this.#deleteFormerJobs(run);
    if (forwarding.spec.suspend) {
      await writeOutcome(this.#options, run, { verification: { ...forwarding.status.verification, ...left } });
      return { kind: 'done' };
    }
    const verification = { ...withSince(forwarding, at), ...left };
    const due = dueOf(forwarding, verification, { ...this.#timesOf(wanted), now: at });
    switch (due.kind) {
      case 'not on':
        return this.#later(run, verification, notSearched("the organization's webhook is not on, see WebhooksReady"));
      case 'later': {
        const why = 'lines count as missing after the time of --verification-delay, and the first search follows';
        return this.#later(run, verification, unlessVerdict(forwarding, why), due.inMs);
      }
      case 'due':
        return this.#verifyNow(run, verification, due);
    }
  }

  async #access({ forwarding, wanted, signal }: Run): Promise<Resolved<SumoLogicAccess>> {
    const { secretRef, deployment } = wanted.sumoLogic;
    const key = await resolveAccessKey(forwarding, secretRef, this.#options.cluster, signal);
    return key.kind === 'problem' ? key : { kind: 'resolved', value: { deployment, ...key.value } };
  }

  /**
   * Deletes the search jobs that a process which crashed left, and returns those that SumoLogic may still have. One whose key SumoLogic refuses is forgotten:
   * SumoLogic cancels it by itself.
   */
  async #deleteFormerJobs(run: Run): Promise<Pick<VerificationStatus, 'jobs'>> {
    const former = run.forwarding.status.verification?.jobs ?? [];
    if (former.length === 0) return {};
    const access = await this.#access(run);
    const jobs: string[] = [];
    for (const id of former) {
      try {
        if (access.kind === 'resolved') await this.#options.search.deleteJob(access.value, id, run.signal);
      } catch (error) {
        if (!(error instanceof SumoLogicError)) throw error;
        if (error.kind === 'Unavailable' || error.kind === 'RateLimited') jobs.push(id);
      }
    }
    return { jobs };
  }

  async #later(
    run: Run,
    verification: VerificationStatus,
    verdict: Verdict | undefined,
    afterMs = minuteMs,
  ): Promise<ReconcileResult> {
    await writeOutcome(this.#options, run, { verification, verdict });
    return { kind: 'requeue', afterMs };
  }

  async #verifyNow(run: Run, verification: VerificationStatus, ranges: DueRanges): Promise<ReconcileResult> {
    const { forwarding, wanted, signal } = run;
    const access = await this.#access(run);
    const token = await resolveToken(forwarding, this.#options.cluster, signal);
    if (token.kind === 'problem' || access.kind === 'problem') {
      const problems = [token, access].flatMap((one) => (one.kind === 'problem' ? [one.problem.message] : []));
      const verdict = notSearched(problems.join('; '));
      await writeOutcome(this.#options, run, { verification, verdict });
      return { kind: 'retry' };
    }
    const jobs = new Set(verification.jobs);
    const current = () => ({ ...verification, jobs: [...jobs] });
    const ledger = this.#options.ledgerFor(token.value);
    try {
      const ledgers = await collect({
        ledger,
        search: this.#options.search,
        access: access.value,
        query: wanted.sumoLogic.query,
        region: forwarding.spec.konnect.region,
        organizationID: forwarding.status.konnect?.organizationID ?? '',
        ranges,
        wantsList: wantsOrganization(forwarding),
        now: this.#options.now(),
        jobs: {
          onCreated: async (id) => {
            jobs.add(id);
            await writeOutcome(this.#options, run, { verification: current() });
          },
          onDeleted: (id) => jobs.delete(id),
        },
        signal,
      });
      return await this.#report(run, current(), ledgers, ledger, ranges);
    } catch (error) {
      // The next window is as long, so another search before the interval would find as much.
      if (error instanceof TooManyLinesError)
        return this.#later(run, current(), tooManyLines(error.since), durationMs(wanted.interval));
      if (!(error instanceof SumoLogicError || error instanceof KonnectError) || signal.aborted) throw error;
      return this.#failed(run, current(), error);
    }
  }

  async #report(
    run: Run,
    verification: VerificationStatus,
    ledgers: Ledgers,
    ledger: LedgerClient,
    { latest, lost }: DueRanges,
  ): Promise<ReconcileResult> {
    const { forwarding, wanted, at } = run;
    const { period, hasList, hasKeys } = ledgers;
    const counts = ledgers.counts();
    const hasOrganization = wantsOrganization(forwarding);
    const { probeTime: probed, since, jobs, gapUntil, window } = verification;
    // A probe that is not in the period yet, or no longer, proves nothing.
    const probedMs = Date.parse(probed ?? '');
    const probeTime = probedMs >= period.from.getTime() && probedMs <= period.to.getTime() ? probed : undefined;
    const isDelivered = deliveryOf(forwarding.status, deliveryKeyOf(undefined))?.state === 'Delivered';
    const verdict = verdictOf({
      counts,
      period,
      latestTo: latest.to,
      lost,
      hasList,
      hasOrganization,
      hasKeys,
      probeTime,
      isDelivered,
    });
    if (verdict === undefined && hasOrganization) return this.#probe(run, verification, ledger);
    const lastHandledReconcileAt = reconcileRequestOf(forwarding.metadata.annotations);
    const { oldestMissing, newestMissingMs: newestMs } = counts;
    const isRecorded = forwarding.spec.gapRecovery?.mode !== 'None';
    const nobody =
      'SumoLogic has no login to a Dev Portal in this time, and Konnect has no list of them: somebody has to log in first';
    const result = { window, ...resultOf(ledgers, counts, at) };
    await writeOutcome(this.#options, run, {
      verification: { since, jobs, gapUntil, lastHandledReconcileAt, ...result },
      verdict: verdict ?? unlessVerdict(forwarding, nobody),
      missing:
        isRecorded && oldestMissing !== undefined && newestMs !== undefined
          ? { oldestMs: oldestMissing.timeMs, newestMs }
          : undefined,
    });
    const afterMs = waitAfter(result, verdict?.status === 'False', this.#timesOf(wanted));
    return { kind: 'requeue', afterMs: afterMs * (1 - this.#options.random() / 10) };
  }

  #timesOf({ interval, window }: Run['wanted']): VerificationTimes {
    const { delayMs } = this.#options;
    return { intervalMs: durationMs(interval), windowMs: durationMs(window), delayMs };
  }

  /** Makes one call that Konnect audits, and looks for its line when it has to be there. */
  async #probe(run: Run, verification: VerificationStatus, ledger: LedgerClient): Promise<ReconcileResult> {
    const { forwarding, signal } = run;
    const { delayMs } = this.#options;
    const now = this.#options.now();
    const ageMs = now.getTime() - Date.parse(verification.probeTime ?? '');
    const pending = ageMs >= 0 && ageMs < delayMs ? verification.probeTime : undefined;
    if (pending === undefined) {
      try {
        await ledger.listControlPlanes(forwarding.spec.konnect.region, signal);
      } catch (error) {
        // A refused call is audited as well.
        if (!isKonnectError(error, 'Forbidden', 'NotFound')) throw error;
      }
    }
    const why =
      'Konnect does not show its list of audit logs, and SumoLogic has no line: the operator has listed the control planes and looks for the line of this call after the time of --verification-delay';
    const probeTime = pending ?? now.toISOString();
    await writeOutcome(this.#options, run, {
      verification: { ...verification, probeTime },
      verdict: unlessVerdict(forwarding, why),
    });
    return { kind: 'requeue', afterMs: delayMs + minuteMs - (pending === undefined ? 0 : ageMs) };
  }

  async #failed(
    run: Run,
    verification: VerificationStatus,
    error: SumoLogicError | KonnectError,
  ): Promise<ReconcileResult> {
    const { forwarding, wanted } = run;
    if (error instanceof SumoLogicError) {
      const verdict = refusedSearch(error, `Secret ${wanted.sumoLogic.secretRef.name}`);
      await writeOutcome(this.#options, run, { verification, verdict });
      return { kind: 'retry' };
    }
    const source = { tokenSource: tokenSource(forwarding), now: this.#options.now };
    const problem: Problem = problemOf(error, "Konnect's list of audit logs", source);
    // An outage of Konnect says nothing about the lines, and Ready shows it.
    const verdict =
      problem.severity === 'unavailable' ? unlessVerdict(forwarding, problem.message) : notSearched(problem.message);
    await writeOutcome(this.#options, run, { verification, verdict });
    return { kind: 'retry', minDelayMs: problem.retryAfterMs ?? 0 };
  }
}

/** Returns the verdict of a verification that could not begin. Undefined if an earlier answer stays. */
function unlessVerdict(forwarding: AuditLogForwarding, why: string): Verdict | undefined {
  return hasVerdict(forwarding.status) ? undefined : notSearched(why);
}

/** Returns the milliseconds of a duration of spec. */
function durationMs(text: string): number {
  return parseDurationMs(text) ?? minuteMs;
}
