/** A tenant with the permissions of the chart's guide, or with all, in one namespace, beside a forwarding of another namespace. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { serviceAccount } from '../../sandbox/sandbox.ts';
import { chartFolder } from '../../scripts/render.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { prepareHelm } from '../support/helm.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import type { ForwardingObject } from './support/forwarding-object.ts';
import { forwarding, secret } from './support/manifests.ts';

let environment: Environment;
let namespace: string;
let victimsDestination: string;

const kubectl: ReturnType<typeof cluster>['kubectl'] = (...args) => cluster().kubectl(...args);
type Account = 'limited' | 'mighty';
const as = (account: Account) => `--as=system:serviceaccount:${namespace}:${account}`;

/** Runs kubectl as the tenant. Default: `limited` to forwardings and Secrets. Resolves with the error. */
async function asTenant(args: readonly string[], how: { account?: Account; items?: readonly object[] } = {}) {
  const { account = 'limited', items = [] } = how;
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const { code, stdout, stderr } = await kubectl(['-n', namespace, as(account), ...args], {
    input,
    allowFailure: true,
  });
  return { code, stdout, stderr };
}

async function applied(...items: object[]): Promise<string> {
  return (await asTenant(['apply', '-f', '-'], { items })).stderr;
}

async function own(name: string): Promise<ForwardingObject> {
  return JSON.parse((await asTenant(['get', 'alf', name, '-o', 'json'])).stdout);
}

/** Resolves with the reason for which the tenant's forwarding is not ready. */
async function reasonOf(name: string): Promise<string | undefined> {
  return (await own(name)).status.conditions?.find(({ type }) => type === 'Ready')?.reason;
}

async function writeStatus(name: string, status: object) {
  const patch = JSON.stringify({ status });
  return asTenant(['patch', 'alf', name, '--subresource=status', '--type=merge', '-p', patch], { account: 'mighty' });
}

beforeAll(async () => {
  namespace = await cluster().createNamespace('tenant');
  environment = await createEnvironment({
    prefix: 'tenants-victim',
    flags: ['--stale-list-window=2s', '--konnect-timeout=8s'],
  });
  await environment.restartOperator({ flags: [`--watch-namespaces=${environment.namespace},${namespace}`] });
  for (const account of ['limited', 'mighty']) await kubectl(['create', 'serviceaccount', account, '-n', namespace]);
  await kubectl(['apply', '-n', namespace, '-f', '-'], {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        role('limited', [
          { apiGroups: ['konnect-audit-log.io'], resources: ['auditlogforwardings'], verbs: ['*'] },
          { apiGroups: [''], resources: ['secrets'], verbs: ['*'] },
        ]),
        role('mighty', [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]),
        binding('limited'),
        binding('mighty'),
      ],
    }),
  });
  const [portal] = environment.blue.portals.us;
  await environment.applySecrets();
  await environment.apply(forwarding('sumologic', { portals: [{ id: portal }] }));
  victimsDestination = (await environment.waitForReady('sumologic')).status.destination?.id ?? '';
  await applied(
    secret('konnect', { token: environment.green.token }),
    secret('siem', { ...environment.newCredentials() }),
  );
}, 60_000);

afterAll(async () => {
  try {
    await kubectl(['delete', 'alf', '--all', '-n', namespace, '--timeout=20s'], { allowFailure: true });
  } finally {
    await environment?.stop();
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  }
});

function role(name: string, rules: object[]): object {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules };
}

function binding(name: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  };
}

const siem = { secretRef: { name: 'siem' } };

/** Checks that everything of the victim is unchanged. */
async function expectUnharmed(): Promise<void> {
  const [portal = ''] = environment.blue.portals.us;
  expect(
    (await environment.forwarding('sumologic')).status.conditions?.find(({ type }) => type === 'Ready')?.status,
  ).toBe('True');
  const webhook = await environment.asOtherClient('GET', `/us/v3/portals/${portal}/audit-log-webhook`);
  expect(webhook.body).toMatchObject({ audit_log_destination_id: victimsDestination, enabled: true });
  expect(
    (await environment.asOtherClient('GET', `/global/v3/audit-log-destinations/${victimsDestination}`)).status,
  ).toBe(200);
}

describe('a tenant cannot', () => {
  test.each([
    ['evil.example/x?', 'region'],
    ['evil.example.com', 'region'],
    ['us/../..', 'region'],
    ['us@evil', 'region'],
    ['global', 'region'],
    ['US', 'region'],
  ])('name a host: region %j is refused', async (region, field) => {
    const konnect = { region, tokenSecretRef: { name: 'konnect' } };
    const [id] = environment.green.portals.us;
    expect(await applied(forwarding('host', { konnect, destination: siem, portals: [{ id }] }))).toContain(field);
  });

  test.each(['victim/konnect', '../konnect', 'konnect\nx', '', '*'])(
    'name a Secret of another namespace: the API server rejects %j',
    async (name) => {
      const konnect = { region: 'us', tokenSecretRef: { name } };
      const [id] = environment.green.portals.us;
      const refusal = await applied(forwarding('secret', { konnect, destination: siem, portals: [{ id }] }));
      expect(refusal).toContain('spec.konnect.tokenSecretRef.name');
    },
  );

  test('read data of others through any object that it may read', async () => {
    for (const what of ['alf', 'secrets', 'events']) {
      expect((await asTenant(['get', what, '-n', environment.namespace])).stderr).toContain('orbidden');
    }
  });

  test('reach a portal of an organization other than that of its token', async () => {
    const [id] = environment.blue.portals.us;
    expect(
      await applied(forwarding('foreign', { destination: siem, portals: [{ id }], adoptionPolicy: 'Always' })),
    ).toBe('');
    await eventually(async () => expect(await reasonOf('foreign')).toBe('PortalNotFound'));
    await expectUnharmed();
  });

  test('refer to a destination of another organization', async () => {
    const [id] = environment.green.portals.us;
    const spec = { destination: undefined, destinationRef: { id: victimsDestination }, portals: [{ id }] };
    expect(await applied(forwarding('reference', spec))).toBe('');
    await eventually(async () => expect(await reasonOf('reference')).toBe('DestinationNotFound'));
  });

  test('write a status without the permission', async () => {
    const patch = ['patch', 'alf', 'foreign', '--type=merge', '-p', '{"status":{"portalsReady":"9/9"}}'];
    expect((await asTenant([...patch, '--subresource=status'])).stderr).toContain('orbidden');
  });
});

describe('a tenant with all permissions in its namespace, including status,', () => {
  const lie = (organizationID: string) => {
    const [portal] = environment.blue.portals.us;
    const at = { organizationID, region: 'us', api: 'v3', destinationID: victimsDestination };
    return {
      konnect: { organizationID, region: 'us' },
      destination: { id: victimsDestination, name: `${environment.namespace}/sumologic`, managed: true },
      portals: [{ id: portal, destinationID: victimsDestination, enabled: true, state: 'on' }],
      cleanup: [
        { ...at, kind: 'portal', id: portal },
        { ...at, kind: 'destination' },
      ],
    };
  };

  test.each(['blue', 'green'] as const)(
    'removes nothing of others by an entry in status with organization %s: its own token does not reach that',
    async (which) => {
      const name = `liar-${which}`;
      const [id] = environment.green.portals.us;
      expect(await applied(forwarding(name, { destination: siem, portals: [{ id }] }))).toBe('');
      await eventually(async () => expect(await reasonOf(name)).toBeDefined());
      expect((await writeStatus(name, lie(environment[which].id))).stderr).toBe('');
      await asTenant(['annotate', 'alf', name, `konnect-audit-log.io/reconcile-requested-at=now`]);
      await eventually(async () => expect((await own(name)).status.lastHandledReconcileAt).toBe('now'));
      await expectUnharmed();
      await asTenant(['patch', 'alf', name, '--type=merge', '-p', '{"spec":{"deletionPolicy":"Retain"}}']);
      await asTenant(['delete', 'alf', name, '--timeout=20s']);
      await expectUnharmed();
    },
  );

  test('cannot write status if the chart protects it, and the operator still can', async () => {
    const helm = await prepareHelm({ folder: cluster().folder });
    const { stdout: policy } = await helm([
      'template',
      serviceAccount.name,
      chartFolder,
      `--namespace=${serviceAccount.namespace}`,
      '--show-only=templates/status-policy.yaml',
      '--set=protectStatus=true',
      `--set=watchNamespaces={${namespace}}`,
    ]);
    await kubectl(['apply', '-f', '-'], { input: policy });
    try {
      await eventually(async () => {
        const { stderr } = await writeStatus('foreign', { portalsReady: '9/9' });
        expect(stderr).toContain(
          'only the operator may write status, because status records what the operator created in Konnect',
        );
      });
      const before = (await own('foreign')).metadata.resourceVersion;
      await asTenant(['annotate', 'alf', 'foreign', 'konnect-audit-log.io/reconcile-requested-at=protected']);
      await eventually(async () => expect((await own('foreign')).status.lastHandledReconcileAt).toBe('protected'));
      expect((await own('foreign')).metadata.resourceVersion).not.toBe(before);
    } finally {
      await kubectl(['delete', '-f', '-'], { input: policy });
    }
  });
});

test('a quota limits the number of forwardings in a namespace', async () => {
  const quota = ['quota', 'forwardings', '-n', namespace];
  await kubectl(['create', ...quota, '--hard=count/auditlogforwardings.konnect-audit-log.io=0']);
  try {
    const [id] = environment.green.portals.us;
    await eventually(async () => {
      expect(await applied(forwarding('too-many', { destination: siem, portals: [{ id }] }))).toContain('quota');
    });
  } finally {
    await kubectl(['delete', ...quota]);
    await asTenant(['delete', 'alf', 'too-many', '--ignore-not-found', '--timeout=20s']);
  }
});

test('a tenant gets only rights on forwardings through an aggregated role, and none on their status', async () => {
  const { stdout } = await kubectl(['get', 'clusterroles', '-o', 'json']);
  const {
    items,
  }: {
    items: {
      metadata: { name: string; labels?: Record<string, string> };
      rules: { apiGroups?: string[]; resources?: string[] }[] | null;
    }[];
  } = JSON.parse(stdout);
  const isOurs = ({ apiGroups }: { apiGroups?: string[] }) => apiGroups?.includes('konnect-audit-log.io') === true;
  const ofChart = items.filter(({ metadata }) => metadata.name.startsWith(serviceAccount.name));
  const aggregated = ofChart.filter(({ metadata }) => JSON.stringify(metadata.labels).includes('aggregate-to'));
  expect(aggregated.map(({ metadata }) => metadata.name)).toEqual([
    `${serviceAccount.name}-edit`,
    `${serviceAccount.name}-view`,
  ]);
  const others = items.filter((item) => !ofChart.includes(item) && item.rules?.some(isOurs) === true);
  const rules = [
    ...others.flatMap((item) => item.rules?.filter(isOurs) ?? []),
    ...aggregated.flatMap((one) => one.rules ?? []),
  ];
  expect(rules.map(({ apiGroups, resources }) => ({ apiGroups, resources }))).toEqual(
    rules.map(() => ({ apiGroups: ['konnect-audit-log.io'], resources: ['auditlogforwardings'] })),
  );
});
