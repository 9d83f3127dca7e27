/** What status records about verifications. Pure. */
import {
  type AuditLogForwarding,
  type Condition,
  type DeliveryStatus,
  reconcileRequestOf,
  type Status,
  type VerificationStatus,
} from '../api/v1alpha1.ts';
import { deliveryKeyOf, deliveryOf } from './delivery.ts';
import { gapsOf, type Period, retentionMs, withGaps } from './gaps.ts';

/** The shortest period that is worth a search, with the usual delay. */
const minPeriodMs = 300_000;
/** Konnect may delete entries a little early, and their lines must not count as foreign. */
const comparableMs = retentionMs - 3_600_000;

/** Returns true if spec forwards the organization's audit log, and false if only those of portals. */
export function wantsOrganization({ spec }: AuditLogForwarding): boolean {
  return spec.organization?.enabled === true;
}

/** Returns what status records, with the time since which lines of the organization's webhook are expected. */
export function withSince(forwarding: AuditLogForwarding, now: Date): VerificationStatus {
  const { since, ...rest } = forwarding.status.verification ?? {};
  const state = deliveryOf(forwarding.status, deliveryKeyOf(undefined))?.state;
  if (!wantsOrganization(forwarding) || state === undefined || state === 'Off') return rest;
  return { ...rest, since: since ?? now.toISOString() };
}

export function verifiedOf({ conditions = [] }: Status): Condition | undefined {
  return conditions.find(({ type }) => type === 'Verified');
}

/** Returns true if an earlier verification has ended with an answer, whatever it was. */
export function hasVerdict(status: Status): boolean {
  return (verifiedOf(status)?.status ?? 'Unknown') !== 'Unknown';
}

/** Returns true if that was a verification of this generation of spec, and no user has requested another one since. */
function isCurrent({ metadata, status }: AuditLogForwarding): boolean {
  const request = reconcileRequestOf(metadata.annotations);
  const isRequested = request !== undefined && request !== status.verification?.lastHandledReconcileAt;
  return hasVerdict(status) && verifiedOf(status)?.observedGeneration === metadata.generation && !isRequested;
}

export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
}

/** What a verification looks at. */
export interface DueRanges {
  /** What it compares with Konnect's list. */
  readonly period: TimeRange;
  /** The part of `period` from here on was never compared. */
  readonly newFrom: Date;
  /** The last window. Without Konnect's list, it looks at no other. */
  readonly latest: TimeRange;
  /** What was never compared, and is too old now. */
  readonly lost: TimeRange | undefined;
}

/** When the next verification is due, and of what. */
export type Due =
  | ({ readonly kind: 'due' } & DueRanges)
  | { readonly kind: 'later'; readonly inMs: number }
  /** The organization's webhook is not on. */
  | { readonly kind: 'not on' };

export interface VerificationTimes {
  readonly intervalMs: number;
  readonly windowMs: number;
  /** The age from which on a line has to be in the SIEM. */
  readonly delayMs: number;
}

/**
 * Returns how long the operator waits after a verification: the interval, or nothing if newer entries are still to be compared. If that verification found
 * a problem, it waits a while in any case, so that its result can be seen.
 */
export function waitAfter(
  { window, entries, lastVerifiedTime }: VerificationStatus,
  hasProblem: boolean,
  { intervalMs, delayMs }: VerificationTimes,
): number {
  const [fromMs, toMs] = [Date.parse(window?.from ?? ''), Date.parse(window?.to ?? '')];
  const isBehind = entries !== undefined && toMs < Date.parse(lastVerifiedTime ?? '') - delayMs;
  if (!isBehind) return intervalMs;
  return hasProblem ? Math.min(intervalMs, (toMs - fromMs) / 2) : 0;
}

/**
 * Returns when the next verification is due: at once if spec has changed since the last one, or if a user has requested a reconciliation. It looks at the
 * window that ends now, or, after an outage, at what follows the last one that has ended, so that every entry is compared.
 */
export function dueOf(
  forwarding: AuditLogForwarding,
  verification: VerificationStatus,
  times: VerificationTimes & { readonly now: Date },
): Due {
  const { since, lastVerifiedTime, window } = verification;
  const { intervalMs, windowMs, delayMs } = times;
  const nowMs = times.now.getTime();
  if (wantsOrganization(forwarding) && since === undefined) return { kind: 'not on' };
  // Another process may have recorded a time, with another clock.
  const sinceMs = Math.min(Date.parse(since ?? '') || 0, nowMs);
  const verifiedMs = Math.min(Date.parse(lastVerifiedTime ?? '') || 0, nowMs);
  const firstInMs = sinceMs + delayMs + Math.min(minPeriodMs, delayMs / 2) - nowMs;
  const waitMs = waitAfter(verification, verifiedOf(forwarding.status)?.status === 'False', times);
  const inMs = Math.max(firstInMs, isCurrent(forwarding) ? verifiedMs + waitMs - nowMs : 0);
  if (inMs > 0) return { kind: 'later', inMs };
  const latestMs = nowMs - delayMs;
  const comparedMs = Math.max(sinceMs, Date.parse(window?.to ?? '') || 0);
  const oldestMs = nowMs - comparableMs;
  const newFromMs = Math.min(Math.max(comparedMs, oldestMs), latestMs);
  const toMs = Math.min(newFromMs + intervalMs + windowMs, latestMs);
  const range = (fromMs: number, untilMs: number): TimeRange => ({ from: new Date(fromMs), to: new Date(untilMs) });
  return {
    kind: 'due',
    period: range(Math.max(sinceMs, Math.min(newFromMs, toMs - windowMs)), toMs),
    newFrom: new Date(newFromMs),
    latest: range(Math.max(sinceMs, latestMs - windowMs), latestMs),
    lost: comparedMs < oldestMs ? range(comparedMs, oldestMs) : undefined,
  };
}

/** The times of the entries of Konnect's list that the SIEM lacks. */
export interface MissingLines {
  readonly oldestMs: number;
  readonly newestMs: number;
}

/**
 * Returns the gap that missing lines make: the whole window the first time, and afterwards only what is newer than the last one. Lines that stay missing
 * after their replay make no other gap, and those of a gap or a replay that the webhook has already make none: each is replayed once. `gapUntil`: what
 * status records then.
 */
export function gapOf(
  { window, gapUntil }: Pick<VerificationStatus, 'window' | 'gapUntil'>,
  missing: MissingLines | undefined,
  entry: Pick<DeliveryStatus, 'earlierGaps' | 'gap' | 'replay'> = {},
): { readonly gap?: Period; readonly gapUntil: string | undefined } {
  const untilMs = Date.parse(gapUntil ?? '') || 0;
  if (window === undefined || missing === undefined || missing.newestMs <= untilMs) return { gapUntil };
  const { oldestMs, newestMs } = missing;
  const isKnown = [...gapsOf(entry), entry.replay].some((one) => {
    if (one === undefined || Date.parse(one.from) > Math.max(oldestMs, untilMs)) return false;
    return one.to === undefined || newestMs <= Date.parse(one.to);
  });
  if (isKnown) return { gapUntil: window.to };
  const from = new Date(Math.max(Date.parse(window.from), untilMs)).toISOString();
  return { gap: { from, to: window.to }, gapUntil: window.to };
}

/** Returns the deliveries of a forwarding in which the organization's webhook has this gap, too. */
export function withMissingLines(delivery: readonly DeliveryStatus[] = [], gap: Period): DeliveryStatus[] {
  const key = deliveryKeyOf(undefined);
  return delivery.map((one) => (one.key === key ? withGaps(one, [...gapsOf(one), gap]) : one));
}
