import { describe, expect, test } from '@jest/globals';
import { key, type SpecChoice, specOf } from '../../../support/forwarding-spec.ts';
import { otherSiem, shop, tokens } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { attached, byRef, pointed, portal, withShop } from '../support/portal-refs.ts';
import { useHarness } from '../support/use-harness.ts';

const { open } = useHarness();
const younger = 'other/later';

describe('a portal that is named twice', () => {
  const twice = (enabled: boolean): SpecChoice => ({ portals: [{ id: shop, enabled }], ...byRef });

  test('is attached once, and is one of those that count', async () => {
    const harness = await withShop(await open(twice(true)));
    expect(harness.status).toMatchObject({ portalsReady: '1/1', portals: [{ id: shop, ref: 'shop', state: 'on' }] });
  });

  test('with two settings is a problem, and follows the ID until one entry is removed', async () => {
    const harness = await open(twice(false));
    harness.cluster.portals.set('shop', portal(shop));
    await harness.work();
    expect(harness.readiness).toBe('False PortalRefConflict Stalled');
    expect(harness.status).toMatchObject({ portalsReady: '0/1', portals: [{ reason: 'PortalRefConflict' }] });
    expect(pointed(harness, shop)).toEqual([`${key} off`]);
    harness.clearRecords();
    await harness.resync();
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
    harness.cluster.edit(() => specOf(byRef));
    await harness.work();
    expect([harness.readiness, pointed(harness, shop)]).toEqual(['True InSync', [attached]]);
  });
});

describe('two forwardings, one by ID and one by a Portal,', () => {
  const byID: SpecChoice = { portals: [{ id: shop, enabled: true }] };

  async function two(ofOlder: SpecChoice, ofYounger: SpecChoice): Promise<Harness> {
    const harness = await open(ofOlder);
    harness.cluster.portals.set('shop', portal(shop));
    harness.cluster.portals.set('other/shop', portal(shop));
    harness.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
    harness.cluster.putSecret('other/siem', otherSiem);
    await harness.work();
    harness.add(ofYounger, younger);
    await harness.work();
    return harness;
  }

  test.each([
    ['the ID is older', byID, byRef],
    ['the Portal is older', byRef, byID],
    ['both by Portals', byRef, byRef],
  ])('have one holder, and the other takes over without a gap: %s', async (_title, ofOlder, ofYounger) => {
    const harness = await two(ofOlder, ofYounger);
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['True InSync', 'False Claimed Stalled']);
    expect(harness.condition('Ready', younger)?.message).toContain(`belongs to AuditLogForwarding ${key}`);
    harness.clearRecords();
    await harness.resync();
    harness.restart();
    await harness.resync();
    expect([harness.konnectWrites, pointed(harness, shop)]).toEqual([[], [attached]]);

    const seen: string[] = [];
    harness.onKonnectCall = () => seen.push(harness.pointsAt(harness.portal(shop)));
    harness.delete();
    await harness.work();
    expect([harness.cluster.object, harness.readinessOf(younger)]).toEqual([undefined, 'True InSync']);
    expect([...new Set(seen)]).toEqual([attached, `${younger} on`]);
  });

  test('if the reference leaves spec, the other forwarding takes over without a gap', async () => {
    const harness = await two({ ...byRef, organization: { enabled: true } }, byID);
    const seen: string[] = [];
    harness.onKonnectCall = () => seen.push(harness.pointsAt(harness.portal(shop)));
    harness.cluster.edit(() => specOf({ organization: { enabled: true } }));
    await harness.work();
    expect([harness.readiness, harness.readinessOf(younger)]).toEqual(['True InSync', 'True InSync']);
    expect([...new Set(seen)]).toEqual([attached, `${younger} on`]);
  });

  test('if the older one resolves its portal later, the owner stays', async () => {
    const harness = await open(byRef);
    harness.cluster.portals.set('shop', portal(undefined));
    harness.cluster.putSecret('other/konnect', { token: tokens.blueAgain });
    harness.cluster.putSecret('other/siem', otherSiem);
    await harness.reconcile();
    harness.add(byID, younger);
    await harness.reconcileKey(younger);
    expect(harness.readinessOf(younger)).toBe('True InSync');
    harness.cluster.portals.set('shop', portal(shop));
    harness.clearRecords();
    await harness.reconcile();
    expect([harness.readiness, harness.konnectWrites]).toEqual(['False Claimed Stalled', []]);
    expect(harness.condition('Ready')?.message).toContain('remove spec.portalRefs[shop] here');
  });
});
