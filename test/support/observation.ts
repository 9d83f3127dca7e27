import { isDeepStrictEqual } from 'node:util';
import type { Status } from '../../src/api/v1alpha1.ts';

const hourMs = 3_600_000;

/**
 * Returns whether a write of status only records that the operator has compared Konnect with spec. Throws a TypeError if it does so within
 * an hour of the time before. Every other write counts as a change, and at rest there must be none.
 */
export function isObservation(before: Status, after: Status): boolean {
  // The first checkpoint of a reconciliation may write status as it is, and changes nothing.
  if (before.lastObservedTime === after.lastObservedTime) return false;
  const [was, is] = [before, after].map(({ lastObservedTime: _time, ...status }) => JSON.parse(JSON.stringify(status)));
  if (!isDeepStrictEqual(was, is)) return false;
  const sinceMs = Math.abs(Date.parse(after.lastObservedTime ?? '') - Date.parse(before.lastObservedTime ?? ''));
  if (sinceMs < hourMs) throw new TypeError('a status was written within an hour only to record the time');
  return true;
}

/** Returns the status without the times of deliveries, which the operator also writes at rest, at most once an hour. */
export function withoutDeliveryTimes({ delivery, ...status }: Status): Status {
  if (delivery === undefined) return status;
  return {
    ...status,
    delivery: delivery.map(({ lastAttemptTime: _attempt, lastDeliveredTime: _delivered, ...entry }) => entry),
  };
}
