import { expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { key } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();

test('a request for all forwardings lists all destinations for none, and looks up one name for each without a destination', async () => {
  const harness = await inPlace({ portals: [{ id: shop, enabled: true }] });
  const others = ['a', 'b', 'c', 'd'].map((name) => `platform/${name}`);
  for (const other of others) harness.add({ portals: [{ id: shop, enabled: true }] }, other);
  await harness.work();
  expect(others.map((other) => harness.readinessOf(other))).toEqual(others.map(() => 'False Claimed Stalled'));
  harness.clearRecords();
  harness.clock.ms += 700_000;
  for (const one of [key, ...others]) harness.cluster.annotate(reconcileAnnotation, 'now', one);
  await Promise.all([key, ...others].map((one) => harness.reconcileKey(one)));
  const lists = harness.konnect.control.calls().filter(({ path }) => path === '/v3/audit-log-destinations');
  const names = lists.map(({ query }) => new URLSearchParams(query).get('filter[name][eq]') ?? 'all');
  expect(names.toSorted()).toEqual(others);
  expect(harness.konnectWrites).toEqual([]);
});
