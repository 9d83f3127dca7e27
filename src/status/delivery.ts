/** What status records about the deliveries of each webhook. Pure. */
import type { DeliveryStatus } from '../api/v1alpha1.ts';
import type { RecordedState } from './recorded-state.ts';

/**
 * What Konnect says about a webhook that spec wants to be on. `Failing`: the last attempt failed. `SwitchedOff`: Konnect itself switched
 * the webhook off after failed attempts.
 */
export type SeenDelivery = 'Delivered' | 'NoAttemptYet' | 'Failing' | 'SwitchedOff';

const minWaitMs = 60_000;
const maxWaitMs = 3_600_000;

/** Returns the name of a webhook in `status.delivery`. */
export function deliveryKeyOf(portalID: string | undefined): string {
  return portalID ?? 'organization';
}

function waitMs(attempts: number): number {
  return Math.min(minWaitMs * 2 ** attempts, maxWaitMs);
}

function switchOnAfter(attempts: number, now: Date): DeliveryStatus['switchOn'] {
  return { attempts, notBefore: new Date(now.getTime() + waitMs(attempts)).toISOString() };
}

/** Returns true if the operator may switch the webhook on again. Another process may have recorded the time, with another clock. */
export function isSwitchOnDue({ delivery = [] }: RecordedState, key: string, now: Date): boolean {
  const found = delivery.find((one) => one.key === key)?.switchOn;
  if (found === undefined) return false;
  const leftMs = Date.parse(found.notBefore) - now.getTime();
  // A longer wait than the operator can have recorded: the clock was set back.
  return !(leftMs > 0) || leftMs > waitMs(found.attempts);
}

/** Returns in how many milliseconds the next webhook may be switched on again. Undefined if none waits for that. */
export function switchOnInMs({ delivery = [] }: RecordedState, now: Date): number | undefined {
  const left = delivery.map(({ switchOn }) => Date.parse(switchOn.notBefore) - now.getTime()).filter((ms) => ms > 0);
  return left.length === 0 ? undefined : Math.min(...left, maxWaitMs);
}

/**
 * Returns the recorded state after a look at the deliveries. `seen` has every webhook that the operator looked at; undefined: it could
 * not be read. `switchedOn`: those that the operator is about to switch on again.
 */
export function withDeliveries(
  recorded: RecordedState,
  seen: ReadonlyMap<string, SeenDelivery | undefined>,
  switchedOn: ReadonlySet<string>,
  now: Date,
): RecordedState {
  const { delivery: before = [], ...rest } = recorded;
  const delivery = [...seen].flatMap(([key, state]): DeliveryStatus[] => {
    const known = before.find((one) => one.key === key);
    if (switchedOn.has(key)) return [{ key, switchOn: switchOnAfter((known?.switchOn.attempts ?? 0) + 1, now) }];
    if (state === 'SwitchedOff') return [known ?? { key, switchOn: switchOnAfter(0, now) }];
    return known === undefined || state === 'Delivered' ? [] : [known];
  });
  return delivery.length === 0 ? rest : { ...rest, delivery };
}
