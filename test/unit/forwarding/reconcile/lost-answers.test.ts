import { describe, expect, test } from '@jest/globals';
import { forum, otherSiem, own, type SpecChoice, shop, usual } from '../support/harness.ts';
import { onlyDestination, useStages } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { inPlace, open } = useStages();

describe('a lost answer to the creation', () => {
  test('is found again by the intent, with no second POST', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
    expect(stage.status.destination?.creating?.name).toBe(name);
    stage.restart();
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.konnectWrites.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    expect(stage.status.destination?.id).toBe(onlyDestination(stage));
    expect(stage.status.destination?.creating).toBeUndefined();
  });

  test('is waited for as long as lists may be stale', async () => {
    const stage = await open(usual, { staleListMs: 25_000, duplicateNames: 'allowed' });
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    onlyDestination(stage);
  });

  test('is found under its own name although the forwarding wants another by now', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'renamed' } }));
    await stage.settle();
    onlyDestination(stage);
    expect(stage.destinations).toMatchObject([{ name: 'renamed' }]);
  });

  test('comes to a second POST only after that time, where the first was never carried out', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-before', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.clock.ms += 29_000;
    await stage.pass();
    expect(stage.verdict).toBe('False Creating Reconciling');
    expect(stage.konnectWrites.filter((call) => call.startsWith('POST'))).toHaveLength(1);
    stage.clock.ms += 2_000;
    await stage.pass();
    expect(stage.verdict).toBe('True InSync');
    onlyDestination(stage);
  });

  test('and what it made is deleted where nothing wants it any longer', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    stage.cluster.edit(({ portals: _portals, ...spec }) => ({
      ...spec,
      konnect: { ...spec.konnect, auditLogsAPI: 'v2' },
    }));
    await stage.settle();
    expect(stage.destinations).toEqual([]);
    expect(stage.verdict).toBe('True InSync');
  });
});

describe('a lost answer to an attachment', () => {
  const choices: SpecChoice[] = [usual, { api: 'v2', organization: { enabled: true } }, { ...usual, api: 'v2' }];

  test.each(choices)('is found to be ours (%j)', async (choice) => {
    const stage = await open(choice);
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    expect(stage.verdict).toBe('False KonnectUnavailable Reconciling');
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
  });

  test.each(choices)('is undone where the forwarding is deleted before it was seen (%j)', async (choice) => {
    const stage = await open(choice);
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    await stage.pass();
    stage.delete();
    await stage.settle();
    expect(stage.destinations).toEqual([]);
    const webhooks = [stage.portal(shop), stage.portal(forum), stage.webhook()];
    expect(webhooks.map((one) => stage.pointsAt(one))).toEqual(['nothing off', 'nothing off', 'nothing off']);
  });

  test('is undone where the portal leaves spec before it was seen', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'PATCH' }, times: 3 });
    await stage.pass();
    stage.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await stage.settle();
    expect(stage.pointsAt(stage.portal(forum))).toBe('nothing off');
  });
});

test('a rotated inline webhook that was refused first, and then set without an answer, is still ours', async () => {
  const stage = await inPlace({ api: 'v2', adoptionPolicy: 'Never', organization: { enabled: true } });
  stage.cluster.putSecret('siem', otherSiem);
  const match = { method: 'PATCH', path: '/v2/audit-log-webhook' };
  stage.konnect.control.fail({ kind: 'status', status: 422, match, times: 1 });
  await stage.pass();
  stage.konnect.control.fail({ kind: 'drop-after', match, times: 1 });
  await stage.pass();
  await stage.settle();
  expect(stage.verdict).toBe('True InSync');
  expect(stage.webhook()).toMatchObject({ enabled: true, target: { inline: { endpoint: otherSiem.endpoint } } });
});
