/** When the operator asks Konnect to send the audit logs of a gap again, and what becomes of that. Pure. */
import type { DeliveryStatus, ReplayState, ReplayStatus } from '../api/v1alpha1.ts';
import { gapsOf, hasEnded, isReplaying, type Period, retentionMs, withGaps, withoutPeriod } from './gaps.ts';

/** A replay job as Konnect shows it. */
export interface SeenJob {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly state?: 'unconfigured' | 'accepted' | 'pending' | 'running' | 'completed' | 'failed' | undefined;
  readonly updatedAt?: string | undefined;
}

export interface ReplayContext {
  readonly now: Date;
  /** How the webhook delivers, as far as this reconciliation has seen. `proved`: the last attempt was answered with 2xx. */
  readonly delivery: 'proved' | 'failing' | 'unknown';
  /** True if gaps are replayed without a request of a user. */
  readonly isAutomatic: boolean;
  /** False with `mode: Observe`. */
  readonly mayWrite: boolean;
}

/** What status records next, and the one call that follows. Status has to be written before `start`. */
export interface ReplayStep {
  readonly entry: DeliveryStatus;
  readonly action: 'read' | 'start' | undefined;
  /** What Konnect has deleted, so that no replay can send it. */
  readonly lost?: readonly Period[];
}

/** What became of a request for a replay. `busy`: Konnect runs another one. `unknown`: Konnect may have accepted it. */
export type StartOutcome =
  | { readonly kind: 'accepted'; readonly job: SeenJob | undefined }
  | { readonly kind: 'busy' | 'unknown' }
  | { readonly kind: 'refused'; readonly code: number };

const retryAfterMs = 3_600_000;
const minWaitMs = 60_000;
/** Konnect refuses a time that is older when the request arrives. */
const marginMs = 5 * 60_000;
/** How far two clocks may differ. A retry follows the failed job after twice this time. */
const clockToleranceMs = retryAfterMs / 2;

const states: Readonly<Record<string, ReplayState>> = {
  accepted: 'Accepted',
  pending: 'Pending',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
};

/** Returns the step of a webhook if Konnect has deleted the logs of a gap, or those of a replay that waits to be requested once more. */
export function planExpiry(entry: DeliveryStatus, now: Date): ReplayStep | undefined {
  const { replay } = entry;
  const hasExpired = ({ to }: Period) => Date.parse(to) <= oldestMs(now);
  if (isReplaying(replay)) {
    const isLost = replay.state === 'Failed' && hasExpired(replay);
    return isLost ? { entry: failedForGood(entry, replay), action: undefined } : undefined;
  }
  const gaps = gapsOf(entry);
  const lost = gaps.filter(hasEnded).filter(hasExpired);
  if (lost.length === 0) return undefined;
  const kept = gaps.filter((gap) => !lost.some(({ from }) => from === gap.from));
  return { entry: withGaps(entry, kept), action: undefined, lost };
}

/** Returns the next step of a webhook that is on, before any call about its replay. */
export function planReplay(entry: DeliveryStatus, context: ReplayContext): ReplayStep {
  const { replay } = entry;
  const { now, delivery, isAutomatic, mayWrite } = context;
  const expiry = planExpiry(entry, now);
  if (expiry !== undefined) return expiry;
  const mayStart = mayWrite && delivery === 'proved';
  if (isReplaying(replay)) {
    if (replay.state !== 'Failed') return { entry, action: 'read' };
    const isDue = !(Date.parse(replay.retryTime ?? '') > now.getTime());
    return mayStart && isDue ? started(entry, replay, now, { isRetry: true }) : { entry, action: undefined };
  }
  const gap = gapsOf(entry)
    .filter(hasEnded)
    .find(({ isFailed }) => isFailed !== true);
  if (gap === undefined) return { entry, action: undefined };
  const { from, to } = gap;
  const isDue = mayStart && isAutomatic && Date.parse(endOf(to)) <= now.getTime();
  return isDue ? started(entry, { from, to }, now) : { entry, action: undefined };
}

/** Returns the step for a replay that a user has requested. It replaces a failed one that would be requested once more. */
export function requestReplay(entry: DeliveryStatus, window: Period, context: ReplayContext): ReplayStep {
  const step = started(entry, window, context.now, { isManual: true });
  return context.delivery === 'failing' ? { ...step, action: undefined } : step;
}

/**
 * Returns the step after a look at the job. Undefined as the job: Konnect has none. A request whose answer was lost has taken effect if the
 * windows are equal.
 */
export function afterRead(entry: DeliveryStatus, job: SeenJob | undefined, context: ReplayContext): ReplayStep {
  const { replay } = entry;
  if (replay === undefined) return { entry, action: undefined };
  const isOurs = job !== undefined && isSameWindow(job, replay) && !isEarlierTry(job, replay);
  if (isOurs) return { entry: followed(entry, replay, job.state, context.now), action: undefined };
  if (replay.state !== 'Requested') return { entry: failed(entry, replay, context.now), action: undefined };
  const isBusy = job?.state === 'accepted' || job?.state === 'pending' || job?.state === 'running';
  const mayStart = context.mayWrite && context.delivery !== 'failing' && !isBusy;
  return { entry, action: mayStart ? 'start' : undefined };
}

/** Returns what status records after a request for a replay. */
export function afterStart(entry: DeliveryStatus, outcome: StartOutcome, now: Date): DeliveryStatus {
  const { replay } = entry;
  if (replay === undefined) return entry;
  switch (outcome.kind) {
    case 'accepted':
      return followed(entry, replay, outcome.job?.state ?? 'accepted', now);
    case 'refused':
      return failed(entry, { ...replay, code: outcome.code }, now);
    case 'busy':
    case 'unknown':
      return entry;
  }
}

/** Returns in how many milliseconds the operator has to look at the replay or the gap again. Undefined if nothing is due. */
export function nextReplayLookMs({ gap, replay }: DeliveryStatus, now: Date): number | undefined {
  if (isReplaying(replay)) {
    if (replay.retryTime !== undefined) {
      const leftMs = Date.parse(replay.retryTime) - now.getTime() || 0;
      // An overdue retry waits for a delivery, or for spec.
      return Math.max(minWaitMs, leftMs, minWaitMs - leftMs);
    }
    return minWaitMs + Math.max(0, now.getTime() - Date.parse(replay.requestedTime) || 0);
  }
  const leftMs = gap?.to === undefined ? 0 : Date.parse(endOf(gap.to)) - now.getTime();
  return leftMs > 0 ? leftMs : undefined;
}

/** Returns the period in whole seconds, because Konnect may show no others. */
export function inSeconds({ from, to }: Period): Period {
  return { from: startOf(from), to: endOf(to) };
}

/** Returns the window of a request, without what Konnect has deleted. Its end has passed, even if it was rounded. */
function windowOf(wanted: Period, now: Date): Period {
  const { from, to } = inSeconds(wanted);
  const nowMs = Math.floor(now.getTime() / 1_000) * 1_000;
  return {
    from: Date.parse(from) < oldestMs(now) ? seconds(oldestMs(now)) : from,
    to: Date.parse(to) > nowMs ? seconds(nowMs) : to,
  };
}

/** Returns the whole second in which a period begins. */
export function startOf(from: string): string {
  return seconds(Math.floor(Date.parse(from) / 1_000) * 1_000);
}

function endOf(to: string): string {
  return seconds(Math.ceil(Date.parse(to) / 1_000) * 1_000);
}

function oldestMs(now: Date): number {
  return Math.ceil((now.getTime() - retentionMs + marginMs) / 1_000) * 1_000;
}

function seconds(ms: number): string {
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().replace('.000', '');
}

/** Returns true if the job has this window. */
export function isSameWindow(job: Pick<SeenJob, 'from' | 'to'>, { from, to }: Period): boolean {
  return Date.parse(job.from ?? '') === Date.parse(from) && Date.parse(job.to ?? '') === Date.parse(to);
}

/** Returns true for the failed job of the first try, which Konnect shows until the second one has taken effect. */
function isEarlierTry({ state, updatedAt }: SeenJob, { isRetry, requestedTime }: ReplayStatus): boolean {
  if (isRetry !== true || state !== 'failed') return false;
  return !(Date.parse(updatedAt ?? '') > Date.parse(requestedTime) - clockToleranceMs);
}

function started(
  entry: DeliveryStatus,
  wanted: Period & Pick<ReplayStatus, 'isManual'>,
  now: Date,
  marks: Pick<ReplayStatus, 'isRetry' | 'isManual'> = {},
): ReplayStep {
  const { from, to } = windowOf(wanted, now);
  const cut = Date.parse(from) > Date.parse(wanted.from) ? { from: wanted.from, to: from } : undefined;
  const { isManual } = wanted;
  const replay: ReplayStatus = {
    from,
    to,
    state: 'Requested',
    requestedTime: now.toISOString(),
    ...(isManual === undefined ? {} : { isManual }),
    ...marks,
  };
  return {
    entry: { ...(cut === undefined ? entry : trimmed(entry, cut)), replay },
    action: 'start',
    ...(cut === undefined ? {} : { lost: [cut] }),
  };
}

function followed(entry: DeliveryStatus, replay: ReplayStatus, word: SeenJob['state'], now: Date): DeliveryStatus {
  const state = states[word ?? ''] ?? (replay.state === 'Requested' ? 'Accepted' : replay.state);
  if (state === 'Failed') return failed(entry, replay, now);
  const next = { ...entry, replay: { ...replay, state } };
  return state === 'Completed' ? trimmed(next, replay) : next;
}

/** A failed replay is requested once more. */
function failed(entry: DeliveryStatus, replay: ReplayStatus, now: Date): DeliveryStatus {
  if (replay.isRetry === true) return failedForGood(entry, replay);
  const retryTime = new Date(now.getTime() + retryAfterMs).toISOString();
  return { ...entry, replay: { ...replay, state: 'Failed', retryTime } };
}

/** The operator requests no other replay of this gap. */
function failedForGood(entry: DeliveryStatus, { retryTime: _none, ...replay }: ReplayStatus): DeliveryStatus {
  const next = { ...entry, replay: { ...replay, state: 'Failed' as const } };
  const gaps = gapsOf(entry).map((gap) =>
    hasEnded(gap) && isSameWindow(replay, inSeconds(gap)) ? { ...gap, isFailed: true } : gap,
  );
  return withGaps(next, gaps);
}

function trimmed(entry: DeliveryStatus, sent: Period): DeliveryStatus {
  return withGaps(
    entry,
    gapsOf(entry).flatMap((gap) => withoutPeriod(gap, sent)),
  );
}
