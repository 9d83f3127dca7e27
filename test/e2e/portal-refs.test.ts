/** Portals in spec that are named by Portal objects of kong-operator. */
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { document } from '../docs/documents.ts';
import { scriptsOf } from '../docs/scripts.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import {
  type PortalStatus,
  portalCRD,
  portalDefinition,
  portalObject,
  programPortal,
} from '../support/kong-operator.ts';
import { operatorRequests } from './support/audit-log.ts';
import { type ExpectedProblem, expectProblem, isAnswered } from './support/conditions.ts';
import { attachedToOwn, type Fixture, nothing } from './support/fixture.ts';
import { installKind, removeKind } from './support/kong-kinds.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { requestReconcile } from './support/reconciliations.ts';
import { bash } from './support/shell.ts';

const { environment, fixture } = oneEnvironment({ prefix: 'portal-refs' });

const refs = (...names: string[]) => ({ portals: [], portalRefs: names.map((name) => ({ name })) });
const trouble = (reason: string, mark: ExpectedProblem['mark'], ...says: string[]): ExpectedProblem => {
  return { reason, mark, part: 'WebhooksReady', says };
};

/** Writes the status that kong-operator writes when the portal exists in Konnect. */
async function program(name: string, id: string | undefined, change: PortalStatus = {}): Promise<void> {
  const standard = { id: id ?? null, organizationID: environment().blue.id, serverURL: 'https://us.api.konghq.com' };
  await environment().kubectl(programPortal(name, { ...standard, ...change }));
}

async function makePortal(name: string, id: string | undefined, change?: PortalStatus): Promise<void> {
  await environment().apply(portalObject(name));
  await program(name, id, change);
}

/** Makes a fixture with Portal objects for its portals. The first portal is in spec by its Portal object. */
async function referring(name: string, portals = 1): Promise<Fixture> {
  const one = await fixture(name, { portals });
  await makePortal(name, one.portals[0]);
  await one.apply({ portals: one.portals.slice(1).map((id) => ({ id })), portalRefs: [{ name }] });
  await environment().waitForReady(name);
  return one;
}

const removePortal = (name: string) => environment().kubectl(['delete', portalCRD, name]);

beforeAll(() => installKind(portalDefinition), 60_000);
afterAll(() => removeKind(portalCRD), 90_000);

test('a Portal is forwarded as soon as kong-operator has written its ID, beside a portal by ID', async () => {
  const one = await fixture('refs-happy', { portals: 2 });
  const [first = '', second = ''] = one.portals;
  await environment().apply(portalObject('refs-happy'));
  await one.apply({ portals: [{ id: second }], portalRefs: [{ name: 'refs-happy' }] });
  const says = ['Portal refs-happy, named by spec.portalRefs[refs-happy],', 'no .status.id yet', 'kong-operator'];
  const waiting = await expectProblem(environment(), one.name, trouble('PortalRefNotReady', 'Reconciling', ...says));
  expect(waiting.status).toMatchObject({ portalsReady: '1/2', portals: [{ id: second, state: 'on' }] });
  expect(one.portalWebhook(0)).toMatchObject(nothing);

  await program('refs-happy', first);
  const object = await environment().waitForReady(one.name);
  expect(object.status.portalsReady).toBe('2/2');
  expect(object.status.portals?.find(({ id }) => id === first)).toMatchObject({ ref: 'refs-happy', state: 'on' });
  for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(attachedToOwn(one));

  const { stdout } = await environment().kubectl(['get', 'alf', one.name, '--no-headers']);
  expect(stdout).toMatch(/True +InSync +\w+ +2\/2 /);
  await environment().remove(one.name);
  for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(nothing);
  expect(one.destinations()).toEqual([]);
});

describe('documents', () => {
  const commands = scriptsOf(document('docs/operate/runbook/portal-refs.md')).filter(({ text }) =>
    text.includes(portalCRD),
  );
  test.each(commands)('docs/operate/runbook/portal-refs.md: $title', async ({ text }) => {
    await makePortal('refs-documents', environment().blue.portals.us[0]);
    const here = text
      .replaceAll(' NAME ', ' refs-documents ')
      .replaceAll('-n platform', `-n ${environment().namespace}`);
    expect(await bash(here, tmpdir())).toMatch(text.includes('can-i') ? /^yes$/m : /\S/);
  });
});

test('each reconciliation reads each Portal once, and makes no other additional request', async () => {
  const one = await referring('refs-counted');
  const before = (await operatorRequests(environment().namespace)).length;
  await requestReconcile(environment(), one.name);
  const requests = (await operatorRequests(environment().namespace)).slice(before);
  // The operator also requests its namespace, once a minute.
  const reads = requests
    .filter(({ verb, resource }) => verb === 'get' && resource !== 'namespaces')
    .map(({ resource, name }) => `${resource}/${name}`);
  expect(reads.toSorted()).toEqual([
    'portals.konnect.konghq.com/refs-counted',
    `secrets/${one.tokenSecret}`,
    `secrets/${one.siemSecret}`,
  ]);
});

test('the schema rejects unknown fields, invalid names and duplicates, and sets the default of enabled', async () => {
  const one = await fixture('refs-schema');
  await one.applyToken();
  await one.applySIEM();
  const refused = async (spec: Readonly<Record<string, unknown>>) => {
    try {
      await one.applyForwarding(spec);
    } catch (error) {
      return String(error);
    }
    return 'accepted';
  };
  expect(await refused({ portals: [], portalRefs: [] })).toContain('spec.portals or spec.portalRefs');
  expect(await refused(refs('Upper'))).toContain('spec.portalRefs[0].name');
  expect(await refused(refs('a', 'a'))).toContain('Duplicate value');
  expect(await refused({ portals: [], portalRefs: [{ name: 'a', namespace: 'b' }] })).toContain('namespace');
  expect(await refused(refs(...Array.from({ length: 101 }, (_, index) => `p${String(index)}`)))).toContain(
    'spec.portalRefs',
  );
  await makePortal('refs-schema', one.portals[0]);
  await one.applyForwarding(refs('refs-schema'));
  const { spec } = await environment().waitForReady(one.name);
  expect(spec.portalRefs).toEqual([{ name: 'refs-schema', enabled: true }]);
});

describe('a Portal that cannot be used has a reason of its own, and does not affect the portal beside it', () => {
  test.each<[string, (id: string | undefined, name: string) => Promise<void>, ExpectedProblem]>([
    [
      'absent',
      async () => undefined,
      trouble('PortalRefNotFound', 'Reconciling', 'does not exist in this namespace', 'create it'),
    ],
    [
      'no-uuid',
      async (_id, name) => makePortal(name, 'not-a-uuid'),
      trouble('PortalRefNotReady', 'Reconciling', 'no .status.id yet'),
    ],
    [
      'other-region',
      async (id, name) => makePortal(name, id, { serverURL: 'eu.api.konghq.com/v3' }),
      trouble('PortalRefMismatch', 'Stalled', 'is in region eu', 'spec.konnect.region is us'),
    ],
    [
      'other-organization',
      async (id, name) => makePortal(name, id, { organizationID: environment().green.id }),
      trouble('PortalRefMismatch', 'Stalled', 'is in organization', 'key token'),
    ],
    [
      'not-in-konnect',
      async (_id, name) => makePortal(name, randomUUID()),
      trouble('PortalNotFound', 'Stalled', 'check spec.portalRefs[', 'spec.konnect.region'),
    ],
  ])('%s', async (title, prepare, expected) => {
    const name = `refs-${title}`;
    const one = await fixture(name, { portals: 2 });
    const [first, second = ''] = one.portals;
    await prepare(first, name);
    await one.apply({ portals: [{ id: second }], portalRefs: [{ name }] });
    const says = [...expected.says, `spec.portalRefs[${name}]`];
    const object = await expectProblem(environment(), name, { ...expected, says });
    expect(object.status.portalsReady).toBe('1/2');
    expect(one.portalWebhook(1)).toMatchObject(attachedToOwn(one));
    expect(one.portalWebhook(0)).toMatchObject(nothing);

    await makePortal(name, first);
    if (expected.mark === 'Stalled') await requestReconcile(environment(), name);
    await environment().waitForReady(name);
    expect(one.portalWebhook(0)).toMatchObject(attachedToOwn(one));
  });

  test('the same portal twice, with different settings', async () => {
    const one = await fixture('refs-conflict');
    const [id = ''] = one.portals;
    await makePortal(one.name, id);
    await one.apply({ portals: [{ id, enabled: false }], portalRefs: [{ name: one.name }] });
    const says = [`portal ${id}`, 'spec.portals[0] (enabled: false)', 'spec.portalRefs[refs-conflict] (enabled: true)'];
    await expectProblem(environment(), one.name, trouble('PortalRefConflict', 'Stalled', ...says));
    expect(one.portalWebhook().enabled).toBe(false);
    await one.applyForwarding({ portals: [{ id }], portalRefs: [{ name: one.name }] });
    const { status } = await environment().waitForReady(one.name);
    expect([status.portalsReady, status.portals?.length]).toEqual(['1/1', 1]);
    expect(one.portalWebhook()).toMatchObject(attachedToOwn(one));
  });
});

test('a Portal without an ID for a while keeps its webhook, and a recreated Portal moves it', async () => {
  const one = await referring('refs-anew', 2);
  const [first = '', second = ''] = one.portals;
  await one.applyForwarding(refs(one.name));
  await environment().waitForReady(one.name);
  await program(one.name, undefined);
  await requestReconcile(environment(), one.name);
  const object = await expectProblem(environment(), one.name, trouble('PortalRefNotReady', 'Reconciling'));
  expect(object.status.portals).toMatchObject([{ id: first, ref: one.name, state: 'on' }]);
  expect(one.portalWebhook(0)).toMatchObject(attachedToOwn(one));
  await program(one.name, second);
  const { status } = await environment().waitForReady(one.name);
  expect(status.portals).toMatchObject([{ id: second, ref: one.name }]);
  expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedToOwn(one)]);
});

test('a reference that leaves spec is detached, and the other portal stays attached', async () => {
  const one = await referring('refs-removed', 2);
  await one.applyForwarding({ portals: [{ id: one.portals[1] }] });
  const { status } = await environment().waitForReady(one.name);
  expect(status.portals?.map(({ id }) => id)).toEqual([one.portals[1]]);
  expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedToOwn(one)]);
});

test('a deleted Portal releases its portal, whether it still exists in Konnect or not, and the operator waits for it', async () => {
  const one = await referring('refs-deleted', 2);
  await removePortal(one.name);
  await requestReconcile(environment(), one.name);
  const absent = trouble('PortalRefNotFound', 'Reconciling', 'the operator detaches');
  const object = await expectProblem(environment(), one.name, absent);
  expect(object.status).toMatchObject({ portalsReady: '1/2', portals: [{ id: one.portals[1] }] });
  expect(object.status.cleanup).toBeUndefined();
  expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedToOwn(one)]);

  await makePortal(one.name, one.portals[0]);
  await environment().waitForReady(one.name);
  // kong-operator deletes a portal first in Konnect, then in the cluster.
  environment()
    .services.konnect.model.organizations.get(environment().blue.id)
    ?.portals.delete(one.portals[0] ?? '');
  await removePortal(one.name);
  await requestReconcile(environment(), one.name);
  const gone = await expectProblem(environment(), one.name, absent);
  expect(gone.status.cleanup).toMatchObject([{ id: one.portals[0], reason: 'PortalNotFound' }]);
  await environment().remove(one.name);
});

test('a forwarding is deleted without a read of its Portal, which no longer exists', async () => {
  const one = await referring('refs-forwarding-deleted');
  await environment().stopOperator();
  await removePortal(one.name);
  await environment().kubectl(['delete', 'alf', one.name, '--wait=false']);
  const before = (await operatorRequests(environment().namespace)).length;
  await environment().startOperator();
  await eventually(async () => {
    expect((await environment().kubectl(['get', 'alf', one.name], { allowFailure: true })).code).toBe(1);
  });
  const requests = (await operatorRequests(environment().namespace)).slice(before);
  expect(requests.filter(({ resource, name }) => resource === portalCRD && name === one.name)).toEqual([]);
  expect(one.portalWebhook()).toMatchObject(nothing);
  expect(one.destinations()).toEqual([]);
});

test('of two forwardings of one portal, by ID and by Portal, one owns it, and the other takes it over later', async () => {
  const holder = await fixture('refs-by-id');
  await holder.apply();
  await environment().waitForReady(holder.name);
  const next = await fixture('refs-by-portal');
  await makePortal(next.name, holder.portals[0]);
  await next.applyToken();
  await next.applySIEM(environment().newCredentials());
  await next.applyForwarding(refs(next.name));
  const belongs = `belongs to AuditLogForwarding ${environment().namespace}/${holder.name}`;
  await expectProblem(
    environment(),
    next.name,
    trouble('Claimed', 'Stalled', belongs, `spec.portalRefs[${next.name}]`),
  );
  expect(next.writes()).toEqual([]);
  await environment().remove(holder.name);
  await environment().waitForReady(next.name);
  expect(holder.portalWebhook()).toMatchObject(attachedToOwn(next));
  expect(holder.writes()).not.toContain('delete-portal-audit-log-webhook');
});

describe('without the permission to read Portals', () => {
  const rules = [
    { apiGroups: ['konnect-audit-log.io'], resources: ['auditlogforwardings'], verbs: ['list', 'watch', 'patch'] },
    { apiGroups: ['konnect-audit-log.io'], resources: ['auditlogforwardings/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ];
  const account = 'without-portals';

  test('existing webhooks stay attached, and the message names the missing permission', async () => {
    const one = await referring('refs-forbidden', 2);
    const { namespace } = environment();
    await environment().apply(
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: account }, rules },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: account },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: account },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
      },
    );
    const kubeconfig = await cluster().serviceAccountKubeconfig(namespace, account);
    await environment().restartOperator({ flags: [`--kubeconfig=${kubeconfig}`] });
    try {
      const says = ['to get portals.konnect.konghq.com', 'ServiceAccount'];
      await expectProblem(environment(), one.name, trouble('PortalRefForbidden', 'Stalled', ...says));
      for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(attachedToOwn(one));
    } finally {
      await environment().restartOperator();
    }
    await environment().waitForReady(one.name);
  });
});

/** Returns a CRD that stores Portals in a later version. `conversion` converts them into the version that the operator reads. */
async function convert(conversion: object): Promise<void> {
  const { spec, ...definition } = portalDefinition;
  const versions = spec.versions.flatMap((one) => [
    { ...one, storage: false },
    { ...one, name: 'v1alpha2' },
  ]);
  await cluster().kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ ...definition, spec: { ...spec, versions, conversion } }),
  });
}

test('while kong-operator’s conversion webhook is down, the operator waits for its Portals, and the other portal stays attached', async () => {
  const one = await fixture('refs-unreadable', { portals: 2 });
  const [first, second] = one.portals;
  const clientConfig = { url: 'https://127.0.0.1:1/convert' };
  await convert({ strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } });
  try {
    const later = { ...portalObject(one.name), apiVersion: 'konnect.konghq.com/v1alpha2' };
    await eventually(() => environment().apply(later));
    await one.apply({ portals: [{ id: second }], portalRefs: [{ name: one.name }] });
    const says = [`spec.portalRefs[${one.name}]`, 'the API server fails to return it', 'conversion webhook'];
    const object = await expectProblem(environment(), one.name, trouble('PortalRefUnreadable', 'Reconciling', ...says));
    expect(object.status.portalsReady).toBe('1/2');
    expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedToOwn(one)]);
  } finally {
    await convert({ strategy: 'None' });
  }
  await eventually(() => program(one.name, first));
  await environment().waitForReady(one.name);
  expect(one.portalWebhook(0)).toMatchObject(attachedToOwn(one));
});

test('after the kind is deleted, existing webhooks stay attached, each reconciliation reads it once, and deletion does not need it', async () => {
  const one = await referring('refs-unserved', 2);
  const late = await fixture('refs-unserved-first', { portals: 2 });
  await removeKind(portalCRD);
  try {
    await requestReconcile(environment(), one.name);
    const notServed = trouble('PortalRefNotServed', 'Stalled', 'CRDs of kong-operator', 'spec.portals');
    const object = await expectProblem(environment(), one.name, notServed);
    expect(object.status).toMatchObject({ portalsReady: '1/2' });
    for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(attachedToOwn(one));

    await late.apply({ portals: [{ id: late.portals[1] }], portalRefs: [{ name: late.name }] });
    await expectProblem(environment(), late.name, notServed);
    expect([late.portalWebhook(0), late.portalWebhook(1)]).toMatchObject([nothing, attachedToOwn(late)]);

    const asked = async () =>
      (await operatorRequests(environment().namespace)).filter(
        ({ name, resource }) => resource === portalCRD && name === late.name,
      );
    const before = (await asked()).length;
    await requestReconcile(environment(), late.name);
    expect(await asked()).toHaveLength(before + 1);

    await environment().remove(one.name);
    for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(nothing);
  } finally {
    await installKind(portalDefinition);
  }
  await makePortal(late.name, late.portals[0]);
  await requestReconcile(environment(), late.name);
  await environment().waitForReady(late.name);
  expect(late.portalWebhook(0)).toMatchObject(attachedToOwn(late));
  expect(isAnswered(await environment().forwarding(late.name))).toBe(true);
});
