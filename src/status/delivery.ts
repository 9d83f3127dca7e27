/** What status records about the deliveries of each webhook. Pure. */
import type { DeliveryStatus } from '../api/v1alpha1.ts';
import type { Problem } from './problem.ts';
import type { RecordedState } from './recorded-state.ts';

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
 * wait, and when a webhook may be switched on again. Undefined if none fails.
 */
export function nextLookMs({ delivery = [] }: RecordedState, now: Date): number | undefined {
  const waits = delivery.flatMap(({ failingSince, switchOn }) => {
    const sinceMs = failingSince === undefined ? undefined : now.getTime() - Date.parse(failingSince);
    const leftMs = switchOn === undefined ? 0 : Date.parse(switchOn.notBefore) - now.getTime();
    return [
      // Status that a user has edited may have no valid time.
      ...(sinceMs === undefined ? [] : [minWaitMs + Math.max(0, sinceMs || 0)]),
      ...(leftMs > 0 ? [Math.min(leftMs, maxWaitMs)] : []),
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

/**
 * Returns the recorded state after a look at the deliveries. `looks` has every webhook that is in place. `mayWrite`: false if the operator
 * switches no webhook on.
 */
export function withDeliveries(
  recorded: RecordedState,
  looks: ReadonlyMap<string, DeliveryLook>,
  context: { readonly now: Date; readonly mayWrite: boolean },
): RecordedState {
  const { delivery: _before, ...rest } = recorded;
  const delivery = [...looks].map(([key, look]) =>
    after(deliveryOf(recorded, key) ?? { key, state: 'Unknown' }, look, context),
  );
  return delivery.length === 0 ? rest : { ...rest, delivery };
}

function after(
  known: DeliveryStatus,
  look: DeliveryLook,
  { now, mayWrite }: { readonly now: Date; readonly mayWrite: boolean },
): DeliveryStatus {
  const { key, lastDeliveredTime, failingSince = now.toISOString() } = known;
  const delivered = lastDeliveredTime === undefined ? {} : { lastDeliveredTime };
  switch (look.kind) {
    case 'off':
      return { key, state: 'Off', ...delivered };
    case 'unknown':
      // An outage of Konnect says nothing about the deliveries.
      return look.problem.severity === 'stalled' ? { ...known, state: 'Unknown' } : known;
    case 'attached': {
      const { lastAttemptTime: _time, lastResponseCode: _code, ...kept } = known;
      return { ...kept, state: 'NoAttemptYet' };
    }
    case 'seen': {
      const { state, isInactive } = look;
      const attempt = attemptAfter(known, look, now);
      if (state === 'Delivered') {
        const { lastAttemptTime = lastDeliveredTime } = attempt;
        return {
          key,
          state,
          ...attempt,
          ...(lastAttemptTime === undefined ? {} : { lastDeliveredTime: lastAttemptTime }),
        };
      }
      const mayBeOff = mayWrite && (state === 'SwitchedOff' || isInactive === true);
      const switchOn = known.switchOn ?? (mayBeOff ? switchOnAfter(0, now) : undefined);
      const isFailing = state !== 'NoAttemptYet' || known.failingSince !== undefined;
      return {
        key,
        state,
        ...attempt,
        ...(isFailing ? { failingSince } : {}),
        ...delivered,
        ...(switchOn === undefined ? {} : { switchOn }),
      };
    }
  }
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
