/** Verifies one forwarding: looks in SumoLogic for what Konnect sent. It has its own queue, so no reconciliation waits for it. */
import { parseDurationMs } from '../api/duration.ts';
import type { AuditLogForwarding, Condition, VerificationStatus } from '../api/v1alpha1.ts';
import { type Resolved, resolveAccessKey } from '../forwarding/desired/credentials.ts';
import { resolveToken, tokenSource } from '../forwarding/desired/token.ts';
import type { Cluster, ClusterReads } from '../forwarding/ports.ts';
import { type Problem, problemOf } from '../forwarding/problems.ts';
import { isKonnectError, KonnectError } from '../konnect/errors.ts';
import type { LedgerClient } from '../konnect/ledger-client.ts';
import type { ReconcileResult } from '../runtime/reconcile-result.ts';
import { withVerified } from '../status/conditions.ts';
import { deliveryKeyOf, deliveryOf } from '../status/delivery.ts';
import type { Period } from '../status/gaps.ts';
import { StatusWriter } from '../status/status-writer.ts';
import { dueOf, gapOf, settleMs, wantsOrganization, withMissingLines, withSince } from '../status/verification.ts';
import { SumoLogicError } from '../sumologic/errors.ts';
import type { SearchClient, SumoLogicAccess } from '../sumologic/search-client.ts';
import { collect } from './collect.ts';
import type { Ledgers, TimeRange } from './ledgers.ts';
import { notSearched, refusedSearch, type Verdict, verdictOf } from './verdict.ts';

const minuteMs = 60_000;
/** How long a reconciliation usually takes. */
const reconciliationMs = 5_000;
const maxRecordedJobs = 16;

export interface VerifierOptions {
  readonly cluster: ClusterReads & Pick<Cluster, 'writeStatus' | 'recordEvent'>;
  /** Returns a forwarding as last seen. */
  readonly find: (key: string) => AuditLogForwarding | undefined;
  /** Returns a client for what Konnect audited, as a token sees it. */
  readonly ledgerFor: (token: string) => LedgerClient;
  readonly search: Pick<SearchClient, 'search' | 'deleteJob'>;
  /** Called when missing lines have made a gap: a reconciliation shows it, and has it replayed if spec wants that. */
  readonly onGap: (key: string) => void;
  /** Runs an action while no reconciliation of the key does. */
  readonly exclusively: <T>(key: string, action: () => Promise<T>) => Promise<T>;
  readonly now: () => Date;
  /** Returns 0 to below 1. */
  readonly random: () => number;
}

type Wanted = NonNullable<AuditLogForwarding['spec']['verification']>;

/** One verification. */
interface Run {
  readonly key: string;
  readonly forwarding: AuditLogForwarding;
  readonly wanted: Wanted;
  readonly signal: AbortSignal;
}

/** What a verification changes in status. Without a verdict, the condition stays as it is. */
interface Outcome {
  readonly verification: VerificationStatus;
  readonly verdict?: Verdict | undefined;
  readonly gap?: Period | undefined;
}

export class Verifier {
  readonly #options: VerifierOptions;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /** Verifies a forwarding if that is due. Rejects with KubeError, with a FencedError, or with the reason of `signal`. */
  async verify(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const forwarding = this.#options.find(key);
    const wanted = forwarding?.spec.verification;
    if (forwarding === undefined || wanted === undefined || forwarding.metadata.deletionTimestamp !== undefined)
      return { kind: 'done' };
    // A reconciliation comes first: it says what is in place.
    if (forwarding.status.conditions === undefined || forwarding.status.konnect === undefined)
      return { kind: 'requeue', afterMs: reconciliationMs };
    const run: Run = { key, forwarding, wanted, signal };
    const left = await this.#deleteFormerJobs(run);
    if (forwarding.spec.suspend) {
      await this.#write(run, { verification: { ...forwarding.status.verification, ...left } });
      return { kind: 'done' };
    }
    const { now } = this.#options;
    const verification = { ...withSince(forwarding, now()), ...left };
    const due = dueOf(forwarding, verification, {
      intervalMs: parseDurationMs(wanted.interval) ?? minuteMs,
      windowMs: parseDurationMs(wanted.window) ?? minuteMs,
      now: now(),
      isCurrent: isCurrent(forwarding),
    });
    switch (due.kind) {
      case 'not on':
        return this.#later(run, verification, "the organization's webhook is not on, see WebhooksReady");
      case 'later': {
        const why = 'lines count as missing after ten minutes, and the first search follows';
        return this.#later(run, verification, hasVerdict(forwarding) ? undefined : why, due.inMs);
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
    why: string | undefined,
    afterMs = minuteMs,
  ): Promise<ReconcileResult> {
    await this.#write(run, { verification, verdict: why === undefined ? undefined : notSearched(why) });
    return { kind: 'requeue', afterMs };
  }

  async #verifyNow(run: Run, verification: VerificationStatus, period: TimeRange): Promise<ReconcileResult> {
    const { forwarding, wanted, signal } = run;
    const access = await this.#access(run);
    const token = await resolveToken(forwarding, this.#options.cluster, signal);
    const missing = [token, access].flatMap((one) => (one.kind === 'problem' ? [one.problem] : []));
    if (token.kind === 'problem' || access.kind === 'problem') {
      const verdict = notSearched(missing.map(({ message }) => message).join('; '));
      await this.#write(run, { verification, verdict });
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
        period,
        wantsList: wantsOrganization(forwarding),
        now: this.#options.now(),
        jobs: {
          onCreated: async (id) => {
            jobs.add(id);
            await this.#write(run, { verification: current() });
          },
          onDeleted: (id) => jobs.delete(id),
        },
        signal,
      });
      return await this.#report(run, current(), ledgers, ledger);
    } catch (error) {
      if (!(error instanceof SumoLogicError || error instanceof KonnectError) || signal.aborted) throw error;
      return this.#failed(run, current(), error);
    }
  }

  async #report(
    run: Run,
    verification: VerificationStatus,
    ledgers: Ledgers,
    ledger: LedgerClient,
  ): Promise<ReconcileResult> {
    const { forwarding, wanted, signal } = run;
    const { now, random } = this.#options;
    const { period, hasList, hasKeys } = ledgers;
    const counts = ledgers.counts();
    const hasOrganization = wantsOrganization(forwarding);
    const { probeTime: probed, since, jobs, gapUntil } = verification;
    // A probe that is not in the period yet, or no longer, proves nothing.
    const probedMs = Date.parse(probed ?? '');
    const probeTime = probedMs >= period.from.getTime() && probedMs <= period.to.getTime() ? probed : undefined;
    const code = deliveryOf(forwarding.status, deliveryKeyOf(undefined))?.state;
    const isDelivered = code === 'Delivered';
    const verdict = verdictOf({ counts, period, hasList, hasOrganization, hasKeys, probeTime, isDelivered });
    if (verdict === undefined && hasOrganization) return this.#probe(run, verification, ledger, signal);
    const { entries, found, missing, oldestMissing: oldest, unsigned, invalidSignatures, foreign, latencies } = counts;
    const latencyP50 = latencies.percentile(0.5);
    const latencyP99 = latencies.percentile(0.99);
    const next: VerificationStatus = {
      ...(since === undefined ? {} : { since }),
      lastVerifiedTime: now().toISOString(),
      window: { from: period.from.toISOString(), to: period.to.toISOString() },
      ...(hasList ? { entries, found, missing, foreign } : {}),
      ...(hasKeys ? { unsigned, invalidSignatures } : {}),
      ...(latencyP50 === undefined ? {} : { latencyP50 }),
      ...(latencyP99 === undefined ? {} : { latencyP99 }),
      ...(oldest === undefined
        ? {}
        : { oldestMissing: { traceID: oldest.traceID, time: new Date(oldest.timeMs).toISOString() } }),
      ...(jobs === undefined ? {} : { jobs }),
    };
    const isRecorded = forwarding.spec.gapRecovery?.mode !== 'None';
    const gap = isRecorded ? gapOf({ ...next, gapUntil }, counts.newestMissingMs) : undefined;
    const until = gap?.to ?? gapUntil;
    const nobody = notSearched(
      'SumoLogic has no login to a Dev Portal in this time, and Konnect has no list of them: somebody has to log in first',
    );
    await this.#write(run, {
      verification: { ...next, ...(until === undefined ? {} : { gapUntil: until }) },
      verdict: verdict ?? (hasVerdict(forwarding) ? undefined : nobody),
      gap,
    });
    if (gap !== undefined) this.#options.onGap(run.key);
    const intervalMs = parseDurationMs(wanted.interval) ?? minuteMs;
    return { kind: 'requeue', afterMs: intervalMs * (1 - random() / 10) };
  }

  /** Makes one call that Konnect audits, and looks for its line when it has to be there. */
  async #probe(
    run: Run,
    verification: VerificationStatus,
    ledger: LedgerClient,
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const { probeTime: before } = verification;
    const ageMs = this.#options.now().getTime() - Date.parse(before ?? '');
    const isPending = ageMs >= 0 && ageMs < settleMs;
    const probeTime = isPending && before !== undefined ? before : this.#options.now().toISOString();
    if (!isPending) {
      try {
        await ledger.listControlPlanes(run.forwarding.spec.konnect.region, signal);
      } catch (error) {
        // A refused call is audited as well.
        if (!isKonnectError(error, 'Forbidden', 'NotFound')) throw error;
      }
    }
    const why =
      'Konnect does not show its list of audit logs, and SumoLogic has no line: the operator has listed the control planes and looks for the line of this call in ten minutes';
    const verdict = hasVerdict(run.forwarding) ? undefined : notSearched(why);
    await this.#write(run, { verification: { ...verification, probeTime }, verdict });
    return { kind: 'requeue', afterMs: settleMs + minuteMs - (isPending ? ageMs : 0) };
  }

  async #failed(
    run: Run,
    verification: VerificationStatus,
    error: SumoLogicError | KonnectError,
  ): Promise<ReconcileResult> {
    const { forwarding, wanted } = run;
    if (error instanceof SumoLogicError) {
      const verdict = refusedSearch(error, `Secret ${wanted.sumoLogic.secretRef.name}`);
      await this.#write(run, { verification, verdict });
      return { kind: 'retry' };
    }
    const source = { tokenSource: tokenSource(forwarding), now: this.#options.now };
    const problem: Problem = problemOf(error, "Konnect's list of audit logs", source);
    // An outage of Konnect says nothing about the lines, and Ready shows it.
    const verdict =
      problem.severity === 'unavailable' && hasVerdict(forwarding) ? undefined : notSearched(problem.message);
    await this.#write(run, { verification, verdict });
    return { kind: 'retry', minDelayMs: problem.retryAfterMs ?? 0 };
  }

  /** Writes status if the forwarding still wants this verification, and records an event if the verdict is another one than before. */
  async #write({ key, forwarding: { metadata }, signal }: Run, { verification, verdict, gap }: Outcome): Promise<void> {
    const { cluster, exclusively, find, now } = this.#options;
    await exclusively(key, async () => {
      const forwarding = find(key);
      const isSame =
        forwarding?.metadata.uid === metadata.uid && forwarding.metadata.generation === metadata.generation;
      if (forwarding === undefined || !isSame || forwarding.spec.verification === undefined) return;
      const status = new StatusWriter(forwarding, (one, next, until) => cluster.writeStatus(one, next, until), now);
      const context = status.context('none');
      const conditions = verdict === undefined ? context.previous : withVerified(verdict, context);
      const { jobs = [], ...rest } = verification;
      const found = {
        verification: { ...rest, ...(jobs.length === 0 ? {} : { jobs: jobs.slice(-maxRecordedJobs) }) },
        ...(gap === undefined ? {} : { delivery: withMissingLines(forwarding.status.delivery, gap) }),
      };
      await status.writeVerification(found, conditions, signal);
      const before = verifiedOf(forwarding.status.conditions);
      if (verdict === undefined || verdict.reason === 'NotSearchedYet' || verdict.reason === before?.reason) return;
      const { status: value, reason, message: note } = verdict;
      cluster.recordEvent(forwarding, {
        type: value === 'True' ? 'Normal' : 'Warning',
        reason,
        action: 'Verify',
        note,
      });
    });
  }
}

/** Returns true if an earlier verification has ended with an answer, whatever it was. */
function hasVerdict({ status }: AuditLogForwarding): boolean {
  return (verifiedOf(status.conditions)?.status ?? 'Unknown') !== 'Unknown';
}

/** Returns true if that was a verification of this generation of spec. */
function isCurrent(forwarding: AuditLogForwarding): boolean {
  const { metadata, status } = forwarding;
  return hasVerdict(forwarding) && verifiedOf(status.conditions)?.observedGeneration === metadata.generation;
}

function verifiedOf(conditions: readonly Condition[] = []): Condition | undefined {
  return conditions.find(({ type }) => type === 'Verified');
}
