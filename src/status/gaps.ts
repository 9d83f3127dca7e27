/** The periods whose audit logs a webhook has not delivered, as far as the operator knows. Pure. */
import { type DeliveryStatus, type GapStatus, maxEarlierGaps, type ReplayStatus } from '../api/v1alpha1.ts';

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

/** Returns the gaps of a webhook, the oldest first. Only the last one can be open. */
export function gapsOf({ earlierGaps = [], gap }: Pick<DeliveryStatus, 'earlierGaps' | 'gap'>): readonly GapStatus[] {
  return [...earlierGaps, ...(gap === undefined ? [] : [gap])];
}

/** Returns the entry with these gaps instead of its own: those that overlap as one, and no more than status has room for. */
export function withGaps(entry: DeliveryStatus, gaps: readonly GapStatus[]): DeliveryStatus {
  const { earlierGaps: _earlier, gap: _gap, ...rest } = entry;
  const separate: GapStatus[] = [];
  for (const next of gaps.toSorted((a, b) => Date.parse(a.from) - Date.parse(b.from))) {
    const last = separate.at(-1);
    if (last === undefined || pauseMs(last, next) >= 0) separate.push(next);
    else separate.splice(-1, 1, joined(last, next));
  }
  const kept = fitting(separate);
  const gap = kept.at(-1);
  const earlierGaps = kept.slice(0, -1).filter(hasEnded);
  return {
    ...rest,
    ...(earlierGaps.length === 0 ? {} : { earlierGaps }),
    ...(gap === undefined ? {} : { gap }),
  };
}

/** Returns how long the webhook delivered between two gaps. Negative if they overlap. */
function pauseMs({ to }: GapStatus, { from }: GapStatus): number {
  return to === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from) - Date.parse(to);
}

/** Returns one gap from the beginning of the first one to the later end. */
function joined(first: GapStatus, second: GapStatus): GapStatus {
  const isLonger = first.to === undefined || (second.to !== undefined && Date.parse(second.to) <= Date.parse(first.to));
  if (isLonger) return first;
  const { isFailed: _failed, ...later } = second;
  return { ...later, from: first.from, ...(first.isMerged === true ? { isMerged: true } : {}) };
}

/** Joins those gaps between which the least was delivered, until status has room for all. */
function fitting(gaps: readonly GapStatus[]): readonly GapStatus[] {
  if (gaps.length <= maxEarlierGaps + 1) return gaps;
  const pairs = gaps.slice(1).map((second, index) => ({ index, second, first: gaps[index] ?? second }));
  const [least] = pairs.toSorted((a, b) => pauseMs(a.first, a.second) - pauseMs(b.first, b.second));
  if (least === undefined) return gaps;
  return fitting(gaps.toSpliced(least.index, 2, { ...joined(least.first, least.second), isMerged: true }));
}

/** Returns true if the gap has ended. */
export function hasEnded(gap: GapStatus): gap is GapStatus & Period {
  return gap.to !== undefined;
}

/** Returns what status records once the logs of a webhook are not delivered. A gap that has ended stays beside the new one. */
export function withGapOpen(entry: DeliveryStatus, cause: GapCause): DeliveryStatus {
  const { gap } = entry;
  const isOpen = gap !== undefined && !hasEnded(gap);
  const closesAfter = gap?.closesAfter ?? (cause.isForeign ? cause.now.toISOString() : undefined);
  if (isOpen && gap.closesAfter === closesAfter) return entry;
  const from = isOpen ? gap.from : startOf(entry, cause);
  const opened = { from, ...(closesAfter === undefined ? {} : { closesAfter }) };
  return withGaps(entry, [...gapsOf(entry).filter(hasEnded), opened]);
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

/** Returns the entry after the news. After a delivery that ends the gap, the next one begins no earlier. */
export function withNews(entry: DeliveryStatus, news: GapNews | undefined, now: Date): DeliveryStatus {
  const gap = gapAfter(entry.gap, news, now);
  if (gap === entry.gap) return entry;
  const next = withGaps(entry, [...(entry.earlierGaps ?? []), ...(gap === undefined ? [] : [gap])]);
  return news?.kind === 'delivered' ? { ...next, lastDeliveredTime: news.at } : next;
}

function ended(from: string, to: string): GapStatus | undefined {
  return Date.parse(to) > Date.parse(from) ? { from, to } : undefined;
}

/** Returns what is left of the gap without a period that Konnect has sent again or deleted. */
export function withoutPeriod(gap: GapStatus, period: Period): readonly GapStatus[] {
  if (pauseMs(gap, period) >= 0 || pauseMs(period, gap) >= 0) return [gap];
  const { isFailed: _failed, ...rest } = gap;
  const { closesAfter: _closes, ...before } = { ...rest, to: period.from };
  const isLonger = gap.to === undefined || Date.parse(gap.to) > Date.parse(period.to);
  return [
    ...(Date.parse(gap.from) < Date.parse(period.from) ? [before] : []),
    ...(isLonger ? [{ ...rest, from: period.to }] : []),
  ];
}
