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
import { gapsOf, type Period, withGaps } from './gaps.ts';

/** The shortest period that is worth a search, with the usual delay. */
const minPeriodMs = 300_000;

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

/** When the next verification is due, and of what. */
export type Due =
  | { readonly kind: 'due'; readonly from: Date; readonly to: Date }
  | { readonly kind: 'later'; readonly inMs: number }
  /** The organization's webhook is not on. */
  | { readonly kind: 'not on' };

/**
 * Returns when the next verification is due: at once if spec has changed since the last one, or if a user has requested a reconciliation. `delayMs`: the
 * age from which on a line has to be in the SIEM.
 */
export function dueOf(
  forwarding: AuditLogForwarding,
  { since, lastVerifiedTime }: VerificationStatus,
  times: { readonly intervalMs: number; readonly windowMs: number; readonly delayMs: number; readonly now: Date },
): Due {
  const { intervalMs, windowMs, delayMs } = times;
  const nowMs = times.now.getTime();
  if (wantsOrganization(forwarding) && since === undefined) return { kind: 'not on' };
  // Another process may have recorded a time, with another clock.
  const sinceMs = Math.min(Date.parse(since ?? '') || 0, nowMs);
  const verifiedMs = Math.min(Date.parse(lastVerifiedTime ?? '') || 0, nowMs);
  const firstInMs = sinceMs + delayMs + Math.min(minPeriodMs, delayMs / 2) - nowMs;
  const inMs = Math.max(firstInMs, isCurrent(forwarding) ? verifiedMs + intervalMs - nowMs : 0);
  if (inMs > 0) return { kind: 'later', inMs };
  const to = nowMs - delayMs;
  return { kind: 'due', from: new Date(Math.max(sinceMs, to - windowMs)), to: new Date(to) };
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
