/** Forwardings that nobody would write, but that the API server lets through. */
import { expect, test } from '@jest/globals';
import { apiVersion, kind, reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { parseForwarding } from '../../../../src/resources/forwarding-resource.ts';
import { blue, key, shop, specOf, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { open, inPlace } = useStages();
const crab = '\u{1F980}';

test('a demand that is cut amid a character is answered once, in text that Kubernetes stores as it is', async () => {
  const stage = await inPlace();
  stage.cluster.annotate(reconcileAnnotation, `x${crab.repeat(40)}`);
  await stage.work();
  expect(stage.status.lastHandledReconcileAt?.isWellFormed()).toBe(true);
  stage.forget();
  await stage.interval();
  expect(stage.cluster.writes).toBe(0);
});

test('a reference to the nil UUID is a destination that does not exist', async () => {
  const destinationRef = { id: '00000000-0000-0000-0000-000000000000' };
  const stage = await open({ portals: [{ id: shop, enabled: true }], destinationRef });
  await stage.work();
  expect(stage.verdict).toBe('False DestinationNotFound Stalled');
  expect(stage.konnectWrites).toEqual([]);
});

test('an entry of cleanup that names no portal is nothing to undo, and holds no deletion up', async () => {
  const stage = await inPlace();
  const { object } = stage.cluster;
  if (object === undefined) throw new TypeError('there is no forwarding');
  const cleanup = [{ organizationID: blue, region: 'us', api: 'v3' as const, kind: 'portal' as const }];
  stage.cluster.objects.set(key, { ...object, status: { ...object.status, cleanup } });
  stage.delete();
  await stage.work();
  expect(stage.cluster.object).toBeUndefined();
  expect(stage.destinations).toEqual([]);
});

test('names are as long as the API server counts them, however many units a character has in JavaScript', () => {
  const metadata = { namespace: 'n', name: 'f', uid: 'u', resourceVersion: '1' };
  const named = (name: string) => parseForwarding({ apiVersion, kind, metadata, spec: specOf({ ...usual, name }) });
  expect(named(crab.repeat(128)).kind).toBe('forwarding');
  expect(named(crab.repeat(129))).toEqual({ kind: 'invalid', fields: ['spec.destination.name'] });
});
