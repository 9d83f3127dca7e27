import { describe, expect, test } from '@jest/globals';
import { pointWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { own, specOf, usual } from '../../../support/forwarding-spec.ts';
import { forum, laden, shop, siem } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const name = 'platform/sumologic';
const { inPlace } = useHarness();

function pointed(harness: Harness): Record<string, string> {
  return {
    shop: harness.pointsAt(harness.portal(shop)),
    forum: harness.pointsAt(harness.portal(forum)),
    laden: harness.pointsAt(harness.portal(laden)),
    us: harness.pointsAt(harness.webhook('us')),
    eu: harness.pointsAt(harness.webhook('eu')),
  };
}

const nothing = 'nothing off';

describe('fewer things wanted', () => {
  test('a portal that leaves spec is detached, and nothing else changes', async () => {
    const harness = await inPlace();
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await harness.settle();
    expect(harness.konnectWrites).toEqual([`DELETE us/v3/portals/${forum}/audit-log-webhook`]);
    expect(pointed(harness)).toMatchObject({ shop: `${name} on`, forum: nothing, us: `${name} on` });
    expect(harness.status).toMatchObject({ portals: [{ id: shop }], portalsReady: '1/1' });
    expect(harness.status.cleanup).toBeUndefined();
  });

  test('a portal that leaves spec and points elsewhere by now stays unchanged', async () => {
    const harness = await inPlace();
    const { id } = harness.createForeign('theirs');
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(forum), { kind: 'destination', id });
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await harness.settle();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.status.cleanup).toBeUndefined();
  });

  test('the organization webhook that leaves spec is detached', async () => {
    const harness = await inPlace();
    harness.cluster.edit(({ organization: _organization, ...spec }) => spec);
    await harness.settle();
    expect(harness.konnectWrites).toEqual(['DELETE us/v3/audit-log-webhook']);
    expect(harness.status.organization).toBeUndefined();
  });

  test('the destination goes with the last thing that needs it', async () => {
    const harness = await inPlace({ portals: [{ id: shop, enabled: true }] }, { releaseDelayMs: 15_000 });
    harness.cluster.edit(() => specOf({ api: 'v2', organization: { enabled: true } }));
    await harness.settle();
    expect(harness.destinations).toEqual([]);
    expect(pointed(harness)).toMatchObject({ shop: nothing, us: `${siem.endpoint} on` });
    expect(harness.readiness).toBe('True InSync');
  });

  test('what spec wants again before it is cleaned up is restored', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'DELETE' } });
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: true }] }));
    await harness.reconcile();
    expect(harness.status.cleanup).toMatchObject([{ kind: 'portal', id: forum }]);
    harness.konnect.control.clearFaults();
    harness.cluster.edit(() => specOf(usual));
    harness.clearRecords();
    await harness.settle();
    expect(harness.konnectWrites).toEqual([]);
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.readiness).toBe('True InSync');
  });
});

describe('another region', () => {
  test('is attached first, then the old one is detached; and back again', async () => {
    const harness = await inPlace();
    harness.cluster.edit(() =>
      specOf({ region: 'eu', organization: { enabled: true }, portals: [{ id: laden, enabled: true }] }),
    );
    await harness.settle();
    expect(pointed(harness)).toEqual({
      shop: nothing,
      forum: nothing,
      us: nothing,
      laden: `${name} on`,
      eu: `${name} on`,
    });
    const [attach, detach] = ['PATCH eu', 'DELETE us'].map((start) =>
      harness.konnectWrites.findIndex((call) => call.startsWith(start)),
    );
    expect(attach).toBeLessThan(detach ?? -1);
    expect(harness.status).toMatchObject({ konnect: { region: 'eu' }, portals: [{ id: laden }] });
    harness.cluster.edit(() => specOf(usual));
    await harness.settle();
    expect(pointed(harness)).toEqual({
      shop: `${name} on`,
      forum: `${name} on`,
      us: `${name} on`,
      laden: nothing,
      eu: nothing,
    });
    expect(harness.destinations).toHaveLength(1);
    expect(harness.status.cleanup).toBeUndefined();
  });

  test('and back before the old one could be detached', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'DELETE' } });
    harness.cluster.edit(() => specOf({ region: 'eu', organization: { enabled: true } }));
    await harness.reconcile();
    expect(harness.status.cleanup).toHaveLength(3);
    harness.cluster.edit(() => specOf(usual));
    await harness.reconcile();
    expect(harness.status.cleanup).toMatchObject([{ kind: 'organization', region: 'eu' }]);
    harness.konnect.control.clearFaults();
    await harness.settle();
    expect(pointed(harness)).toMatchObject({ shop: `${name} on`, forum: `${name} on`, us: `${name} on`, eu: nothing });
  });
});

describe('the other version of the API', () => {
  test.each([
    [{ organization: { enabled: true } }, 0],
    [usual, 1],
  ] as const)('v3 to v2 and back (%j)', async (choice, destinationsInV2) => {
    const harness = await inPlace(choice);
    harness.cluster.edit(() => specOf({ ...choice, api: 'v2' }));
    await harness.settle();
    expect(harness.pointsAt(harness.webhook())).toBe(`${siem.endpoint} on`);
    expect(harness.destinations).toHaveLength(destinationsInV2);
    expect(harness.status).toMatchObject({ organization: { api: 'v2', state: 'on' } });
    expect(harness.status.organization?.destinationID).toBeUndefined();
    harness.cluster.edit(() => specOf(choice));
    await harness.settle();
    expect(harness.pointsAt(harness.webhook())).toBe(`${name} on`);
    expect(harness.destinations).toHaveLength(1);
    expect(harness.status.cleanup).toBeUndefined();
    expect(harness.status.organization?.endpointDigest).toBeUndefined();
  });

  test('together with another region', async () => {
    const harness = await inPlace();
    harness.cluster.edit(() => specOf({ api: 'v2', region: 'eu', organization: { enabled: true } }));
    await harness.settle();
    expect(pointed(harness)).toEqual({
      shop: nothing,
      forum: nothing,
      laden: nothing,
      us: nothing,
      eu: `${siem.endpoint} on`,
    });
    expect(harness.destinations).toEqual([]);
  });
});

test('another name is given to the same destination', async () => {
  const harness = await inPlace();
  const [before] = harness.destinations;
  harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'audit' } }));
  await harness.settle();
  expect(harness.destinations).toMatchObject([{ id: before?.id, name: 'audit' }]);
  expect(harness.konnectWrites).toEqual(['PATCH global/v3/audit-log-destinations/ID']);
});

test('another name that is in use is refused, and nothing is changed', async () => {
  const harness = await inPlace();
  harness.createForeign('audit');
  harness.cluster.edit((spec) => ({ ...spec, destination: { ...own(spec), name: 'audit' } }));
  await harness.reconcile();
  expect(harness.readiness).toBe('False NameInUse Stalled');
  expect(harness.destinations.map((one) => one.name)).toEqual([name, 'audit']);
});
