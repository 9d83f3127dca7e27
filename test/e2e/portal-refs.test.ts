/** Portals that are named by the Portal objects of kong-operator. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { document, root } from '../docs/documents.ts';
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
import type { Fixture } from './support/fixture.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { requestReconcile } from './support/reconciliations.ts';
import { bash } from './support/shell.ts';

const { environment, fixture } = oneEnvironment({ prefix: 'portal-refs' });
const nothing = { enabled: false, target: { kind: 'none' } };

const attachedTo = (one: Fixture) => ({
  enabled: true,
  target: { kind: 'destination', id: one.destinations()[0]?.id },
});
const refs = (...names: string[]) => ({ portals: [], portalRefs: names.map((name) => ({ name })) });
const trouble = (reason: string, mark: ExpectedProblem['mark'], ...says: string[]): ExpectedProblem => {
  return { reason, mark, part: 'WebhooksReady', says };
};

async function installKind(): Promise<void> {
  const { kubectl } = cluster();
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify(portalDefinition) });
  await kubectl(['wait', '--for=condition=Established', '--timeout=20s', `crd/${portalCRD}`]);
  // Established is a moment before served.
  await eventually(async () => kubectl(['get', portalCRD, '-A']));
}

async function removeKind(): Promise<void> {
  const { kubectl } = cluster();
  await kubectl(['delete', 'crd', portalCRD, '--ignore-not-found', '--timeout=60s']);
  await eventually(async () => {
    const { stdout } = await kubectl(['api-resources', '--api-group=konnect.konghq.com', '--no-headers'], {
      allowFailure: true,
    });
    expect(stdout.trim()).toBe('');
  });
}

/** As kong-operator does once the portal stands in Konnect. */
async function program(name: string, id: string | undefined, change: PortalStatus = {}): Promise<void> {
  const standard = { id: id ?? null, organizationID: environment().blue.id, serverURL: 'https://us.api.konghq.com' };
  await environment().kubectl(programPortal(name, { ...standard, ...change }));
}

async function makePortal(name: string, id: string | undefined, change?: PortalStatus): Promise<void> {
  await environment().apply(portalObject(name));
  await program(name, id, change);
}

/** A fixture whose portals stand behind Portals called after it, the first in place of an ID. */
async function referring(name: string, portals = 1): Promise<Fixture> {
  const one = await fixture(name, { portals });
  await makePortal(name, one.portals[0]);
  await one.apply({ portals: one.portals.slice(1).map((id) => ({ id })), portalRefs: [{ name }] });
  await environment().waitForReady(name);
  return one;
}

const removePortal = (name: string) => environment().kubectl(['delete', portalCRD, name]);

beforeAll(installKind, 60_000);
afterAll(removeKind, 90_000);

test('a Portal made with kubectl is forwarded as soon as kong-operator has its ID, beside one by its ID', async () => {
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
  for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(attachedTo(one));

  const { stdout } = await environment().kubectl(['get', 'alf', one.name, '--no-headers']);
  expect(stdout).toMatch(/True +InSync +2\/2 /);
  await environment().remove(one.name);
  for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(nothing);
  expect(one.destinations()).toEqual([]);
});

describe('documents', () => {
  test('the example is what the API server takes', async () => {
    const example = await readFile(`${root}/examples/kong-operator/developers.yaml`, 'utf8');
    const input = example.replaceAll('namespace: platform', `namespace: ${environment().namespace}`);
    const { stdout } = await environment().kubectl(['apply', '--dry-run=server', '-f', '-'], { input });
    expect(stdout).toMatch(/portal\S+\/developers created.*\n.*auditlogforwarding\S+\/developers created/);
  });

  const commands = scriptsOf(document('docs/operate/runbook.md')).filter(({ text }) => text.includes(portalCRD));
  test.each(commands)('docs/operate/runbook.md: $title', async ({ text }) => {
    await makePortal('refs-documents', environment().blue.portals.us[0]);
    const here = text
      .replaceAll(' NAME ', ' refs-documents ')
      .replaceAll('-n platform', `-n ${environment().namespace}`);
    expect(await bash(here, tmpdir())).toMatch(text.includes('can-i') ? /^yes$/m : /\S/);
  });
});

test('each look reads each Portal once, and nothing but Portals more than without them', async () => {
  const one = await referring('refs-counted');
  const before = (await operatorRequests(environment().namespace)).length;
  await requestReconcile(environment(), one.name);
  const requests = (await operatorRequests(environment().namespace)).slice(before);
  const reads = requests.filter(({ verb }) => verb === 'get').map(({ resource, name }) => `${resource}/${name}`);
  expect(reads.toSorted()).toEqual([
    'portals.konnect.konghq.com/refs-counted',
    `secrets/${one.tokenSecret}`,
    `secrets/${one.siemSecret}`,
  ]);
});

test('a schema that knows the field: unknown fields, bad names and doubles are refused, and enabled is filled in', async () => {
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

describe('a Portal that cannot be used is a reason of its own, and the portal beside it goes on', () => {
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
      trouble('PortalRefMismatch', 'Stalled', 'is of region eu', 'spec.konnect.region is us'),
    ],
    [
      'other-organization',
      async (id, name) => makePortal(name, id, { organizationID: environment().green.id }),
      trouble('PortalRefMismatch', 'Stalled', 'is of organization', 'key token'),
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
    expect(one.portalWebhook(1)).toMatchObject(attachedTo(one));
    expect(one.portalWebhook(0)).toMatchObject(nothing);

    await makePortal(name, first);
    if (expected.mark === 'Stalled') await requestReconcile(environment(), name);
    await environment().waitForReady(name);
    expect(one.portalWebhook(0)).toMatchObject(attachedTo(one));
  });

  test('the same portal twice, with two wishes', async () => {
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
    expect(one.portalWebhook()).toMatchObject(attachedTo(one));
  });
});

test('a Portal that shows no ID for a while keeps its webhook; one that is made anew moves it', async () => {
  const one = await referring('refs-anew', 2);
  const [first = '', second = ''] = one.portals;
  await one.applyForwarding(refs(one.name));
  await environment().waitForReady(one.name);
  await program(one.name, undefined);
  await requestReconcile(environment(), one.name);
  const object = await expectProblem(environment(), one.name, trouble('PortalRefNotReady', 'Reconciling'));
  expect(object.status.portals).toMatchObject([{ id: first, ref: one.name, state: 'on' }]);
  expect(one.portalWebhook(0)).toMatchObject(attachedTo(one));
  await program(one.name, second);
  const { status } = await environment().waitForReady(one.name);
  expect(status.portals).toMatchObject([{ id: second, ref: one.name }]);
  expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedTo(one)]);
});

test('a reference that is taken out of spec is detached, and the other portal goes on', async () => {
  const one = await referring('refs-removed', 2);
  await one.applyForwarding({ portals: [{ id: one.portals[1] }] });
  const { status } = await environment().waitForReady(one.name);
  expect(status.portals?.map(({ id }) => id)).toEqual([one.portals[1]]);
  expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedTo(one)]);
});

test('a Portal that is deleted lets go of its portal, in Konnect or not, and is waited for', async () => {
  const one = await referring('refs-deleted', 2);
  await removePortal(one.name);
  await requestReconcile(environment(), one.name);
  const absent = trouble('PortalRefNotFound', 'Reconciling', 'is detached');
  const object = await expectProblem(environment(), one.name, absent);
  expect(object.status).toMatchObject({ portalsReady: '1/2', portals: [{ id: one.portals[1] }] });
  expect(object.status.cleanup).toBeUndefined();
  expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedTo(one)]);

  await makePortal(one.name, one.portals[0]);
  await environment().waitForReady(one.name);
  // As kong-operator does: first from Konnect, then from the cluster.
  environment()
    .services.konnect.model.organizations.get(environment().blue.id)
    ?.portals.delete(one.portals[0] ?? '');
  await removePortal(one.name);
  await requestReconcile(environment(), one.name);
  const gone = await expectProblem(environment(), one.name, absent);
  expect(gone.status.cleanup).toBeUndefined();
  await environment().remove(one.name);
});

test('a forwarding is deleted without asking for a Portal, which is gone by then', async () => {
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

test('of two forwardings, one by the ID and one by the Portal, one has the portal, and the other takes it over', async () => {
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
  expect(holder.portalWebhook()).toMatchObject(attachedTo(next));
  expect(holder.writes()).not.toContain('delete-portal-audit-log-webhook');
});

describe('without the rights to read Portals', () => {
  const rules = [
    { apiGroups: ['konnect-audit-log.io'], resources: ['auditlogforwardings'], verbs: ['list', 'watch', 'patch'] },
    { apiGroups: ['konnect-audit-log.io'], resources: ['auditlogforwardings/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ];
  const account = 'without-portals';

  test('what stands goes on, and the right that is missing is named', async () => {
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
      const says = ['get on portals.konnect.konghq.com', 'ServiceAccount'];
      await expectProblem(environment(), one.name, trouble('PortalRefForbidden', 'Stalled', ...says));
      for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(attachedTo(one));
    } finally {
      await environment().restartOperator();
    }
    await environment().waitForReady(one.name);
  });
});

/** Portals are stored in a later version, and what turns them into the one that the operator reads is `conversion`. */
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

test('where kong-operator’s conversion webhook is down, its Portals are waited for, and the portal beside goes on', async () => {
  const one = await fixture('refs-unreadable', { portals: 2 });
  const [first, second] = one.portals;
  const clientConfig = { url: 'https://127.0.0.1:1/convert' };
  await convert({ strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } });
  try {
    const later = { ...portalObject(one.name), apiVersion: 'konnect.konghq.com/v1alpha2' };
    await eventually(() => environment().apply(later));
    await one.apply({ portals: [{ id: second }], portalRefs: [{ name: one.name }] });
    const says = [`spec.portalRefs[${one.name}]`, 'API server is in trouble', 'conversion webhook'];
    const object = await expectProblem(environment(), one.name, trouble('PortalRefUnreadable', 'Reconciling', ...says));
    expect(object.status.portalsReady).toBe('1/2');
    expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, attachedTo(one)]);
  } finally {
    await convert({ strategy: 'None' });
  }
  await eventually(() => program(one.name, first));
  await environment().waitForReady(one.name);
  expect(one.portalWebhook(0)).toMatchObject(attachedTo(one));
});

test('where the kind goes, what stands goes on, it is asked for once a look, and deletion needs it not', async () => {
  const one = await referring('refs-unserved', 2);
  const late = await fixture('refs-unserved-first', { portals: 2 });
  await removeKind();
  try {
    await requestReconcile(environment(), one.name);
    const notServed = trouble('PortalRefNotServed', 'Stalled', 'CRDs of kong-operator', 'spec.portals');
    const object = await expectProblem(environment(), one.name, notServed);
    expect(object.status).toMatchObject({ portalsReady: '1/2' });
    for (const index of [0, 1]) expect(one.portalWebhook(index)).toMatchObject(attachedTo(one));

    await late.apply({ portals: [{ id: late.portals[1] }], portalRefs: [{ name: late.name }] });
    await expectProblem(environment(), late.name, notServed);
    expect([late.portalWebhook(0), late.portalWebhook(1)]).toMatchObject([nothing, attachedTo(late)]);

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
    await installKind();
  }
  await makePortal(late.name, late.portals[0]);
  await requestReconcile(environment(), late.name);
  await environment().waitForReady(late.name);
  expect(late.portalWebhook(0)).toMatchObject(attachedTo(late));
  expect(isAnswered(await environment().forwarding(late.name))).toBe(true);
});
