/** From a key to a settled forwarding: the entry of the domain. */
import { parseDurationMs } from '../api/duration.ts';
import { type AuditLogForwarding, type Condition, finalizer } from '../api/v1alpha1.ts';
import { KonnectError } from '../konnect/errors.ts';
import { type ConditionContext, conditionsOf, type Report, type Trouble } from '../status/conditions.ts';
import { StatusDraft } from '../status/draft.ts';
import { desire } from './desired.ts';
import { finalize, whatStays } from './finalize.ts';
import { holdsAnything } from './memory.ts';
import { proveOrganization } from './organization.ts';
import { announce, type Pass } from './pass.ts';
import type { Cluster, Konnect } from './ports.ts';
import { type Problem, problemOf, reasons, waiting, worstFirst } from './problems.ts';
import { type Credentials, resolveCredentials, resolveToken, tokenSource } from './secrets.ts';
import { sync } from './sync.ts';

export interface ReconcilerOptions {
  readonly cluster: Cluster;
  readonly konnectFor: (token: string) => Konnect;
  /** The forwarding as last seen, at least as new as our own last write of it. */
  readonly find: (key: string) => AuditLogForwarding | undefined;
  readonly clusterName: string;
  /** How long Konnect may serve lists that lack a destination whose POST may have been carried out, the POST's own time included. */
  readonly intentPatienceMs: number;
  readonly now: () => Date;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** What a pass asks for next; the same words as the controller's. */
export type Next =
  | { readonly kind: 'settled' }
  | { readonly kind: 'again'; readonly afterMs: number }
  | { readonly kind: 'retry'; readonly atLeastMs?: number };

const releasePatienceMs = 10 * 60_000;
const longestGraceMs = 30 * 60_000;
const standardIntervalMs = 10 * 60_000;

/** Holds what one process knows of its forwardings and no status may hold: tokens that were good, and since when Konnect is in trouble. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #goodTokens = new Map<string, string>();
  readonly #troubleSinceMs = new Map<string, number>();
  readonly #inUseSinceMs = new Map<string, number>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** One pass. Rejects with KubeError, and with what `signal` was aborted for; all else is told in status. */
  async reconcile(key: string, signal: AbortSignal): Promise<Next> {
    const forwarding = this.#options.find(key);
    if (forwarding === undefined) {
      this.#goodTokens.delete(key);
      this.#troubleSinceMs.delete(key);
      this.#inUseSinceMs.delete(key);
      return { kind: 'settled' };
    }
    const { cluster, now } = this.#options;
    const draft = new StatusDraft(forwarding, (one, status, until) => cluster.writeStatus(one, status, until), now);
    if (forwarding.metadata.deletionTimestamp === undefined) return this.#keepRight(key, draft, signal);
    if (!forwarding.metadata.finalizers.includes(finalizer)) return { kind: 'settled' };
    return this.#undoAll(key, draft, signal);
  }

  async #keepRight(key: string, draft: StatusDraft, signal: AbortSignal): Promise<Next> {
    const { cluster } = this.#options;
    const { forwarding } = draft;
    const [token, credentials] = await Promise.all([
      resolveToken(forwarding, cluster, signal),
      resolveCredentials(forwarding, cluster, signal),
    ]);
    const missing = [token, credentials].flatMap((one) => (one.kind === 'problem' ? [one.problem] : []));
    if (token.kind === 'problem' || credentials.kind === 'problem') {
      return this.#conclude(key, draft, forwarding.status.conditions ?? [], secretsReport(missing), 'none', signal);
    }
    const wasApplied = isApplied(forwarding, credentials.value);
    const pass = this.#pass(draft, token.value, wasApplied, signal);
    const report = await this.#sync(key, pass, token.value, credentials.value);
    return this.#conclude(
      key,
      draft,
      forwarding.status.conditions ?? [],
      report,
      this.#grace(key, report, wasApplied, forwarding),
      signal,
    );
  }

  async #sync(key: string, pass: Pass, token: string, credentials: Credentials): Promise<Report> {
    const { clusterName, intentPatienceMs } = this.#options;
    const { draft } = pass;
    try {
      const proof = await proveOrganization(pass);
      if (proof.kind === 'problem') return secretsReport([proof.problem]);
      this.#goodTokens.set(key, token);
      const desired = desire(draft.forwarding, credentials, clusterName);
      const maxListAgeMs = intervalMs(draft.forwarding) / 2;
      return await sync(pass, desired, { organizationID: proof.organizationID, maxListAgeMs, intentPatienceMs });
    } catch (error) {
      if (!(error instanceof KonnectError) || pass.signal.aborted) throw error;
      const problem = problemOf(error, "this forwarding's organisation", pass.tokenSource);
      return problem.severity === 'stalled' ? secretsReport([problem]) : troubleReport(problem);
    }
  }

  async #undoAll(key: string, draft: StatusDraft, signal: AbortSignal): Promise<Next> {
    const { cluster, intentPatienceMs } = this.#options;
    const { forwarding } = draft;
    if (forwarding.spec.deletionPolicy === 'Retain') {
      const note = `deletionPolicy is Retain: ${whatStays(forwarding.status)} stays live in Konnect`;
      announce({ cluster, draft }, 'Normal', 'Retained', 'Delete', note);
      await cluster.removeFinalizer(forwarding, signal);
      return { kind: 'settled' };
    }
    const found = holdsAnything(draft.memory) ? await this.#undo(key, draft, intentPatienceMs, signal) : [];
    if (found.length === 0) {
      await cluster.removeFinalizer(draft.forwarding, signal);
      return { kind: 'settled' };
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

  async #undo(
    key: string,
    draft: StatusDraft,
    intentPatienceMs: number,
    signal: AbortSignal,
  ): Promise<readonly Problem[]> {
    const token = await resolveToken(draft.forwarding, this.#options.cluster, signal);
    const value = token.kind === 'resolved' ? token.value : this.#goodTokens.get(key);
    if (value === undefined) return [tokenGone(draft.forwarding)];
    const pass = this.#pass(draft, value, false, signal);
    try {
      const proof = await proveOrganization(pass);
      if (proof.kind === 'problem') return [proof.problem];
      return await finalize(pass, {
        organizationID: proof.organizationID,
        intentPatienceMs,
        isReleaseOverdue: () => this.#isReleaseOverdue(key),
      });
    } catch (error) {
      if (!(error instanceof KonnectError) || signal.aborted) throw error;
      return [problemOf(error, "this forwarding's organisation", pass.tokenSource)];
    }
  }

  /** Counted from when the destination was first seen in use with nothing of ours attached: an outage before that is no patience. */
  #isReleaseOverdue(key: string): boolean {
    const nowMs = this.#options.now().getTime();
    const sinceMs = this.#inUseSinceMs.get(key) ?? nowMs;
    this.#inUseSinceMs.set(key, sinceMs);
    return nowMs - sinceMs > releasePatienceMs;
  }

  async #conclude(
    key: string,
    draft: StatusDraft,
    before: readonly Condition[],
    report: Report,
    grace: ConditionContext['grace'],
    signal: AbortSignal,
  ): Promise<Next> {
    const conditions = conditionsOf(report, draft.context(grace));
    await draft.conclude(conditions, signal);
    this.#tell(draft, before, conditions);
    const troubles = troublesOf(report);
    if (!troubles.some(({ severity }) => severity === 'unavailable')) this.#troubleSinceMs.delete(key);
    const soon = troubles.filter(({ severity, reason }) => severity !== 'stalled' && !bySecret.has(reason));
    if (soon.length === 0) {
      return { kind: 'again', afterMs: intervalMs(draft.forwarding) * (1 - this.#options.random() / 10) };
    }
    const atLeastMs = Math.max(...soon.map(({ retryAfterMs }) => retryAfterMs ?? 0));
    return { kind: 'retry', atLeastMs };
  }

  #grace(key: string, report: Report, wasApplied: boolean, forwarding: AuditLogForwarding): ConditionContext['grace'] {
    const wasReady = readyOf(forwarding.status.conditions)?.status !== 'False';
    if (!wasApplied || !wasReady || !troublesOf(report).some(({ severity }) => severity === 'unavailable'))
      return 'none';
    const nowMs = this.#options.now().getTime();
    const sinceMs = this.#troubleSinceMs.get(key) ?? nowMs;
    this.#troubleSinceMs.set(key, sinceMs);
    return nowMs - sinceMs < Math.min(3 * intervalMs(forwarding), longestGraceMs) ? 'keep' : 'unknown';
  }

  /** An event where what keeps the forwarding from being ready changes, and when nothing does any longer. */
  #tell(draft: StatusDraft, before: readonly Condition[], after: readonly Condition[]): void {
    const trouble = (conditions: readonly Condition[]) =>
      conditions.find(({ type }) => type === 'Stalled' || type === 'Reconciling');
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

  #pass(draft: StatusDraft, token: string, wasApplied: boolean, signal: AbortSignal): Pass {
    const { cluster, konnectFor, now } = this.#options;
    const { forwarding } = draft;
    return {
      forwarding,
      draft,
      cluster,
      now,
      signal,
      wasApplied,
      konnect: konnectFor(token),
      tokenSource: tokenSource(forwarding),
    };
  }
}

/** Healed by an event, not by time. */
const bySecret: ReadonlySet<string> = new Set([reasons.secretNotFound, reasons.secretKeyNotFound, reasons.tokenGone]);

function intervalMs({ spec }: AuditLogForwarding): number {
  return parseDurationMs(spec.interval) ?? standardIntervalMs;
}

/** True where a pass of this generation, with these Secrets, came to its end before this one. */
function isApplied({ metadata, status }: AuditLogForwarding, { secretVersion }: Credentials): boolean {
  const versions = [status.destination?.secretVersion, status.organization?.secretVersion];
  const sameSecrets = versions.every((version) => version === undefined || version === secretVersion);
  const ready = readyOf(status.conditions);
  return ready?.observedGeneration === metadata.generation && ready.reason !== reasons.applying && sameSecrets;
}

function readyOf(conditions: readonly Condition[] = []): Condition | undefined {
  return conditions.find(({ type }) => type === 'Ready');
}

function troublesOf({ secrets, destination, webhooks, cleanup }: Report): readonly Trouble[] {
  return [secrets, destination, webhooks, cleanup].flatMap((part) => (part.kind === 'bad' ? part.troubles : []));
}

function secretsReport(problems: readonly Problem[]): Report {
  const unchecked = { kind: 'unchecked', message: 'see SecretsResolved' } as const;
  return {
    secrets: { kind: 'bad', troubles: worstFirst(problems) },
    destination: unchecked,
    webhooks: unchecked,
    cleanup: { kind: 'good', reason: '', message: '' },
    readyMessage: '',
  };
}

function troubleReport(problem: Problem): Report {
  const bad = { kind: 'bad', troubles: [problem] } as const;
  return {
    secrets: { kind: 'good', reason: 'Resolved', message: 'every Secret and key is there' },
    destination: bad,
    webhooks: bad,
    cleanup: { kind: 'good', reason: '', message: '' },
    readyMessage: '',
  };
}

function tokenGone(forwarding: AuditLogForwarding): Problem {
  const organization = forwarding.status.konnect?.organizationID ?? '';
  return waiting(
    reasons.tokenGone,
    `the Konnect token is gone: create ${tokenSource(forwarding)} again with a token of organisation ${organization}`,
  );
}
