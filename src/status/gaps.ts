/** The period whose audit logs a webhook has not delivered, as far as the operator knows. Pure. */
import type { DeliveryStatus, GapStatus, ReplayStatus } from '../api/v1alpha1.ts';

/** A period with both ends, in RFC 3339. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

/** What a reconciliation shows that can end a gap. */
export type GapNews =
  | { readonly kind: 'delivered'; readonly at: string }
  /** The webhook sends to the right endpoint from now on. */
  | { readonly kind: 'restored' }
  /** Spec wants the webhook to be off from now on. */
  | { readonly kind: 'off' };

/** Why audit logs of a webhook are not delivered, and what is known about the time. */
export interface GapCause {
  /** Another client keeps them away. What Konnect says about deliveries is not about the right endpoint then. */
  readonly isForeign: boolean;
  /** When the operator last compared Konnect with spec, before this reconciliation. */
  readonly observedTime: string | undefined;
  /** Konnect's time of the failed attempt. */
  readonly attemptTime: string | undefined;
  readonly now: Date;
}

/** How long Konnect keeps audit logs. */
export const retentionMs = 7 * 24 * 3_600_000;
/** The age of a gap from which on a user should know that its logs will be deleted. */
export const imminentMs = 6 * 24 * 3_600_000;

/** Returns true while the replay may still send its logs: it is in progress, or will be requested once more. */
export function isReplaying(replay: ReplayStatus | undefined): replay is ReplayStatus {
  if (replay === undefined) return false;
  return replay.state === 'Failed' ? replay.retryTime !== undefined : replay.state !== 'Completed';
}

/** Returns true if the replay sends everything that the gap lacks. */
export function covers(replay: Period | undefined, { from, to }: GapStatus): boolean {
  if (replay === undefined || to === undefined) return false;
  return Date.parse(replay.from) <= Date.parse(from) && Date.parse(replay.to) >= Date.parse(to);
}

/**
 * Returns what status records once the logs of a webhook are not delivered. A gap that is not replayed yet goes on. One that is being
 * replayed is left to its replay.
 */
export function withGapOpen(entry: DeliveryStatus, cause: GapCause): DeliveryStatus {
  const { gap, replay } = entry;
  const closesAfter = gap?.closesAfter ?? (cause.isForeign ? cause.now.toISOString() : undefined);
  if (gap !== undefined && gap.to === undefined && gap.closesAfter === closesAfter) return entry;
  const isLeft = gap !== undefined && replay?.isManual !== true && isReplaying(replay) && covers(replay, gap);
  const from = gap === undefined || isLeft ? startOf(entry, cause) : gap.from;
  return { ...entry, gap: { from, ...(closesAfter === undefined ? {} : { closesAfter }) } };
}

/** Returns the last time until which nothing is missing. */
function startOf({ since, lastDeliveredTime }: DeliveryStatus, { observedTime, attemptTime, now }: GapCause): string {
  const known = [since, lastDeliveredTime].filter(isTime);
  const [latest] = known.toSorted((a, b) => Date.parse(b) - Date.parse(a));
  return latest ?? [observedTime, attemptTime].find(isTime) ?? now.toISOString();
}

function isTime(time: string | undefined): time is string {
  return time !== undefined && !Number.isNaN(Date.parse(time));
}

/** Returns the gap after a reconciliation. It ends with the first delivery to the right endpoint, or when spec wants nothing to be sent. */
export function gapAfter(gap: GapStatus | undefined, news: GapNews | undefined, now: Date): GapStatus | undefined {
  if (gap === undefined || gap.to !== undefined || news === undefined) return gap;
  const { from, closesAfter } = gap;
  switch (news.kind) {
    case 'restored':
      return { from, closesAfter: now.toISOString() };
    case 'off':
      return ended(from, now.toISOString());
    case 'delivered':
      if (closesAfter !== undefined && !(Date.parse(news.at) > Date.parse(closesAfter))) return gap;
      return ended(from, news.at);
  }
}

function ended(from: string, to: string): GapStatus | undefined {
  return Date.parse(to) > Date.parse(from) ? { from, to } : undefined;
}

/** Returns the gap without what the replay has sent. */
export function withoutReplayed(gap: GapStatus | undefined, replay: Period): GapStatus | undefined {
  if (gap === undefined || covers(replay, gap)) return undefined;
  const isBehind = Date.parse(replay.from) <= Date.parse(gap.from) && Date.parse(gap.from) < Date.parse(replay.to);
  return isBehind ? { ...gap, from: replay.to } : gap;
}

/** Returns the gap with another period: one that a replay was to send and did not, or whose lines the SIEM lacks. */
export function withFailed(gap: GapStatus | undefined, { from, to }: Period): GapStatus {
  if (gap === undefined) return { from, to };
  const start = Date.parse(from) < Date.parse(gap.from) ? from : gap.from;
  const end = gap.to !== undefined && Date.parse(to) > Date.parse(gap.to) ? to : gap.to;
  return { ...gap, from: start, ...(end === undefined ? {} : { to: end }) };
}
