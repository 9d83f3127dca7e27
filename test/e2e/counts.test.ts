import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { countWrites, operatorRequests, tally } from './support/audit-log.ts';
import { createWorld, type World } from './support/environment.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { forwarding, secret } from './support/manifests.ts';
import { passesMade } from './support/reconciliations.ts';

const organization = 'GET global/v3/organizations/me';
const list = 'GET global/v3/audit-log-destinations';
const create = 'POST global/v3/audit-log-destinations';
const readPortal = 'GET us/v3/portals/…/audit-log-webhook';
const attachPortal = 'PATCH us/v3/portals/…/audit-log-webhook';

/** What the operator asked of Konnect, and how often; portals are not told apart. */
function callsOf(world: World): Record<string, number> {
  return tally(
    world.calls().map(({ method, region, path }) => {
      return `${method} ${region}${path.replace(/\/portals\/[^/]+/, '/portals/…')}`;
    }),
  );
}

/** The portals that a method was used on. */
function portalsOf(world: World, method: string): (string | undefined)[] {
  return world
    .calls()
    .filter((call) => call.method === method)
    .flatMap(({ path }) => /\/portals\/([^/]+)/.exec(path)?.[1] ?? [])
    .toSorted();
}

/** Counts what `act` makes the operator ask of Kubernetes. The operator has to have been stopped at the end of it, so that nothing is on its way. */
async function kubernetesRequestsDuring(world: World, act: () => Promise<void>) {
  const before = await operatorRequests(world.namespace);
  await act();
  return (await operatorRequests(world.namespace)).slice(before.length);
}

describe.each([1, 5, 20])('a forwarding with %i portals', (count) => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld({ prefix: `counts-${String(count)}`, portals: count });
    await world.applySecrets();
  });

  afterAll(() => world.stop());

  test('is created with as few calls as there can be', async () => {
    const portals = world.blue.portals.us;
    const requests = await kubernetesRequestsDuring(world, async () => {
      await world.apply(forwarding('sumologic', { portals: portals.map((id) => ({ id })) }));
      await world.waitForReady('sumologic');
      // Written in the background, one after the other.
      await eventually(async () => expect(await world.events('sumologic')).toHaveLength(1 + count + 1));
      await expect(world.stopOperator()).resolves.toBe('exited with code 0');
    });

    expect(callsOf(world)).toEqual({
      [organization]: 1,
      [list]: 1,
      [create]: 1,
      [readPortal]: count,
      [attachPortal]: count,
    });
    expect(portalsOf(world, 'GET')).toEqual(portals);
    expect(portalsOf(world, 'PATCH')).toEqual(portals);
    expect(countWrites(requests)).toEqual({
      // The finalizer.
      'patch auditlogforwardings.konnect-audit-log.io': 1,
      // The intent to create the destination; what is to be attached to it; that all is in place.
      'patch auditlogforwardings.konnect-audit-log.io/status': 3,
      // A destination created, each portal attached, in sync.
      'create events.events.k8s.io': 1 + count + 1,
    });
    const reads = tally(
      requests.filter(({ verb }) => verb === 'get').map(({ resource, name }) => `${resource}/${name}`),
    );
    expect(reads).toEqual({ 'secrets/konnect': 1, 'secrets/sumologic': 1 });
  });

  test('is only read after a restart', async () => {
    world.clearCalls();
    const requests = await kubernetesRequestsDuring(world, async () => {
      await world.startOperator();
      await passesMade(world, 1);
      await world.stopOperator();
    });

    expect(callsOf(world)).toEqual({ [organization]: 1, [list]: 1, [readPortal]: count });
    expect(portalsOf(world, 'GET')).toEqual(world.blue.portals.us);
    expect(tally(requests.map(({ verb, resource }) => `${verb} ${resource}`))).toEqual({
      'list auditlogforwardings.konnect-audit-log.io': 1,
      'watch auditlogforwardings.konnect-audit-log.io': 1,
      'list secrets': 1,
      'watch secrets': 1,
      'get secrets': 2,
    });
  });

  test('is only read when its spec changes in nothing that Konnect holds', async () => {
    await world.startOperator();
    await passesMade(world, 1);
    world.clearCalls();
    const requests = await kubernetesRequestsDuring(world, async () => {
      await world.patch('sumologic', { spec: { interval: '11m' } });
      await world.waitForReady('sumologic');
      await passesMade(world, 2);
      await world.stopOperator();
    });

    // The list is shared, and younger than half of the interval.
    expect(callsOf(world)).toEqual({ [readPortal]: count });
    // Status says which generation it speaks of.
    expect(countWrites(requests)).toEqual({ 'patch auditlogforwardings.konnect-audit-log.io/status': 1 });
  });
});

test('a second forwarding with the same token does not ask again whose it is', async () => {
  await using world = await createWorld({ prefix: 'counts-second', portals: 4 });
  const [first, second, ...others] = world.blue.portals.us;
  await world.applySecrets();
  await world.apply(forwarding('first', { portals: [{ id: first }, { id: second }] }));
  await world.waitForReady('first');
  world.clearCalls();

  await world.apply(
    secret('another-copy', { token: world.blue.token }),
    forwarding('second', {
      konnect: { region: 'us', tokenSecretRef: { name: 'another-copy' } },
      portals: others.map((id) => ({ id })),
    }),
  );
  await world.waitForReady('second');

  expect(callsOf(world)).toEqual({ [list]: 1, [create]: 1, [readPortal]: 2, [attachPortal]: 2 });
});

test('forwardings that come together ask once for each token whose it is', async () => {
  await using world = await createWorld({ prefix: 'counts-together', portals: 3 });
  const { blue, green } = world;
  await world.applySecrets();
  await world.apply(
    secret('green', { token: green.token }),
    ...blue.portals.us.map((id, index) => forwarding(`blue-${String(index)}`, { portals: [{ id }] })),
    forwarding('green', {
      konnect: { region: 'us', tokenSecretRef: { name: 'green' } },
      portals: green.portals.us.map((id) => ({ id })),
    }),
  );
  for (const name of ['blue-0', 'blue-1', 'blue-2', 'green']) await world.waitForReady(name);

  const { [list]: lists, ...others } = callsOf(world);
  expect(others).toEqual({ [organization]: 2, [create]: 4, [readPortal]: 4, [attachPortal]: 4 });
  expect(lists).toBeLessThanOrEqual(4);
  const asked = world.calls().filter(({ path }) => path === '/v3/organizations/me');
  expect(new Set(asked.map(({ token }) => token))).toEqual(new Set([blue.token.slice(-4), green.token.slice(-4)]));
});

describe("the organization's webhook", () => {
  test('with v3 costs a look at both views and one change', async () => {
    await using world = await createWorld({ prefix: 'counts-organization' });
    await world.applySecrets();
    await world.apply(forwarding('sumologic', { organization: {} }));
    await world.waitForReady('sumologic');
    expect(callsOf(world)).toEqual({
      [organization]: 1,
      [list]: 1,
      [create]: 1,
      'GET us/v3/audit-log-webhook': 1,
      'GET us/v2/audit-log-webhook': 1,
      'PATCH us/v3/audit-log-webhook': 1,
    });

    world.clearCalls();
    await world.restartOperator();
    await passesMade(world, 1);
    expect(callsOf(world)).toEqual({ [organization]: 1, [list]: 1, 'GET us/v3/audit-log-webhook': 1 });
  });

  test('with v2 costs a look at both views and one change, and no destination', async () => {
    await using world = await createWorld({ prefix: 'counts-organization' });
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
    await world.applySecrets();
    await world.apply(forwarding('sumologic', { konnect, organization: {} }));
    await world.waitForReady('sumologic');
    expect(callsOf(world)).toEqual({
      [organization]: 1,
      'GET us/v2/audit-log-webhook': 1,
      'GET us/v3/audit-log-webhook': 1,
      'PATCH us/v2/audit-log-webhook': 1,
    });

    world.clearCalls();
    await world.restartOperator();
    await passesMade(world, 1);
    expect(callsOf(world)).toEqual({ [organization]: 1, 'GET us/v2/audit-log-webhook': 1 });
  });

  test('whose change Konnect answered without a time costs one note of it, by the next pass', async () => {
    await using world = await createWorld({ prefix: 'counts-noted' });
    world.services.konnect.control.behave({ patchAnswersUpdatedAt: false });
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
    await world.applySecrets();
    await world.apply(forwarding('sumologic', { konnect, organization: {} }));
    await world.waitForReady('sumologic');
    await world.stopOperator();

    const onePass = () =>
      kubernetesRequestsDuring(world, async () => {
        await world.startOperator();
        await passesMade(world, 1);
        await world.stopOperator();
      });
    const note = { 'patch auditlogforwardings.konnect-audit-log.io/status': 1 };
    expect(countWrites(await onePass())).toEqual(note);
    expect(countWrites(await onePass())).toEqual({});
    expect(world.calls().filter(({ method }) => method !== 'GET')).toHaveLength(1);
  });
});

describe('what RBAC grants', () => {
  test('is all used, and nothing more was ever asked for', async () => {
    await using world = await createWorld({ prefix: 'rbac' });
    const [portal] = world.blue.portals.us;
    await world.applySecrets();
    await world.apply(forwarding('sumologic', { portals: [{ id: portal }] }));
    await world.waitForReady('sumologic');
    // The same event three times over is one that is counted.
    for (const time of [1, 2, 3]) {
      await world.asPerson('PATCH', `/us/v3/portals/${portal}/audit-log-webhook`, {
        body: { audit_log_destination_id: await destinationOf(world), enabled: false },
      });
      await world.patch('sumologic', { spec: { interval: `${String(10 + time)}m` } });
      await world.waitForReady('sumologic');
    }
    await eventually(async () => {
      expect(await world.events('sumologic')).toContainEqual(
        expect.objectContaining({ series: expect.objectContaining({ count: expect.any(Number) }) }),
      );
    });
    // Asked for whether or not the cluster has the kind.
    await world.patch('sumologic', { spec: { portalRefs: [{ name: 'nobody' }] } });
    await world.waitFor('sumologic', (one) => conditionOf(one, 'Ready')?.reason.startsWith('PortalRefNot') === true);
    await world.remove('sumologic');

    // The Lease's rights are a Role's, which tests of its own hold to what is used; their operators share the control plane with this one.
    const requests = (await operatorRequests()).filter(({ resource }) => !resource.startsWith('leases.'));
    const used = tally(requests.map(({ verb, resource }) => `${verb} ${resource}`));
    expect(new Set(Object.keys(used))).toEqual(await granted(world));
    expect(requests.filter(({ forbidden }) => forbidden)).toEqual([]);
  });
});

async function destinationOf(world: World): Promise<string | undefined> {
  return (await world.forwarding('sumologic')).status.destination?.id;
}

/** Every rule of the operator's ClusterRole, as `verb resource`. */
async function granted(world: World): Promise<Set<string>> {
  const { stdout } = await world.kubectl(['get', 'clusterrole', 'konnect-audit-log-operator', '-o', 'json']);
  const { rules }: { rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[] } = JSON.parse(stdout);
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => {
          const [name, subresource] = resource.split('/');
          const named = `${name}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
          return verbs.map((verb) => `${verb} ${named}`);
        }),
      ),
    ),
  );
}
