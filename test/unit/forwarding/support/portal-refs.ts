import { expect } from '@jest/globals';
import type { PortalObject } from '../../../../src/forwarding/ports.ts';
import { key, type SpecChoice } from '../../../support/forwarding-spec.ts';
import { blue, forum, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from './harness.ts';

export const attached = `${key} on`;

export const byRef: SpecChoice = { portalRefs: [{ name: 'shop', enabled: true }] };
export const mixed: SpecChoice = { portals: [{ id: forum, enabled: true }], ...byRef };

/** Returns a Portal whose status has this ID. */
export function portal(
  id: string | undefined,
  change: Partial<Extract<PortalObject, { kind: 'portal' }>> = {},
): PortalObject {
  return { kind: 'portal', id, organizationID: blue, serverURL: 'https://us.api.konghq.com', ...change };
}

/** Puts a forwarding in place, with a Portal that stands for the shop. */
export async function withShop(harness: Harness): Promise<Harness> {
  harness.cluster.portals.set('shop', portal(shop));
  await harness.work();
  expect(harness.readiness).toBe('True InSync');
  harness.clearRecords();
  return harness;
}

export function pointed(harness: Harness, ...ids: string[]): string[] {
  return ids.map((id) => harness.pointsAt(harness.portal(id)));
}
