import { expect, test } from '@jest/globals';
import { own, type SpecChoice, usual } from '../../../support/forwarding-spec.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { Shard } from '../support/shard.ts';
import { onlyDestination, useHarness } from '../support/use-harness.ts';

const { open } = useHarness();
const key = 'platform/sumologic';
const second = 'platform/second';

/** Two operators of one cluster. The first forwarding is in place, by the first of them. */
async function shards(choice: SpecChoice = usual): Promise<{ harness: Harness; a: Shard; b: Shard }> {
  const harness = await open(choice);
  const [a, b] = [new Shard(harness), new Shard(harness)];
  await a.take(key);
  expect(harness.readiness).toBe('True InSync');
  harness.clearRecords();
  return { harness, a, b };
}

const attached = (harness: Harness) => [harness.pointsAt(harness.portal(shop)), harness.pointsAt(harness.webhook())];

test('a forwarding whose labels change keeps everything in Konnect, and the next operator goes on with it', async () => {
  const { harness, a, b } = await shards();
  const id = onlyDestination(harness);
  a.lose(key);
  await expect(a.reconcile(key)).resolves.toEqual({ kind: 'done' });
  await b.take(key);
  expect(harness.konnectWrites).toEqual([]);
  expect(harness.reasons).toEqual([]);
  expect(onlyDestination(harness)).toBe(id);
  expect(harness.readiness).toBe('True InSync');
});

test('a forwarding that no operator watches keeps its finalizer and its objects in Konnect, until one watches it again', async () => {
  const { harness, a, b } = await shards();
  a.lose(key);
  await a.reconcile(key);
  harness.delete();
  expect(harness.cluster.object?.metadata.deletionTimestamp).toBeDefined();
  await a.reconcile(key);
  expect(attached(harness)).toEqual(['platform/sumologic on', 'platform/sumologic on']);
  await b.take(key);
  expect(harness.cluster.object).toBeUndefined();
  expect(harness.destinations).toEqual([]);
});

test.each([
  ['is being deleted', (harness: Harness) => harness.delete()],
  ['has lost its finalizer', (harness: Harness) => harness.cluster.removeFinalizers()],
])('a forwarding that %s when its labels change is left to the next operator', async (_what, act) => {
  const { harness, a } = await shards();
  act(harness);
  a.see(key);
  a.lose(key);
  await expect(a.reconcile(key)).resolves.toEqual({ kind: 'done' });
  expect(harness.konnectWrites).toEqual([]);
  expect(harness.reasons).toEqual([]);
  expect(attached(harness)).toEqual(['platform/sumologic on', 'platform/sumologic on']);
});

test('a list that lacks a forwarding whose labels have changed says nothing about Konnect', async () => {
  const { harness, a } = await shards();
  a.lose(key, false);
  await a.reconcile(key);
  expect(harness.reasons).toEqual([]);
});

test('a forwarding that was deleted without its finalizer is still cleaned up', async () => {
  const { harness, a } = await shards();
  harness.cluster.removeFinalizers();
  a.see(key);
  harness.delete();
  a.lose(key);
  await a.reconcile(key);
  expect(harness.reasons).toContain('DeletedWithoutFinalizer');
  expect(harness.destinations).toEqual([]);
});

test('a reconciliation ends when the labels of its forwarding change, and sends nothing more', async () => {
  const { harness, a } = await shards();
  harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), logFormat: 'json' } }));
  a.see(key);
  harness.onKonnectCall = () => a.lose(key);
  await expect(a.reconcile(key)).resolves.toEqual({ kind: 'done' });
  expect(harness.konnectWrites).toEqual([]);
});

test.each([
  ['IfMatching', 'platform/sumologic', 'True InSync', 'False WebhookInUse Stalled'],
  ['Never', 'platform/sumologic', 'True InSync', 'False WebhookInUse Stalled'],
  ['Always', 'platform/second', 'False Contested Stalled', 'True InSync'],
] as const)(
  'two operators that want the same webhook do not change it for ever (adoptionPolicy %s)',
  async (adoptionPolicy, owner, first, other) => {
    const { harness, a, b } = await shards({ portals: [{ id: shop, enabled: true }] });
    harness.add({ portals: [{ id: shop, enabled: true }], adoptionPolicy }, second);
    for (let round = 0; round < 6; round += 1) {
      await b.take(second);
      harness.clock.ms += 600_000;
      await a.take(key);
      harness.clock.ms += 600_000;
    }
    harness.clearRecords();
    await b.take(second);
    await a.take(key);
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.pointsAt(harness.portal(shop))).toBe(`${owner} on`);
    expect([harness.readiness, harness.readinessOf(second)]).toEqual([first, other]);
  },
);

test('a webhook that a forwarding of another operator gives up is free at its next resync', async () => {
  const { harness, a, b } = await shards({ portals: [{ id: shop, enabled: true }] });
  harness.add({ portals: [{ id: shop, enabled: true }], adoptionPolicy: 'Never' }, second);
  await b.take(second);
  harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: forum, enabled: true }] }));
  await a.take(key);
  expect(harness.pointsAt(harness.portal(shop))).toBe('nothing off');
  harness.clock.ms += 600_000;
  await b.take(second);
  expect(harness.pointsAt(harness.portal(shop))).toBe('platform/second on');
});
