/** What status records about the deliveries of each webhook. Pure. */
import type { DeliveryStatus } from '../api/v1alpha1.ts';
import { type GapNews, gapsOf, imminentMs, withNews } from './gaps.ts';
import type { Problem } from './problem.ts';
import type { RecordedState } from './recorded-state.ts';
import { nextReplayLookMs } from './replays.ts';

/** What Konnect says about a webhook that spec wants to be on. */
export interface SeenDelivery {
  readonly kind: 'seen';
  readonly state: 'Delivered' | 'NoAttemptYet' | 'Failing' | 'SwitchedOff';
  /** The webhook is on, and Konnect calls it `inactive`. Konnect may have switched it off all the same. */
  readonly isInactive?: boolean;
  /** Konnect's time of the last attempt. */
  readonly attemptTime?: string | undefined;
  /** The HTTP status of the last attempt. Undefined if the endpoint did not answer. */
  readonly code?: number | undefined;
  /** Why the endpoint did not answer: it has no certificate that Konnect trusts, its host has no address, or there was no connection. */
  readonly failure?: 'certificate' | 'name' | 'connection' | undefined;
}

/** The result of a look at one webhook. */
export type DeliveryLook =
  | SeenDelivery
  /** The operator has just attached it, and has not looked since. */
  | { readonly kind: 'attached' }
  | { readonly kind: 'off' }
  /** It is not in place, and the operator could not change that. */
  | { readonly kind: 'absent' }
  /** It is in place, and the operator looks at it in the next reconciliation. */
  | { readonly kind: 'later' }
  | { readonly kind: 'unknown'; readonly problem: Problem };

const minWaitMs = 60_000;
const maxWaitMs = 3_600_000;
/** A number that no webhook reaches, so that a status which a user has edited stays valid. */
const maxAttempts = 1_000_000;
/** How old `lastAttemptTime` may be if nothing else changes. */
const maxAgeMs = 3_600_000;

/** Returns the name of a webhook in `status.delivery`. */
export function deliveryKeyOf(portalID: string | undefined): string {
  return portalID ?? 'organization';
}

/** Returns what status records about one webhook. */
export function deliveryOf({ delivery = [] }: RecordedState, key: string): DeliveryStatus | undefined {
  return delivery.find((one) => one.key === key);
}

/** Returns the recorded state with this entry added or replaced. */
export function withDelivery(recorded: RecordedState, entry: DeliveryStatus): RecordedState {
  const { delivery = [] } = recorded;
  const isKnown = delivery.some(({ key }) => key === entry.key);
  const next = isKnown ? delivery.map((one) => (one.key === entry.key ? entry : one)) : [...delivery, entry];
  return { ...recorded, delivery: next };
}

/** Returns true if the last look found that all is well, so that the next one is not urgent. */
export function isAtRest(known: DeliveryStatus | undefined): boolean {
  if (known?.state !== 'Delivered' && known?.state !== 'NoAttemptYet') return false;
  return [known.failingSince, known.switchOn, known.gap, known.replay].every((one) => one === undefined);
}

function waitMs(attempts: number): number {
  return Math.min(minWaitMs * 2 ** attempts, maxWaitMs);
}

function switchOnAfter(count: number, now: Date): NonNullable<DeliveryStatus['switchOn']> {
  const attempts = Math.min(count, maxAttempts);
  return { attempts, notBefore: new Date(now.getTime() + waitMs(attempts)).toISOString() };
}

/** Returns true if Konnect sends nothing from the webhook any more: it is off, or inactive and without an attempt since the recorded one. */
export function isStopped(known: DeliveryStatus | undefined, look: DeliveryLook | undefined): boolean {
  if (look?.kind !== 'seen') return false;
  return look.state === 'SwitchedOff' || (look.isInactive === true && look.attemptTime === known?.lastAttemptTime);
}

/** Returns true if the operator may switch the webhook on again. Another process may have recorded the time, with another clock. */
export function isSwitchOnDue(known: DeliveryStatus | undefined, now: Date): boolean {
  if (known?.switchOn === undefined) return false;
  const { attempts, notBefore } = known.switchOn;
  const leftMs = Date.parse(notBefore) - now.getTime();
  // A longer wait than the operator can have recorded: the clock was set back.
  return !(leftMs > 0) || leftMs > waitMs(attempts);
}

/**
 * Returns in how many milliseconds the operator has to look again: one minute after a webhook began to fail, then after twice the last
 * wait, when a webhook may be switched on again, and when something is due for a gap or a replay. Undefined if there is nothing.
 */
export function nextLookMs({ delivery = [] }: RecordedState, now: Date): number | undefined {
  const waits = delivery.flatMap((entry) => {
    const { failingSince, switchOn } = entry;
    const [oldest] = gapsOf(entry);
    const sinceMs = failingSince === undefined ? undefined : now.getTime() - Date.parse(failingSince);
    const leftMs = switchOn === undefined ? 0 : Date.parse(switchOn.notBefore) - now.getTime();
    const replayInMs = nextReplayLookMs(entry, now);
    const imminentInMs = oldest === undefined ? 0 : Date.parse(oldest.from) + imminentMs - now.getTime();
    return [
      // Status that a user has edited may have no valid time.
      ...(sinceMs === undefined ? [] : [minWaitMs + Math.max(0, sinceMs || 0)]),
      ...(leftMs > 0 ? [Math.min(leftMs, maxWaitMs)] : []),
      ...(imminentInMs > 0 ? [imminentInMs] : []),
      ...(replayInMs === undefined ? [] : [replayInMs]),
    ];
  });
  return waits.length === 0 ? undefined : Math.min(...waits);
}

/** Returns the recorded state before the operator switches these webhooks on again. */
export function withSwitchOns(recorded: RecordedState, keys: ReadonlySet<string>, now: Date): RecordedState {
  if (keys.size === 0) return recorded;
  const { delivery = [] } = recorded;
  const added = [...keys].filter((key) => deliveryOf(recorded, key) === undefined);
  const all = [...delivery, ...added.map((key): DeliveryStatus => ({ key, state: 'SwitchedOff' }))];
  return {
    ...recorded,
    delivery: all.map((one) =>
      keys.has(one.key) ? { ...one, switchOn: switchOnAfter((one.switchOn?.attempts ?? 0) + 1, now) } : one,
    ),
  };
}

/** What a reconciliation knows beside its looks at the deliveries. */
export interface LookContext {
  readonly now: Date;
  /** False if the operator switches no webhook on. */
  readonly mayWrite: boolean;
  /** The webhooks whose logs another client kept away when this reconciliation began. */
  readonly diverted: Pick<ReadonlyMap<string, unknown>, 'has'>;
  /** Those of them that the operator has put right. */
  readonly restored: ReadonlySet<string>;
}

/** Returns the recorded state after a look at the deliveries. `looks` has every webhook that spec wants. */
export function withDeliveries(
  recorded: RecordedState,
  looks: ReadonlyMap<string, DeliveryLook>,
  context: LookContext,
): RecordedState {
  const { delivery: _before, ...rest } = recorded;
  const delivery = [...looks].flatMap(([key, look]) => {
    const recordedEntry = deliveryOf(recorded, key) ?? { key, state: 'Unknown' as const };
    const { earlierGaps, gap, replay, ...known } = withNews(recordedEntry, gapNews(key, look, context), context.now);
    if (look.kind === 'absent' && gap === undefined && replay === undefined) return [];
    return {
      ...withSince(after(known, look, context), known, look, context),
      ...(earlierGaps === undefined ? {} : { earlierGaps }),
      ...(gap === undefined ? {} : { gap }),
      ...(replay === undefined ? {} : { replay }),
    };
  });
  return delivery.length === 0 ? rest : { ...rest, delivery };
}

/** Returns what a look says about a gap. While another client keeps logs away, Konnect's status is about another endpoint. */
function gapNews(key: string, look: DeliveryLook, { diverted, restored, now }: LookContext): GapNews | undefined {
  if (diverted.has(key)) return restored.has(key) ? { kind: 'restored' } : undefined;
  if (look.kind === 'off') return look;
  if (look.kind === 'attached') return { kind: 'restored' };
  if (look.kind !== 'seen' || look.state !== 'Delivered') return undefined;
  return { kind: 'delivered', at: look.attemptTime ?? now.toISOString() };
}

/** Adds from when on the webhook has to deliver: when the operator attached it or switched it on, and no client had changed it. */
function withSince(
  next: DeliveryStatus,
  before: DeliveryStatus,
  look: DeliveryLook,
  { diverted, now }: LookContext,
): DeliveryStatus {
  if (diverted.has(next.key) || next.state === 'Off') return next;
  const isNew = look.kind === 'attached' || (look.kind === 'seen' && before.state === 'Off');
  const since = isNew ? now.toISOString() : before.since;
  return since === undefined ? next : { ...next, since };
}

function after(known: DeliveryStatus, look: DeliveryLook, context: LookContext): DeliveryStatus {
  switch (look.kind) {
    case 'off': {
      const { key, lastDeliveredTime } = known;
      return { key, state: 'Off', ...(lastDeliveredTime === undefined ? {} : { lastDeliveredTime }) };
    }
    case 'absent':
      return { ...known, state: 'Unknown' };
    case 'unknown':
      // An outage of Konnect says nothing about the deliveries.
      return look.problem.severity === 'stalled' ? { ...known, state: 'Unknown' } : known;
    case 'later':
      return known;
    case 'attached': {
      const { lastAttemptTime: _time, lastResponseCode: _code, ...kept } = known;
      return { ...kept, state: 'NoAttemptYet' };
    }
    case 'seen':
      return look.state === 'Delivered' ? delivered(known, look, context) : undelivered(known, look, context);
  }
}

function delivered(known: DeliveryStatus, look: SeenDelivery, { now }: LookContext): DeliveryStatus {
  const attempt = attemptAfter(known, look, now);
  const { key, lastDeliveredTime: last } = known;
  const { lastAttemptTime: time = last } = attempt;
  // The delivery that ended a gap may be newer than the attempt that status keeps.
  const lastDeliveredTime = Date.parse(last ?? '') > Date.parse(time ?? '') ? last : time;
  return { key, state: look.state, ...attempt, ...(lastDeliveredTime === undefined ? {} : { lastDeliveredTime }) };
}

function undelivered(known: DeliveryStatus, look: SeenDelivery, { now, mayWrite }: LookContext): DeliveryStatus {
  const { key, lastDeliveredTime, failingSince } = known;
  const { state, isInactive } = look;
  const mayBeOff = mayWrite && (state === 'SwitchedOff' || isInactive === true);
  const switchOn = known.switchOn ?? (mayBeOff ? switchOnAfter(0, now) : undefined);
  const isFailing = state !== 'NoAttemptYet' || failingSince !== undefined;
  return {
    key,
    state,
    ...attemptAfter(known, look, now),
    ...(isFailing ? { failingSince: failingSince ?? now.toISOString() } : {}),
    ...(lastDeliveredTime === undefined ? {} : { lastDeliveredTime }),
    ...(switchOn === undefined ? {} : { switchOn }),
  };
}

/** Returns time and code of the last attempt. If only the time differs, the recorded time stays until it is an hour old. */
function attemptAfter(
  known: DeliveryStatus,
  { state, attemptTime, code }: SeenDelivery,
  now: Date,
): Pick<DeliveryStatus, 'lastAttemptTime' | 'lastResponseCode'> {
  const isSame = state === known.state && code === known.lastResponseCode;
  const isRecent = Math.abs(now.getTime() - Date.parse(known.lastAttemptTime ?? '')) < maxAgeMs;
  const lastAttemptTime = isSame && isRecent ? known.lastAttemptTime : attemptTime;
  return {
    ...(lastAttemptTime === undefined ? {} : { lastAttemptTime }),
    ...(code === undefined ? {} : { lastResponseCode: code }),
  };
}
