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
const readStatus = 'GET us/v3/portals/…/audit-log-webhook/status';
const attachPortal = 'PATCH us/v3/portals/…/audit-log-webhook';

/** Returns the number of calls to Konnect by operation, for all portals together. */
function callsOf(environment: Environment): Record<string, number> {
  return countTexts(
    environment.calls().map(({ method, region, path }) => {
      return `${method} ${region}${path.replace(/\/portals\/[^/]+/, '/portals/…')}`;
    }),
  );
}

/** Returns the portals of all calls with a method. */
function portalsOf(environment: Environment, method: string): (string | undefined)[] {
  return environment
    .calls()
    .filter((call) => call.method === method)
    .flatMap(({ path }) => /\/portals\/([^/]+)/.exec(path)?.[1] ?? [])
    .toSorted();
}

/** Resolves with the requests to Kubernetes during `act`. `act` must stop the operator, so that no request is under way. */
async function kubernetesRequestsDuring(environment: Environment, act: () => Promise<void>) {
  const before = await operatorRequests(environment.namespace);
  await act();
  return (await operatorRequests(environment.namespace)).slice(before.length);
}

/** The Secrets exist before the operator starts, so that each forwarding is reconciled once. */
const beforeStart = (environment: Environment) => environment.applySecrets();

describe.each([1, 5, 20])('a forwarding with %i portals', (count) => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await createEnvironment({ prefix: `counts-${String(count)}`, portals: count, beforeStart });
  });

  afterAll(() => environment.stop());

  test('is created with the minimum number of calls', async () => {
    const portals = environment.blue.portals.us;
    const requests = await kubernetesRequestsDuring(environment, async () => {
      await environment.apply(forwarding('sumologic', { portals: portals.map((id) => ({ id })) }));
      await environment.waitForReady('sumologic');
      // Events are written in the background, one after another.
      await eventually(async () => expect(await environment.events('sumologic')).toHaveLength(3));
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
      // The pending creation of the destination with the pending attachments, and the final state.
      'patch auditlogforwardings.konnect-audit-log.io/status': 2,
      // A destination created, all portals attached, in sync.
      'create events.events.k8s.io': 3,
    });
    // The operator also requests its namespace, once a minute.
    const reads = countTexts(
      requests
        .filter(({ verb, resource }) => verb === 'get' && resource !== 'namespaces')
        .map(({ resource, name }) => `${resource}/${name}`),
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
    expect(new Set(portalsOf(environment, 'GET'))).toEqual(new Set(environment.blue.portals.us));
    expect(countTexts(requests.map(({ verb, resource }) => `${verb} ${resource}`))).toEqual({
      'list auditlogforwardings.konnect-audit-log.io': 1,
      'watch auditlogforwardings.konnect-audit-log.io': 1,
      'list secrets': 1,
      'watch secrets': 1,
      'get secrets': 2,
      // Does the namespace of --watch-namespaces exist?
      'get namespaces': 1,
    });
  });

  test('is only read after a change of spec that does not affect Konnect', async () => {
    await environment.startOperator();
    await reconciliationsDone(environment, 1);
    environment.clearCalls();
    const requests = await kubernetesRequestsDuring(environment, async () => {
      await environment.patch('sumologic', { spec: { interval: '11m' } });
      await environment.waitForReady('sumologic');
      await reconciliationsDone(environment, 2);
      await environment.stopOperator();
    });

    // The shared list is younger than half of the interval.
    expect(callsOf(environment)).toEqual({ [readPortal]: count, [readStatus]: count });
    // Status contains the observed generation.
    expect(countWrites(requests)).toEqual({ 'patch auditlogforwardings.konnect-audit-log.io/status': 1 });
  });
});

test('a second forwarding with the same token does not read its organization again', async () => {
  await using environment = await createEnvironment({ prefix: 'counts-second', portals: 4, beforeStart });
  const [first, second, ...others] = environment.blue.portals.us;
  await environment.apply(
    secret('another-copy', { token: environment.blue.token }),
    forwarding('first', { portals: [{ id: first }, { id: second }] }),
  );
  await environment.waitForReady('first');
  environment.clearCalls();

  await environment.apply(
    forwarding('second', {
      konnect: { region: 'us', tokenSecretRef: { name: 'another-copy' } },
      portals: others.map((id) => ({ id })),
    }),
  );
  await environment.waitForReady('second');

  expect(callsOf(environment)).toEqual({ [list]: 1, [create]: 1, [readPortal]: 2, [attachPortal]: 2 });
});

test('forwardings that are applied together read the organization once for each token', async () => {
  await using environment = await createEnvironment({
    prefix: 'counts-together',
    portals: 3,
    async beforeStart(one) {
      await beforeStart(one);
      await one.apply(secret('green', { token: one.green.token }));
    },
  });
  const { blue, green } = environment;
  await environment.apply(
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
  test('with v3 costs a read of both views and one change', async () => {
    await using environment = await createEnvironment({ prefix: 'counts-organization', beforeStart });
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
    expect(callsOf(environment)).toEqual({
      [organization]: 1,
      [list]: 1,
      'GET us/v3/audit-log-webhook': 1,
    });
  });

  test('with v2 costs a read of both views and one change, and no destination', async () => {
    await using environment = await createEnvironment({ prefix: 'counts-organization', beforeStart });
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
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
    expect(callsOf(environment)).toEqual({
      [organization]: 1,
      'GET us/v2/audit-log-webhook': 1,
    });
  });

  test('costs one more write of status if Konnect answered its change without a time', async () => {
    await using environment = await createEnvironment({ prefix: 'counts-noted', beforeStart });
    environment.services.konnect.control.behave({ patchAnswersUpdatedAt: false });
    const konnect = { region: 'us', tokenSecretRef: { name: 'konnect' }, auditLogsAPI: 'v2' };
    await environment.apply(forwarding('sumologic', { konnect, organization: {} }));
    await environment.waitForReady('sumologic');
    await environment.stopOperator();

    const onePass = () =>
      kubernetesRequestsDuring(environment, async () => {
        await environment.startOperator();
        await reconciliationsDone(environment, 1);
        await environment.stopOperator();
      });
    // Status has the time.
    expect(countWrites(await onePass())).toEqual({ 'patch auditlogforwardings.konnect-audit-log.io/status': 1 });
    expect(countWrites(await onePass())).toEqual({});
    expect(environment.calls().filter(({ method }) => method !== 'GET')).toHaveLength(1);
  });
});

describe('the permissions', () => {
  test('are all used, and the operator needs no other permission', async () => {
    await using environment = await createEnvironment({ prefix: 'rbac', beforeStart });
    const [portal] = environment.blue.portals.us;
    await environment.apply(forwarding('sumologic', { portals: [{ id: portal }] }));
    await environment.waitForReady('sumologic');
    // Three equal events become one event with a count.
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
    // The operator reads it whether or not the cluster has the kind.
    await environment.patch('sumologic', { spec: { portalRefs: [{ name: 'nobody' }] } });
    await environment.waitFor(
      'sumologic',
      (one) => conditionOf(one, 'Ready')?.reason.startsWith('PortalRefNot') === true,
    );
    await environment.remove('sumologic');

    // The permissions for the Lease are in a Role with its own tests. Their operators use the same control plane.
    const requests = (await operatorRequests()).filter(({ resource }) => !resource.startsWith('leases.'));
    const used = countTexts(requests.map(({ verb, resource }) => `${verb} ${resource}`));
    expect(new Set(Object.keys(used))).toEqual(await granted(environment));
    expect(requests.filter(({ forbidden }) => forbidden)).toEqual([]);
  });
});

async function destinationOf(environment: Environment): Promise<string | undefined> {
  return (await environment.forwarding('sumologic')).status.destination?.id;
}

/** Returns every permission of the operator's ClusterRole, as `verb resource`. */
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
