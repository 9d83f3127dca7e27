/** What tests of gaps and replays share. */
import type { DeliveryStatus } from '../../../../src/api/v1alpha1.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from './harness.ts';

export const minuteMs = 60_000;
export const dayMs = 24 * 60 * minuteMs;
export const oneShop: SpecChoice = { portals: [{ id: shop, enabled: true }] };

export function entryOf(harness: Harness, of = shop): DeliveryStatus | undefined {
  return harness.status.delivery?.find((one) => one.key === of);
}

export function nowIn(harness: Harness): string {
  return new Date(harness.clock.ms).toISOString();
}

export function shown(harness: Harness, type: string): string {
  const { reason = '-', message = '-' } = harness.condition(type) ?? {};
  return `${reason}: ${message}`;
}
