/** The end of a reconciliation: conditions, status, events, and when the next one is due. */
import { parseDurationMs } from '../../api/duration.ts';
import { type AuditLogForwarding, type Condition, reconcileRequestOf } from '../../api/v1alpha1.ts';
import type { ReconcileResult } from '../../runtime/reconcile-result.ts';
import {
  type ConditionContext,
  conditionsOf,
  type DeliveryHealth,
  type Report,
  suspended,
} from '../../status/conditions.ts';
import { nextLookMs } from '../../status/delivery.ts';
import { withObservation } from '../../status/recorded-state.ts';
import type { StatusWriter } from '../../status/status-writer.ts';
import type { Cluster } from '../ports.ts';
import { reasons } from '../problems.ts';
import { recordEvent } from '../reconcile-context.ts';
import { spread } from './delivery-looks.ts';
import { gapConditions } from './gap-report.ts';
import { problemsOf } from './health-report.ts';

const maxGraceMs = 30 * 60_000;
const defaultIntervalMs = 10 * 60_000;

/** What a conclusion is written to. */
export interface Conclusion {
  readonly cluster: Cluster;
  readonly status: StatusWriter;
  /** The conditions before this reconciliation. */
  readonly before: readonly Condition[];
  /** When this reconciliation began. What became due since is not done yet. */
  readonly startedAt: Date;
  readonly signal: AbortSignal;
}

/** Writes the conditions of `report`, and records an event if they changed what a user should know. */
export function conclude(to: Conclusion, report: Report, grace: ConditionContext['grace']): Promise<void> {
  const { status } = to;
  const context = status.context(grace);
  if (isObserved(report)) status.recorded = withObservation(status.recorded, context.now);
  const verified = context.previous.filter(({ type }) => type === 'Verified');
  const conditions = [...conditionsOf(report, context), ...gapConditions(status, context), ...verified];
  return writeConditions(to, conditions, report.delivery);
}

/** Writes the conditions of a suspended forwarding for its generation. */
export async function suspend(to: Conclusion): Promise<ReconcileResult> {
  const message = 'spec.suspend is true: the operator reads and writes nothing in Konnect until it is false again';
  await writeConditions(to, suspended(message, to.status.context('none')), undefined);
  return { kind: 'done' };
}

/** Writes the status with these conditions, and records the transition. */
async function writeConditions(
  to: Conclusion,
  conditions: Condition[],
  delivery: DeliveryHealth | undefined,
): Promise<void> {
  await to.status.write(conditions, to.signal);
  recordTransition(to, conditions);
  const delivering = conditions.find(({ type }) => type === 'Delivering');
  if (delivering !== undefined && delivery?.kind === 'seen' && delivery.isNews) {
    const { status, reason, message } = delivering;
    recordEvent(to, status === 'True' ? 'Normal' : 'Warning', reason, 'Deliver', message);
  }
  recordGapTransition(to, conditions);
}

/** Records an event if a user can have logs sent again, and if Konnect is about to delete them. */
function recordGapTransition({ cluster, status, before }: Conclusion, after: readonly Condition[]): void {
  for (const { type, reason, message } of after) {
    if (!['ReplayAvailable', 'GapSixDaysOld', 'LogsLost'].includes(reason)) continue;
    if (before.find((one) => one.type === type)?.reason === reason) continue;
    recordEvent({ cluster, status }, 'Warning', reason, 'Deliver', message);
  }
}

/** Records an event if the problem that keeps the forwarding from being ready changed, and when the forwarding becomes ready. */
function recordTransition({ cluster, status, before }: Conclusion, after: readonly Condition[]): void {
  const problemIn = (conditions: readonly Condition[]) =>
    conditions.find(({ type }) => type === 'Stalled' || type === 'Reconciling') ??
    conditions.find(({ reason }) => reason === 'Drifted');
  const [is, was] = [problemIn(after), problemIn(before)];
  if (is !== undefined && (is.reason !== was?.reason || is.message !== was.message)) {
    // A handover ends by itself, and the webhook sends all the time.
    const type = is.reason === reasons.handingOver ? 'Normal' : 'Warning';
    recordEvent({ cluster, status }, type, is.reason, 'Reconcile', is.message);
  }
  const ready = readyOf(after);
  if (ready?.status === 'True' && readyOf(before)?.status !== 'True') {
    recordEvent({ cluster, status }, 'Normal', ready.reason, 'Reconcile', ready.message);
  }
}

/** Problems that end when a Secret changes, so that a retry would be of no use. */
const endedBySecret: ReadonlySet<string> = new Set([
  reasons.secretNotFound,
  reasons.secretKeyNotFound,
  reasons.tokenGone,
]);

/** Problems that a change in Konnect ends, of which Konnect does not notify the operator. */
const endedInKonnect: ReadonlySet<string> = new Set([
  reasons.tokenRejected,
  reasons.permissionDenied,
  reasons.requestRefused,
  reasons.organizationUnproven,
  reasons.nameInUse,
  reasons.webhookInUse,
  reasons.destinationNotFound,
  reasons.portalNotFound,
]);

/** Returns true if Konnect refuses something, so that a change there may end the problem. */
export function isRefused(report: Report): boolean {
  return problemsOf(report).some(({ reason }) => endedInKonnect.has(reason));
}

export interface DueOptions {
  readonly earlyMs: number | undefined;
  readonly random: () => number;
  readonly now: Date;
  readonly isAfterRestart: boolean;
  /** In how many milliseconds the webhooks have to be looked at again. */
  readonly lookInMs: number;
}

/**
 * Returns when the forwarding is due again: after its interval, sooner while deliveries fail, or with back-off while a problem ends by
 * itself. A forwarding that Konnect refuses something is resynced with back-off too, but not before `earlyMs`. `random`: 0 to below 1. After
 * a restart, the resyncs spread over the second half of the interval, since all forwardings were reconciled at once.
 */
export function nextAfter(
  report: Report,
  forwarding: AuditLogForwarding,
  { earlyMs, random, now, isAfterRestart, lookInMs }: DueOptions,
): ReconcileResult {
  const soon = problemsOf(report).filter(
    ({ severity, reason }) => severity !== 'stalled' && !endedBySecret.has(reason),
  );
  const { generation, annotations } = forwarding.metadata;
  const request = `${String(generation)} ${reconcileRequestOf(annotations) ?? ''}`;
  if (soon.length === 0) {
    const dueInMs = Math.min(lookInMs, nextLookMs(forwarding.status, now) ?? Infinity);
    const afterMs = dueInMs * (1 - random() * (isAfterRestart ? 0.5 : spread));
    if (earlyMs === undefined) return { kind: 'requeue', afterMs };
    const backOffKey = { request, cause: 'refused' };
    return { kind: 'requeue', afterMs, early: { minDelayMs: earlyMs, backOffKey } };
  }
  const minDelayMs = Math.max(...soon.map(({ retryAfterMs }) => retryAfterMs ?? 0));
  const cause = soon.some(({ severity }) => severity === 'unavailable') ? 'unavailable' : 'waiting';
  return { kind: 'retry', minDelayMs, backOffKey: { request, cause } };
}

/** Returns true if Konnect or the API server did not answer one of the calls that the report is about. */
export function isUnavailable(report: Report): boolean {
  return problemsOf(report).some(({ severity }) => severity === 'unavailable');
}

/** Returns true if spec was compared with what Konnect has: Konnect accepted the token and answered every call. */
function isObserved(report: Report): boolean {
  const isRejected = problemsOf(report).some(({ reason }) => reason === reasons.tokenRejected);
  return report.secrets.kind === 'good' && !isRejected && !isUnavailable(report);
}

/** Returns for how many milliseconds of an outage `Ready` stays as it is. */
export function graceMsOf(forwarding: AuditLogForwarding): number {
  return Math.min(3 * intervalMs(forwarding), maxGraceMs);
}

/** Returns `spec.interval` in milliseconds. */
export function intervalMs({ spec }: AuditLogForwarding): number {
  return parseDurationMs(spec.interval) ?? defaultIntervalMs;
}

/** Returns true if a reconciliation of this generation, with these Secrets, finished before this one. */
export function isApplied({ metadata, status }: AuditLogForwarding, secretVersion: string | undefined): boolean {
  const versions = [status.destination?.secretVersion, status.organization?.secretVersion];
  const sameSecrets = versions.every((version) => version === undefined || version === secretVersion);
  const ready = readyOf(status.conditions);
  return ready?.observedGeneration === metadata.generation && ready.reason !== reasons.applying && sameSecrets;
}

/** Returns true if the forwarding is not ready yet and no user has to act. */
export function isPending(conditions: readonly Condition[]): boolean {
  return readyOf(conditions)?.status === 'False' && conditions.some(({ type }) => type === 'Reconciling');
}

/** Returns the condition `Ready`. */
export function readyOf(conditions: readonly Condition[] = []): Condition | undefined {
  return conditions.find(({ type }) => type === 'Ready');
}
