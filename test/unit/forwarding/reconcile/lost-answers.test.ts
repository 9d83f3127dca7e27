import { describe, expect, test } from '@jest/globals';
import { own, type SpecChoice, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, otherSiem, shop } from '../../../support/konnect-fixtures.ts';
import { onlyDestination, useHarness } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { inPlace, open } = useHarness();

describe('a lost answer to the creation', () => {
  test('is found by the pending creation, without a second POST', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
    expect(harness.status.destination?.creating?.name).toBe(name);
    harness.restart();
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.konnectWrites.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    expect(harness.status.destination?.id).toBe(onlyDestination(harness));
    expect(harness.status.destination?.creating).toBeUndefined();
  });

  test('is waited for as long as lists may be stale', async () => {
    const harness = await open(usual, { staleListMs: 25_000, duplicateNames: 'allowed' });
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    onlyDestination(harness);
  });

  test('is found by its own name although spec wants another one by now', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'renamed' } }));
    await harness.settle();
    onlyDestination(harness);
    expect(harness.destinations).toMatchObject([{ name: 'renamed' }]);
  });

  test('leads to a second POST only after that time, if the first one created nothing', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'drop-before', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    harness.clock.ms += 29_000;
    await harness.reconcile();
    expect(harness.readiness).toBe('False Creating Reconciling');
    expect(harness.konnectWrites.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    harness.clock.ms += 2_000;
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    onlyDestination(harness);
  });

  test('and what it created is deleted if spec no longer wants it', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    harness.cluster.edit(({ portals: _portals, ...spec }) => ({
      ...spec,
      konnect: { ...spec.konnect, auditLogsAPI: 'v2' },
    }));
    await harness.settle();
    expect(harness.destinations).toEqual([]);
    expect(harness.readiness).toBe('True InSync');
  });

  test.each([{ name: 'theirs' }, { name: 'nobody' }])(
    'and what it created is deleted if spec refers to another destination by now (%j)',
    async (destinationRef) => {
      const harness = await open();
      harness.createForeign('theirs');
      harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
      await harness.reconcile();
      harness.cluster.edit(() => specOf({ ...usual, destinationRef }));
      await harness.settle();
      expect(harness.destinations.map((one) => one.name)).toEqual(['theirs']);
      expect(harness.status.destination?.creating).toBeUndefined();
    },
  );
});

test('a creation whose answer was lost is not taken for a deleted destination that a list still shows', async () => {
  const choice: SpecChoice = { ...usual, adoptionPolicy: 'Never' };
  const harness = await inPlace(choice);
  const deletedID = onlyDestination(harness);
  harness.createForeign('theirs');
  harness.clock.ms += 30_000;
  harness.cluster.edit(() => specOf({ ...choice, destinationRef: { name: 'theirs' } }));
  await harness.settle();
  harness.cluster.edit(() => specOf(choice));
  harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
  await harness.reconcile();
  Object.assign(harness.konnect.model.behavior, { staleListMs: 25_000 });
  await harness.settle();
  expect(harness.readiness).toBe('True InSync');
  const created = harness.destinations.filter((one) => one.name !== 'theirs').map(({ id }) => id);
  expect(created).toEqual([harness.status.destination?.id]);
  expect(created).not.toEqual([deletedID]);
});

describe('a lost answer to an attachment', () => {
  const choices: SpecChoice[] = [usual, { api: 'v2', organization: { enabled: true } }, { ...usual, api: 'v2' }];

  test.each(choices)('is recorded as the operator’s (%j)', async (choice) => {
    const harness = await open(choice);
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    expect(harness.readiness).toBe('False KonnectUnavailable Reconciling');
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
  });

  test.each(choices)('is removed if the forwarding is deleted before the next read (%j)', async (choice) => {
    const harness = await open(choice);
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    await harness.reconcile();
    harness.delete();
    await harness.settle();
    expect(harness.destinations).toEqual([]);
    const webhooks = [harness.portal(shop), harness.portal(forum), harness.webhook()];
    expect(webhooks.map((one) => harness.pointsAt(one))).toEqual(['nothing off', 'nothing off', 'nothing off']);
  });

  test('is removed if the portal leaves spec before the next read', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    await harness.reconcile();
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await harness.settle();
    expect(harness.pointsAt(harness.portal(forum))).toBe('nothing off');
  });
});

test('a rotated inline webhook that was refused first, and then set without an answer, is still the operator’s', async () => {
  const harness = await inPlace({ api: 'v2', adoptionPolicy: 'Never', organization: { enabled: true } });
  harness.cluster.putSecret('siem', otherSiem);
  const match = { method: 'PATCH', path: '/v2/audit-log-webhook' };
  harness.konnect.control.fail({ kind: 'status', status: 422, match, times: 1 });
  await harness.reconcile();
  harness.konnect.control.fail({ kind: 'drop-after', match, times: 1 });
  await harness.reconcile();
  await harness.settle();
  expect(harness.readiness).toBe('True InSync');
  expect(harness.webhook()).toMatchObject({ enabled: true, target: { inline: { endpoint: otherSiem.endpoint } } });
});
