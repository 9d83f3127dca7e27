import { describe, expect, test } from '@jest/globals';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { forum, laden, own, type Stage, shop, siem, specOf, usual } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { inPlace } = useStages();

function pointed(stage: Stage): Record<string, string> {
  return {
    shop: stage.pointsAt(stage.portal(shop)),
    forum: stage.pointsAt(stage.portal(forum)),
    laden: stage.pointsAt(stage.portal(laden)),
    us: stage.pointsAt(stage.webhook('us')),
    eu: stage.pointsAt(stage.webhook('eu')),
  };
}

const nothing = 'nothing off';

describe('fewer things wanted', () => {
  test('a portal that leaves spec is detached, and nothing else changes', async () => {
    const stage = await inPlace();
    stage.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await stage.settle();
    expect(stage.konnectWrites).toEqual([`DELETE us/v3/portals/${forum}/audit-log-webhook`]);
    expect(pointed(stage)).toMatchObject({ shop: `${name} on`, forum: nothing, us: `${name} on` });
    expect(stage.status).toMatchObject({ portals: [{ id: shop }], portalsReady: '1/1' });
    expect(stage.status.cleanup).toBeUndefined();
  });

  test('a portal that leaves spec and points elsewhere by now is left alone', async () => {
    const stage = await inPlace();
    const { id } = stage.createForeign('theirs');
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(forum), { kind: 'destination', id });
    stage.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await stage.settle();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.status.cleanup).toBeUndefined();
  });

  test('the organization webhook that leaves spec is detached', async () => {
    const stage = await inPlace();
    stage.cluster.edit(({ organization: _organization, ...spec }) => spec);
    await stage.settle();
    expect(stage.konnectWrites).toEqual(['DELETE us/v3/audit-log-webhook']);
    expect(stage.status.organization).toBeUndefined();
  });

  test('the destination goes with the last thing that needs it', async () => {
    const stage = await inPlace({ portals: [{ id: shop, enabled: true }] }, { releaseDelayMs: 15_000 });
    stage.cluster.edit(() => specOf({ api: 'v2', organization: { enabled: true } }));
    await stage.settle();
    expect(stage.destinations).toEqual([]);
    expect(pointed(stage)).toMatchObject({ shop: nothing, us: `${siem.endpoint} on` });
    expect(stage.verdict).toBe('True InSync');
  });

  test('what is wanted again while its undoing still waits is taken back', async () => {
    const stage = await inPlace();
    stage.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'DELETE' } });
    stage.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await stage.pass();
    expect(stage.status.cleanup).toMatchObject([{ kind: 'portal', id: forum }]);
    stage.konnect.control.clearFaults();
    stage.cluster.edit(() => specOf(usual));
    stage.forget();
    await stage.settle();
    expect(stage.konnectWrites).toEqual([]);
    expect(stage.status.cleanup).toBeUndefined();
    expect(stage.verdict).toBe('True InSync');
  });
});

describe('another region', () => {
  test('is attached first, then the old one is detached; and back again', async () => {
    const stage = await inPlace();
    stage.cluster.edit(() =>
      specOf({ region: 'eu', organization: { enabled: true }, portals: [{ id: laden, enabled: true }] }),
    );
    await stage.settle();
    expect(pointed(stage)).toEqual({
      shop: nothing,
      forum: nothing,
      us: nothing,
      laden: `${name} on`,
      eu: `${name} on`,
    });
    const [attach, detach] = ['PATCH eu', 'DELETE us'].map((start) =>
      stage.konnectWrites.findIndex((call) => call.startsWith(start)),
    );
    expect(attach).toBeLessThan(detach ?? -1);
    expect(stage.status).toMatchObject({ konnect: { region: 'eu' }, portals: [{ id: laden }] });
    stage.cluster.edit(() => specOf(usual));
    await stage.settle();
    expect(pointed(stage)).toEqual({
      shop: `${name} on`,
      forum: `${name} on`,
      us: `${name} on`,
      laden: nothing,
      eu: nothing,
    });
    expect(stage.destinations).toHaveLength(1);
    expect(stage.status.cleanup).toBeUndefined();
  });

  test('and back before the old one could be detached', async () => {
    const stage = await inPlace();
    stage.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'DELETE' } });
    stage.cluster.edit(() => specOf({ region: 'eu', organization: { enabled: true } }));
    await stage.pass();
    expect(stage.status.cleanup).toHaveLength(3);
    stage.cluster.edit(() => specOf(usual));
    await stage.pass();
    expect(stage.status.cleanup).toMatchObject([{ kind: 'organization', region: 'eu' }]);
    stage.konnect.control.clearFaults();
    await stage.settle();
    expect(pointed(stage)).toMatchObject({ shop: `${name} on`, forum: `${name} on`, us: `${name} on`, eu: nothing });
  });
});

describe('the other version of the API', () => {
  test.each([
    [{ organization: { enabled: true } }, 0],
    [usual, 1],
  ] as const)('v3 to v2 and back (%j)', async (choice, destinationsInV2) => {
    const stage = await inPlace(choice);
    stage.cluster.edit(() => specOf({ ...choice, api: 'v2' }));
    await stage.settle();
    expect(stage.pointsAt(stage.webhook())).toBe(`${siem.endpoint} on`);
    expect(stage.destinations).toHaveLength(destinationsInV2);
    expect(stage.status).toMatchObject({ organization: { api: 'v2', state: 'on' } });
    expect(stage.status.organization?.destinationID).toBeUndefined();
    stage.cluster.edit(() => specOf(choice));
    await stage.settle();
    expect(stage.pointsAt(stage.webhook())).toBe(`${name} on`);
    expect(stage.destinations).toHaveLength(1);
    expect(stage.status.cleanup).toBeUndefined();
    expect(stage.status.organization?.endpointDigest).toBeUndefined();
  });

  test('together with another region', async () => {
    const stage = await inPlace();
    stage.cluster.edit(() => specOf({ api: 'v2', region: 'eu', organization: { enabled: true } }));
    await stage.settle();
    expect(pointed(stage)).toEqual({
      shop: nothing,
      forum: nothing,
      laden: nothing,
      us: nothing,
      eu: `${siem.endpoint} on`,
    });
    expect(stage.destinations).toEqual([]);
  });
});

test('another name is given to the same destination', async () => {
  const stage = await inPlace();
  const [before] = stage.destinations;
  stage.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'audit' } }));
  await stage.settle();
  expect(stage.destinations).toMatchObject([{ id: before?.id, name: 'audit' }]);
  expect(stage.konnectWrites).toEqual(['PATCH global/v3/audit-log-destinations/ID']);
});

test('another name that is taken is refused, and nothing is changed', async () => {
  const stage = await inPlace();
  stage.createForeign('audit');
  stage.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'audit' } }));
  await stage.pass();
  expect(stage.verdict).toBe('False NameInUse Stalled');
  expect(stage.destinations.map((one) => one.name)).toEqual([name, 'audit']);
});
