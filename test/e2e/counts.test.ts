import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { countTexts, countWrites, operatorRequests } from './support/audit-log.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { forwarding, secret } from './support/manifests.ts';
import { reconciliationsDone } from './support/reconciliations.ts';

const organization = 'GET global/v3/organizations/me';
const list = 'GET global/v3/audit-log-destinations';
const create = 'POST global/v3/audit-log-destinations';
const readPortal = 'GET us/v3/portals/…/audit-log-webhook';
const attachPortal = 'PATCH us/v3/portals/…/audit-log-webhook';

/** What the operator asked of Konnect, and how often; portals are not told apart. */
function callsOf(environment: Environment): Record<string, number> {
  return countTexts(
    environment.calls().map(({ method, region, path }) => {
      return `${method} ${region}${path.replace(/\/portals\/[^/]+/, '/portals/…')}`;
    }),
  );
}

/** The portals that a method was used on. */
function portalsOf(environment: Environment, method: string): (string | undefined)[] {
  return environment
    .calls()
    .filter((call) => call.method === method)
    .flatMap(({ path }) => /\/portals\/([^/]+)/.exec(path)?.[1] ?? [])
    .toSorted();
}

/** Counts what `act` makes the operator ask of Kubernetes. The operator has to have been stopped at the end of it, so that nothing is on its way. */
async function kubernetesRequestsDuring(environment: Environment, act: () => Promise<void>) {
  const before = await operatorRequests(environment.namespace);
  await act();
  return (await operatorRequests(environment.namespace)).slice(before.length);
}

describe.each([1, 5, 20])('a forwarding with %i portals', (count) => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await createEnvironment({ prefix: `counts-${String(count)}`, portals: count });
    await environment.applySecrets();
  });

  afterAll(() => environment.stop());

  test('is created with as few calls as there can be', async () => {
    const portals = environment.blue.portals.us;
    const requests = await kubernetesRequestsDuring(environment, async () => {
      await environment.apply(forwarding('sumologic', { portals: portals.map((id) => ({ id })) }));
      await environment.waitForReady('sumologic');
      // Written in the background, one after the other.
      await eventually(async () => expect(await environment.events('sumologic')).toHaveLength(1 + count + 1));
      await expect(environment.stopOperator()).resolves.toBe('exited with code 0');
    });

    expect(callsOf(environment)).toEqual({
      [organization]: 1,
      [list]: 1,
      [create]: 1,
      [readPortal]: count,
      [attachPortal]: count,
    });
    expect(portalsOf(environment, 'GET')).toEqual(portals);
    expect(portalsOf(environment, 'PATCH')).toEqual(portals);
    expect(countWrites(requests)).toEqual({
      // The finalizer.
      'patch auditlogforwardings.konnect-audit-log.io': 1,
      // The intent to create the destination; what is to be attached to it; that all is in place.
      'patch auditlogforwardings.konnect-audit-log.io/status': 3,
      // A destination created, each portal attached, in sync.
      'create events.events.k8s.io': 1 + count + 1,
    });
    const reads = countTexts(
      requests.filter(({ verb }) => verb === 'get').map(({ resource, name }) => `${resource}/${name}`),
    );
    expect(reads).toEqual({ 'secrets/konnect': 1, 'secrets/sumologic': 1 });
  });

  test('is only read after a restart', async () => {
    environment.clearCalls();
    const requests = await kubernetesRequestsDuring(environment, async () => {
      await environment.startOperator();
      await reconciliationsDone(environment, 1);
      await environment.stopOperator();
    });

    expect(callsOf(environment)).toEqual({ [organization]: 1, [list]: 1, [readPortal]: count });
    expect(portalsOf(environment, 'GET')).toEqual(environment.blue.portals.us);
    expect(countTexts(requests.map(({ verb, resource }) => `${verb} ${resource}`))).toEqual({
      'list auditlogforwardings.konnect-audit-log.io': 1,
      'watch auditlogforwardings.konnect-audit-log.io': 1,
      'list secrets': 1,
      'watch secrets': 1,
      'get secrets': 2,
    });
  });

  test('is only read when its spec changes in nothing that Konnect holds', async () => {
    await environment.startOperator();
    await reconciliationsDone(environment, 1);
    environment.clearCalls();
    const requests = await kubernetesRequestsDuring(environment, async () => {
      await environment.patch('sumologic', { spec: { interval: '11m' } });
      await environment.waitForReady('sumologic');
      await reconciliationsDone(environment, 2);
      await environment.stopOperator();
    });

    // The list is shared, and younger than half of the interval.
    expect(callsOf(environment)).toEqual({ [readPortal]: count });
    // Status says which generation it speaks of.
    expect(countWrites(requests)).toEqual({ 'patch auditlogforwardings.konnect-audit-log.io/status': 1 });
  });
});

test('a second forwarding with the same token does not ask again whose it is', async () => {
  await using environment = await createEnvironment({ prefix: 'counts-second', portals: 4 });
  const [first, second, ...others] = environment.blue.portals.us;
  await environment.applySecrets();
  await environment.apply(forwarding('first', { portals: [{ id: first }, { id: second }] }));
  await environment.waitForReady('first');
  environment.clearCalls();

  await environment.apply(
    secret('another-copy', { token: environment.blue.token }),
    forwarding('second', {
      konnect: { region: 'us', tokenSecretRef: { name: 'another-copy' } },
      portals: others.map((id) => ({ id })),
    }),
  );
  await environment.waitForReady('second');

  expect(callsOf(environment)).toEqual({ [list]: 1, [create]: 1, [readPortal]: 2, [attachPortal]: 2 });
});

test('forwardings that come together ask once for each token whose it is', async () => {
  await using environment = await createEnvironment({ prefix: 'counts-together', portals: 3 });
  const { blue, green } = environment;
  await environment.applySecrets();
  await environment.apply(
    secret('green', { token: green.token }),
    ...blue.portals.us.map((id, index) => forwarding(`blue-${String(index)}`, { portals: [{ id }] })),
    forwarding('green', {
      konnect: { region: 'us', tokenSecretRef: { name: 'green' } },
      portals: green.portals.us.map((id) => ({ id })),
    }),
  );
  for (const name of ['blue-0', 'blue-1', 'blue-2', 'green']) await environment.waitForReady(name);

  const { [list]: lists, ...others } = callsOf(environment);
  expect(others).toEqual({ [organization]: 2, [create]: 4, [readPortal]: 4, [attachPortal]: 4 });
  expect(lists).toBeLessThanOrEqual(4);
  const asked = environment.calls().filter(({ path }) => path === '/v3/organizations/me');
  expect(new Set(asked.map(({ token }) => token))).toEqual(new Set([blue.token.slice(-4), green.token.slice(-4)]));
});

describe("the organization's webhook", () => {
  test('with v3 costs a look at both views and one change', async () => {
    await using environment = await createEnvironment({ prefix: 'counts-organization' });
    await environment.applySecrets();
    await environment.apply(forwarding('sumologic', { organization: {} }));
    await environment.waitForReady('sumologic');
    expect(callsOf(environment)).toEqual({
      [organization]: 1,
      [list]: 1,
      [create]: 1,
      'GET us/v3/audit-log-webhook': 1,
      'GET us/v2/audit-log-webhook': 1,
      'PATCH us/v3/audit-log-webhook': 1,
    });

    environment.clearCalls();
    await environment.restartOperator();
    await reconciliationsDone(environment, 1);
    expect(callsOf(environment)).toEqual({ [organization]: 1, [list]: 1, 'GET us/v3/audit-log-webhook': 1 });
  });

  test('with v2 costs a look at both views and one change, and no destination', async () => {
    await using environment = await createEnvironment({ prefix: 'counts-organization' });
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
    await environment.applySecrets();
    await environment.apply(forwarding('sumologic', { konnect, organization: {} }));
    await environment.waitForReady('sumologic');
    expect(callsOf(environment)).toEqual({
      [organization]: 1,
      'GET us/v2/audit-log-webhook': 1,
      'GET us/v3/audit-log-webhook': 1,
      'PATCH us/v2/audit-log-webhook': 1,
    });

    environment.clearCalls();
    await environment.restartOperator();
    await reconciliationsDone(environment, 1);
    expect(callsOf(environment)).toEqual({ [organization]: 1, 'GET us/v2/audit-log-webhook': 1 });
  });

  test('whose change Konnect answered without a time costs one note of it, by the next pass', async () => {
    await using environment = await createEnvironment({ prefix: 'counts-noted' });
    environment.services.konnect.control.behave({ patchAnswersUpdatedAt: false });
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
    await environment.applySecrets();
    await environment.apply(forwarding('sumologic', { konnect, organization: {} }));
    await environment.waitForReady('sumologic');
    await environment.stopOperator();

    const onePass = () =>
      kubernetesRequestsDuring(environment, async () => {
        await environment.startOperator();
        await reconciliationsDone(environment, 1);
        await environment.stopOperator();
      });
    const note = { 'patch auditlogforwardings.konnect-audit-log.io/status': 1 };
    expect(countWrites(await onePass())).toEqual(note);
    expect(countWrites(await onePass())).toEqual({});
    expect(environment.calls().filter(({ method }) => method !== 'GET')).toHaveLength(1);
  });
});

describe('what RBAC grants', () => {
  test('is all used, and nothing more was ever asked for', async () => {
    await using environment = await createEnvironment({ prefix: 'rbac' });
    const [portal] = environment.blue.portals.us;
    await environment.applySecrets();
    await environment.apply(forwarding('sumologic', { portals: [{ id: portal }] }));
    await environment.waitForReady('sumologic');
    // The same event three times over is one that is counted.
    for (const time of [1, 2, 3]) {
      await environment.asOtherClient('PATCH', `/us/v3/portals/${portal}/audit-log-webhook`, {
        body: { audit_log_destination_id: await destinationOf(environment), enabled: false },
      });
      await environment.patch('sumologic', { spec: { interval: `${String(10 + time)}m` } });
      await environment.waitForReady('sumologic');
    }
    await eventually(async () => {
      expect(await environment.events('sumologic')).toContainEqual(
        expect.objectContaining({ series: expect.objectContaining({ count: expect.any(Number) }) }),
      );
    });
    // Asked for whether or not the cluster has the kind.
    await environment.patch('sumologic', { spec: { portalRefs: [{ name: 'nobody' }] } });
    await environment.waitFor(
      'sumologic',
      (one) => conditionOf(one, 'Ready')?.reason.startsWith('PortalRefNot') === true,
    );
    await environment.remove('sumologic');

    // The Lease's rights are a Role's, which tests of its own hold to what is used; their operators share the control plane with this one.
    const requests = (await operatorRequests()).filter(({ resource }) => !resource.startsWith('leases.'));
    const used = countTexts(requests.map(({ verb, resource }) => `${verb} ${resource}`));
    expect(new Set(Object.keys(used))).toEqual(await granted(environment));
    expect(requests.filter(({ forbidden }) => forbidden)).toEqual([]);
  });
});

async function destinationOf(environment: Environment): Promise<string | undefined> {
  return (await environment.forwarding('sumologic')).status.destination?.id;
}

/** Every rule of the operator's ClusterRole, as `verb resource`. */
async function granted(environment: Environment): Promise<Set<string>> {
  const { stdout } = await environment.kubectl(['get', 'clusterrole', 'konnect-audit-log-operator', '-o', 'json']);
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
