/** From a key to a settled forwarding: the entry of the domain. */
import { parseDurationMs } from '../../api/duration.ts';
import {
  type AuditLogForwarding,
  type CleanupStatus,
  type Condition,
  demandOf,
  finalizer,
} from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import type { Priority } from '../../runtime/priority.ts';
import type { ReconcileResult } from '../../runtime/reconcile-result.ts';
import { type ConditionContext, conditionsOf, type Report, suspended } from '../../status/conditions.ts';
import { withoutAnyCorrections } from '../../status/corrections.ts';
import { holdsAnything, objectKeyOf } from '../../status/recorded-state.ts';
import { StatusDraft } from '../../status/status-writer.ts';
import { settleIntent } from '../apply/pending-creation.ts';
import { type Credentials, resolveCredentials, resolveToken, tokenSource } from '../desired/credentials.ts';
import { resolvePortals } from '../desired/desired-portals.ts';
import { desire, destinationName } from '../desired/desired-state.ts';
import { claimsOf } from '../ownership/claims.ts';
import { Turns } from '../ownership/keyed-lock.ts';
import { rivalsOf, successorOf } from '../ownership/ownership.ts';
import type { Cluster, Konnect } from '../ports.ts';
import { type Problem, problemOf, reasons, waiting, worstFirst } from '../problems.ts';
import { announce, type Pass, type Successor } from '../reconcile-context.ts';
import { sync } from './enforce.ts';
import { finalize, whatStays } from './finalize.ts';
import { Ages } from './first-seen.ts';
import { secretsReport, troubleReport, troublesOf } from './health-report.ts';
import { watchOnly } from './observe-only.ts';
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
  readonly intentPatienceMs: number;
  /** The time of day, for what stands on record. */
  readonly now: () => Date;
  /** Milliseconds from any start that never go back, for all patience; those of `now` unless given. */
  readonly nowMs?: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

const handoverPatienceMs = 2 * 60_000;
const longestGraceMs = 30 * 60_000;
const standardIntervalMs = 10 * 60_000;

/** Holds what one process knows of its forwardings and no status may hold: tokens that were good, and since when Konnect is in trouble. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #nowMs: () => number;
  readonly #ages: Ages;
  /** Of which object the rest is known; by key. */
  readonly #uids = new Map<string, string>();
  /** By key, then by organization. */
  readonly #goodTokens = new Map<string, Map<string, string>>();
  /** Since when something has waited for whom it is handed over to; by key and entry. */
  readonly #handingOverSinceMs = new Map<string, Map<string, number>>();
  readonly #troubleSinceMs = new Map<string, number>();
  readonly #turns = new Turns();
  /** Since when Konnect has refused to delete a destination that is in use; by key and id. */
  readonly #inUseSinceMs = new Map<string, Map<string, number>>();

  constructor(options: ReconcilerOptions) {
    const { now } = options;
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => now().getTime());
    this.#ages = new Ages(this.#nowMs);
  }

  /** One pass. Rejects with KubeError, and with what `signal` was aborted for; all else is told in status. */
  async reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    try {
      return await this.#reconcile(key, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<ReconcileResult> {
    const forwarding = this.#options.find(key);
    if (forwarding?.metadata.uid !== this.#uids.get(key)) this.#forget(key);
    if (forwarding === undefined) return { kind: 'done' };
    this.#uids.set(key, forwarding.metadata.uid);
    const { cluster, now } = this.#options;
    const draft = new StatusDraft(forwarding, (one, status, until) => cluster.writeStatus(one, status, until), now);
    if (forwarding.metadata.deletionTimestamp === undefined) return this.#keepRight(key, draft, signal);
    if (!forwarding.metadata.finalizers.includes(finalizer)) return { kind: 'done' };
    return this.#undoAll(key, draft, signal);
  }

  /** Another one of the same name starts with nothing: the tokens above all were not its own. */
  #forget(key: string): void {
    const known = [this.#uids, this.#goodTokens, this.#handingOverSinceMs, this.#troubleSinceMs, this.#inUseSinceMs];
    for (const each of known) each.delete(key);
    this.#ages.forget(key);
  }

  async #keepRight(key: string, draft: StatusDraft, signal: AbortSignal): Promise<ReconcileResult> {
    const { cluster } = this.#options;
    const { forwarding } = draft;
    const before = forwarding.status.conditions ?? [];
    const demand = demandOf(forwarding.metadata.annotations);
    const isDemanded = demand !== undefined && demand !== draft.memory.lastHandledReconcileAt;
    if (isDemanded) draft.memory = withoutAnyCorrections(draft.memory);
    // Only at the end: a pass that is overtaken or cut off is made again as it was demanded.
    const answer = () => {
      if (isDemanded) draft.memory = { ...draft.memory, lastHandledReconcileAt: demand };
    };
    if (forwarding.spec.suspend) {
      answer();
      return this.#rest(draft, before, signal);
    }
    const [token, credentials] = await Promise.all([
      resolveToken(forwarding, cluster, signal),
      resolveCredentials(forwarding, cluster, signal),
    ]);
    const missing = [token, credentials].flatMap((one) => (one.kind === 'problem' ? [one.problem] : []));
    if (token.kind === 'problem' || credentials.kind === 'problem') {
      answer();
      return this.#conclude(key, draft, before, secretsReport(missing), 'none', signal);
    }
    const wasApplied = isApplied(forwarding, credentials.value?.secretVersion);
    const priority = wasApplied && !isDemanded && !isPending(before) ? 'resync' : 'new';
    const pass = this.#pass(key, draft, { token: token.value, wasApplied, priority }, signal);
    const maxListAgeMs = isDemanded ? 0 : intervalMs(forwarding) / 2;
    const report = await this.#sync(key, pass, token.value, credentials.value, maxListAgeMs);
    answer();
    return this.#conclude(key, draft, before, report, this.#grace(key, report, wasApplied, forwarding), signal);
  }

  /** Suspended: what is known stays, and the generation is answered. */
  async #rest(draft: StatusDraft, before: readonly Condition[], signal: AbortSignal): Promise<ReconcileResult> {
    const message =
      'spec.suspend is true: nothing is written to Konnect, and nothing looked for, until it is false again';
    const conditions = suspended(message, draft.context('none'));
    await draft.conclude(conditions, signal);
    this.#tell(draft, before, conditions);
    return { kind: 'done' };
  }

  async #sync(
    key: string,
    pass: Pass,
    token: string,
    credentials: Credentials | undefined,
    maxListAgeMs: number,
  ): Promise<Report> {
    const { clusterName, contenders, intentPatienceMs } = this.#options;
    const { forwarding } = pass.draft;
    try {
      const proof = await proveOrganization(pass);
      if (proof.kind === 'problem') return secretsReport([proof.problem]);
      const { organizationID } = proof;
      this.#knowToken(key, organizationID, token);
      const unsettled = await this.#settleElsewhere(pass, organizationID);
      if (unsettled !== undefined) return unsettled;
      const wanted = await resolvePortals(forwarding, { ...pass, memory: pass.draft.memory, organizationID });
      const desired = desire(forwarding, credentials, clusterName, wanted);
      const claims = claimsOf(forwarding, destinationName(forwarding, clusterName), organizationID, wanted.portals);
      return await this.#turns.take(claims, async () => {
        const rivals = rivalsOf({
          self: forwarding,
          organizationID,
          all: contenders(key, claims),
          destinationName: (other) => destinationName(other, clusterName),
        });
        const options = { organizationID, maxListAgeMs, intentPatienceMs, rivals };
        return forwarding.spec.mode === 'Observe' ? watchOnly(pass, desired, options) : sync(pass, desired, options);
      });
    } catch (error) {
      if (!(error instanceof KonnectError) || pass.signal.aborted) throw error;
      const problem = problemOf(error, "this forwarding's organization", pass.tokenSource);
      return problem.severity === 'stalled' ? secretsReport([problem]) : troubleReport(problem);
    }
  }

  /** Before the forwarding moves to another organization, what a lost creation may have made in the old one is looked for there. */
  async #settleElsewhere(pass: Pass, organizationID: string): Promise<Report | undefined> {
    const { memory, forwarding } = pass.draft;
    const remembered = memory.konnect?.organizationID ?? organizationID;
    if (remembered === organizationID || memory.destination?.creating === undefined) return undefined;
    const { konnect: where, mode } = forwarding.spec;
    const konnect = pass.konnectIn(remembered);
    if (konnect === undefined || mode === 'Observe')
      return secretsReport([organizationChanged(pass, remembered, organizationID)]);
    const problem = await settleIntent({ ...pass, konnect }, where.auditLogsAPI, this.#options.intentPatienceMs);
    return problem === undefined ? undefined : troubleReport(problem);
  }

  #knowToken(key: string, organizationID: string, token: string): void {
    const known = this.#goodTokens.get(key) ?? new Map<string, string>();
    this.#goodTokens.set(key, known.set(organizationID, token));
  }

  async #undoAll(key: string, draft: StatusDraft, signal: AbortSignal): Promise<ReconcileResult> {
    const { cluster } = this.#options;
    const { forwarding } = draft;
    const { deletionPolicy, mode } = forwarding.spec;
    if (deletionPolicy === 'Retain' || mode === 'Observe') {
      const why = deletionPolicy === 'Retain' ? 'deletionPolicy is Retain' : 'mode is Observe';
      const note = `${why}: left live in Konnect: ${whatStays(forwarding.status)}`;
      announce({ cluster, draft }, 'Normal', 'Retained', 'Delete', note);
      await cluster.removeFinalizer(forwarding, signal);
      return { kind: 'done' };
    }
    if ((forwarding.status.conditions ?? []).length === 0 && !holdsAnything(draft.memory)) this.#tellLoss(draft);
    const found = holdsAnything(draft.memory) ? await this.#undo(key, draft, signal) : [];
    if (found.length === 0) {
      await cluster.removeFinalizer(draft.forwarding, signal);
      return { kind: 'done' };
    }
    const out = `or set spec.deletionPolicy to Retain, which lets go and leaves live in Konnect: ${whatStays(draft.memory)}`;
    const troubles = worstFirst(found).map((problem, index) =>
      index === 0 ? { ...problem, message: `deletion waits: ${problem.message}; ${out}` } : problem,
    );
    const unchecked = { kind: 'unchecked', message: 'is being deleted' } as const;
    const report: Report = {
      secrets: unchecked,
      destination: unchecked,
      webhooks: unchecked,
      cleanup: { kind: 'bad', troubles },
      readyMessage: '',
    };
    return this.#conclude(key, draft, forwarding.status.conditions ?? [], report, 'none', signal);
  }

  /** The finalizer tells that something was set in Konnect, and an emptied status no longer what. */
  #tellLoss(draft: StatusDraft): void {
    const { cluster, clusterName } = this.#options;
    const name = destinationName(draft.forwarding, clusterName);
    const destination = name === undefined ? '' : `destination "${name}" or `;
    const note = `status was emptied before the deletion, so nothing is undone: if ${destination}a webhook that spec names is left in Konnect, remove it there`;
    announce({ cluster, draft }, 'Warning', 'StatusLost', 'Delete', note);
  }

  async #undo(key: string, draft: StatusDraft, signal: AbortSignal): Promise<readonly Problem[]> {
    const { cluster, intentPatienceMs } = this.#options;
    const token = await resolveToken(draft.forwarding, cluster, signal);
    const value = token.kind === 'resolved' ? token.value : this.#lastGoodToken(key, draft.forwarding);
    if (value === undefined) return [tokenGone(draft.forwarding)];
    const pass = this.#pass(key, draft, { token: value, wasApplied: false, priority: 'new' }, signal);
    try {
      const proof = await proveOrganization(pass);
      if (proof.kind === 'problem') return [proof.problem];
      const { organizationID: proved } = proof;
      const organizationID = draft.memory.konnect?.organizationID ?? proved;
      const konnect = organizationID === proved ? pass.konnect : pass.konnectIn(organizationID);
      if (konnect === undefined) return [organizationChanged(pass, organizationID, proved)];
      const options = { organizationID, intentPatienceMs };
      const claims = claimsOf(draft.forwarding, undefined, organizationID);
      return await this.#turns.take(claims, () => finalize({ ...pass, konnect }, options));
    } catch (error) {
      if (!(error instanceof KonnectError) || signal.aborted) throw error;
      return [problemOf(error, "this forwarding's organization", pass.tokenSource)];
    }
  }

  #lastGoodToken(key: string, { status }: AuditLogForwarding): string | undefined {
    return this.#goodTokens.get(key)?.get(status.konnect?.organizationID ?? '');
  }

  #inUseForMs(key: string, destinationID: string): number {
    const nowMs = this.#nowMs();
    const since = this.#inUseSinceMs.get(key) ?? new Map<string, number>();
    const sinceMs = since.get(destinationID) ?? nowMs;
    this.#inUseSinceMs.set(key, since.set(destinationID, sinceMs));
    return nowMs - sinceMs;
  }

  async #conclude(
    key: string,
    draft: StatusDraft,
    before: readonly Condition[],
    report: Report,
    grace: ConditionContext['grace'],
    signal: AbortSignal,
  ): Promise<ReconcileResult> {
    const conditions = conditionsOf(report, draft.context(grace));
    await draft.conclude(conditions, signal);
    this.#tell(draft, before, conditions);
    const troubles = troublesOf(report);
    if (!troubles.some(({ severity }) => severity === 'unavailable')) this.#troubleSinceMs.delete(key);
    const soon = troubles.filter(({ severity, reason }) => severity !== 'stalled' && !bySecret.has(reason));
    if (soon.length === 0) {
      return { kind: 'requeue', afterMs: intervalMs(draft.forwarding) * (1 - this.#options.random() / 10) };
    }
    const minDelayMs = Math.max(...soon.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    const { generation, annotations } = draft.forwarding.metadata;
    const request = `${String(generation)} ${demandOf(annotations) ?? ''}`;
    const cause = soon.some(({ severity }) => severity === 'unavailable') ? 'unavailable' : 'waiting';
    return { kind: 'retry', minDelayMs, backOffKey: { request, cause } };
  }

  #grace(key: string, report: Report, wasApplied: boolean, forwarding: AuditLogForwarding): ConditionContext['grace'] {
    const wasReady = readyOf(forwarding.status.conditions)?.status !== 'False';
    if (!wasApplied || !wasReady || !troublesOf(report).some(({ severity }) => severity === 'unavailable'))
      return 'none';
    const nowMs = this.#nowMs();
    const sinceMs = this.#troubleSinceMs.get(key) ?? nowMs;
    this.#troubleSinceMs.set(key, sinceMs);
    return nowMs - sinceMs < Math.min(3 * intervalMs(forwarding), longestGraceMs) ? 'keep' : 'unknown';
  }

  /** An event where what keeps the forwarding from being ready changes, and when nothing does any longer. */
  #tell(draft: StatusDraft, before: readonly Condition[], after: readonly Condition[]): void {
    const trouble = (conditions: readonly Condition[]) =>
      conditions.find(({ type }) => type === 'Stalled' || type === 'Reconciling') ??
      conditions.find(({ reason }) => reason === 'Drifted');
    const [is, was] = [trouble(after), trouble(before)];
    const { cluster } = this.#options;
    if (is !== undefined && (is.reason !== was?.reason || is.message !== was.message)) {
      announce({ cluster, draft }, 'Warning', is.reason, 'Reconcile', is.message);
    }
    const now = readyOf(after);
    if (now?.status === 'True' && readyOf(before)?.status !== 'True') {
      announce({ cluster, draft }, 'Normal', now.reason, 'Reconcile', now.message);
    }
  }

  #pass(
    key: string,
    draft: StatusDraft,
    { token, wasApplied, priority }: { token: string; wasApplied: boolean; priority: Priority },
    signal: AbortSignal,
  ): Pass {
    const { cluster, konnectFor, now } = this.#options;
    const { forwarding } = draft;
    return {
      forwarding,
      draft,
      cluster,
      now,
      stamp: () => {
        const time = now().toISOString();
        this.#ages.ageMs(key, time);
        return time;
      },
      ageMs: (time) => this.#ages.ageMs(key, time),
      signal,
      wasApplied,
      konnect: konnectFor(token, priority),
      tokenSource: tokenSource(forwarding),
      konnectIn: (organizationID) => {
        const known = this.#goodTokens.get(key)?.get(organizationID);
        return known === undefined ? undefined : konnectFor(known, priority);
      },
      successor: (entry, destinationID) => this.#successor(key, draft, entry, destinationID),
      inUseForMs: (destinationID) => this.#inUseForMs(key, destinationID),
    };
  }

  #successor(
    key: string,
    { forwarding: self }: StatusDraft,
    entry: CleanupStatus,
    destinationID: string | undefined,
  ): Successor | undefined {
    const { contenders } = this.#options;
    const claims = claimsOf(self, undefined);
    const next = successorOf({ self, all: contenders(key, claims) }, entry, destinationID);
    const since = this.#handingOverSinceMs.get(key) ?? new Map<string, number>();
    const object = `${entry.region}/${objectKeyOf(entry)}`;
    if (next === undefined || next.hasIt) {
      since.delete(object);
      return next;
    }
    const nowMs = this.#nowMs();
    const sinceMs = since.get(object) ?? nowMs;
    this.#handingOverSinceMs.set(key, since.set(object, sinceMs));
    return nowMs - sinceMs < handoverPatienceMs ? next : undefined;
  }
}

/** Healed by an event, not by time. */
const bySecret: ReadonlySet<string> = new Set([reasons.secretNotFound, reasons.secretKeyNotFound, reasons.tokenGone]);

function intervalMs({ spec }: AuditLogForwarding): number {
  return parseDurationMs(spec.interval) ?? standardIntervalMs;
}

/** True where a pass of this generation, with these Secrets, came to its end before this one. */
function isApplied({ metadata, status }: AuditLogForwarding, secretVersion: string | undefined): boolean {
  const versions = [status.destination?.secretVersion, status.organization?.secretVersion];
  const sameSecrets = versions.every((version) => version === undefined || version === secretVersion);
  const ready = readyOf(status.conditions);
  return ready?.observedGeneration === metadata.generation && ready.reason !== reasons.applying && sameSecrets;
}

/** True where something wanted is not in place yet, and nobody has to act for it. */
function isPending(conditions: readonly Condition[]): boolean {
  return readyOf(conditions)?.status === 'False' && conditions.some(({ type }) => type === 'Reconciling');
}

function readyOf(conditions: readonly Condition[] = []): Condition | undefined {
  return conditions.find(({ type }) => type === 'Ready');
}

function tokenGone(forwarding: AuditLogForwarding): Problem {
  const organization = forwarding.status.konnect?.organizationID ?? '';
  return waiting(
    reasons.tokenGone,
    `the Konnect token is gone: create ${tokenSource(forwarding)} again with a token of organization ${organization}`,
  );
}
