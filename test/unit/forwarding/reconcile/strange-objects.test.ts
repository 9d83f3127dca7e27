/** Unusual forwardings that the API server accepts. */
import { expect, test } from '@jest/globals';
import { apiVersion, kind, reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { parseForwarding } from '../../../../src/resources/forwarding-resource.ts';
import { key, specOf, usual } from '../../../support/forwarding-spec.ts';
import { blue, shop } from '../../../support/konnect-fixtures.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const crab = '\u{1F980}';

test('a request that is cut inside a character is answered once, with a text that Kubernetes stores unchanged', async () => {
  const harness = await inPlace();
  harness.cluster.annotate(reconcileAnnotation, `x${crab.repeat(40)}`);
  await harness.work();
  expect(harness.status.lastHandledReconcileAt?.isWellFormed()).toBe(true);
  harness.clearRecords();
  await harness.resync();
  expect(harness.cluster.writes).toBe(0);
});

test('a reference to the nil UUID is a destination that does not exist', async () => {
  const destinationRef = { id: '00000000-0000-0000-0000-000000000000' };
  const harness = await open({ portals: [{ id: shop, enabled: true }], destinationRef });
  await harness.work();
  expect(harness.readiness).toBe('False DestinationNotFound Stalled');
  expect(harness.konnectWrites).toEqual([]);
});

test('an entry of cleanup without a portal does not delay a deletion', async () => {
  const harness = await inPlace();
  const { object } = harness.cluster;
  if (object === undefined) throw new TypeError('there is no forwarding');
  const cleanup = [{ organizationID: blue, region: 'us', api: 'v3' as const, kind: 'portal' as const }];
  harness.cluster.objects.set(key, { ...object, status: { ...object.status, cleanup } });
  harness.delete();
  await harness.work();
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.destinations).toEqual([]);
});

test('names are as long as the API server counts them, however many units a character has in JavaScript', () => {
  const metadata = { namespace: 'n', name: 'f', uid: 'u', resourceVersion: '1' };
  const named = (name: string) => parseForwarding({ apiVersion, kind, metadata, spec: specOf({ ...usual, name }) });
  expect(named(crab.repeat(128)).kind).toBe('forwarding');
  expect(named(crab.repeat(129))).toEqual({ kind: 'invalid', fields: ['spec.destination.name'] });
});
