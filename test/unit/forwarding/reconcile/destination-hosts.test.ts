import { describe, expect, test } from '@jest/globals';
import type { Behavior } from '../../../../sandbox/konnect/behavior.ts';
import { deleteDestination } from '../../../../sandbox/konnect/model/destinations.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { otherSiem, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { nextResync, onlyDestination, useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();
const onePortal: SpecChoice = { portals: [{ id: shop, enabled: true }] };

const served: Partial<Behavior>[] = [
  { destinationItems: 'global' },
  ...(['region-v3', 'region-v2'] as const).flatMap((destinationItems) =>
    (['problem', 'no-route', 'method-not-allowed'] as const).map((unservedDestinationItem) => ({
      destinationItems,
      unservedDestinationItem,
    })),
  ),
];

function rotate(harness: Harness): void {
  harness.cluster.putSecret('siem', otherSiem);
}

/** The requests for one destination, and the lists. */
function destinationCalls(harness: Harness): string[] {
  return harness.calls.filter((call) => call.includes('/audit-log-destinations'));
}

describe.each(served)('where Konnect serves one destination as %j', (behavior) => {
  test('a rotated Secret reaches it', async () => {
    const harness = await inPlace(onePortal, behavior);
    const id = onlyDestination(harness);
    rotate(harness);
    await harness.settle();
    expect(harness.destinations).toMatchObject([{ id, ...otherSiem }]);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.pointsAt(harness.portal(shop))).toBe('platform/sumologic on');
  });

  test('a rotated Secret reaches it after a restart', async () => {
    const harness = await inPlace(onePortal, behavior);
    const id = onlyDestination(harness);
    harness.restart();
    rotate(harness);
    await harness.settle();
    expect(harness.destinations).toMatchObject([{ id, ...otherSiem }]);
  });

  test('a deletion deletes it', async () => {
    const harness = await inPlace(onePortal, behavior);
    harness.restart();
    harness.delete();
    await harness.settle();
    expect(harness.destinations).toEqual([]);
    expect(harness.cluster.objects.size).toBe(0);
    expect(harness.reasons).toContain('DestinationDeleted');
  });

  test('it is created again only if it is gone', async () => {
    const harness = await inPlace(onePortal, { ...behavior, usedDestination: 'deleted' });
    const id = onlyDestination(harness);
    await nextResync(harness);
    expect(onlyDestination(harness)).toBe(id);
    deleteDestination(harness.konnect.model, harness.organization, id);
    await nextResync(harness);
    await harness.settle();
    expect(onlyDestination(harness)).not.toBe(id);
    expect(harness.readiness).toBe('True InSync');
  });
});

describe('where the global host serves one destination, nobody asks elsewhere', () => {
  test('a rotation costs one GET and one PATCH', async () => {
    const harness = await inPlace(onePortal, { destinationItems: 'global' });
    rotate(harness);
    await harness.settle();
    const ofOne = destinationCalls(harness).filter((call) => call.endsWith('/ID'));
    expect(ofOne).toEqual(['GET global/v3/audit-log-destinations/ID', 'PATCH global/v3/audit-log-destinations/ID']);
  });

  test('a deletion costs one DELETE', async () => {
    const harness = await inPlace(onePortal, { destinationItems: 'global' });
    harness.delete();
    await harness.settle();
    expect(destinationCalls(harness)).toEqual(['DELETE global/v3/audit-log-destinations/ID']);
  });

  test('a reconciliation without drift requests no single destination', async () => {
    const harness = await inPlace(onePortal, { destinationItems: 'global' });
    await nextResync(harness);
    expect(destinationCalls(harness)).toEqual(['GET global/v3/audit-log-destinations']);
  });
});

test('a deletion waits as long as Konnect lists the destination and serves it nowhere', async () => {
  const harness = await inPlace(onePortal);
  const id = onlyDestination(harness);
  const match = { path: '/v?/audit-log-destinations/*' };
  const faults = ['2', '3'].map((version) =>
    harness.konnect.control.fail({ kind: 'status', status: 404, match: { path: match.path.replace('?', version) } }),
  );
  harness.delete();
  expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
  expect(harness.status.cleanup).toMatchObject([{ kind: 'destination', destinationID: id }]);
  expect(harness.condition('Ready')?.message).toContain(`destination ${id} (delete destination): Konnect lists it`);
  for (const fault of faults) fault.remove();
  await harness.settle();
  expect(harness.destinations).toEqual([]);
  expect(harness.cluster.objects.size).toBe(0);
});
