/** The Konnect token by a KonnectAPIAuthConfiguration of kong-operator. */
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { document } from '../docs/documents.ts';
import { type Script, scriptsOf } from '../docs/scripts.ts';
import { eventually } from '../support/eventually.ts';
import {
  authConfigurationCRD,
  authConfigurationDefinition,
  authConfigurationObject,
} from '../support/kong-operator.ts';
import { type ExpectedProblem, expectProblem } from './support/conditions.ts';
import { attachedToOwn, type Fixture, nothing } from './support/fixture.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { installKind, removeKind } from './support/kong-kinds.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { requestReconcile } from './support/reconciliations.ts';
import { bash } from './support/shell.ts';

const account = 'konnect-audit-log-operator';

/** The operator begins before the kind exists, and without the right to read it. */
const { environment, fixture } = oneEnvironment({ prefix: 'auth-ref', flags: ['--auth-refs=true'] });

/** Gives the operator the rights that the chart grants with `authRefs: true`. */
async function grant(): Promise<void> {
  const rules = [
    {
      apiGroups: ['konnect.konghq.com'],
      resources: ['konnectapiauthconfigurations'],
      verbs: ['get', 'list', 'watch'],
    },
  ];
  await environment().apply(
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'auth-refs' }, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'auth-refs' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'auth-refs' },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'konnect-audit-log' }],
    },
  );
}

const trouble = (reason: string, mark: ExpectedProblem['mark'], ...says: string[]): ExpectedProblem => {
  return { reason, mark, part: 'SecretsResolved', says };
};

/** Applies the SIEM's Secret and the forwarding, whose token comes from the KonnectAPIAuthConfiguration of the same name. */
async function applyReferring(one: Fixture, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await one.applySIEM();
  await one.applyForwarding({ konnect: { region: 'us', authRef: { name: one.name } }, ...spec });
}

const inline = (one: Fixture, token = one.token, more: object = {}) =>
  authConfigurationObject(one.name, { type: 'token', token, ...more });
const bySecret = (one: Fixture, more: object = {}) =>
  authConfigurationObject(one.name, { type: 'secretRef', secretRef: { name: one.tokenSecret, ...more } });

beforeAll(() => removeKind(authConfigurationCRD), 90_000);
afterAll(() => removeKind(authConfigurationCRD), 90_000);

test('before the right and the kind exist, the operator works for the others, and continues when they do', async () => {
  const other = await fixture('auth-other');
  await other.apply();
  await environment().waitForReady(other.name);
  expect((await fetch(`${environment().operator().healthURL}/readyz`)).status).toBe(200);

  const one = await fixture('auth-late');
  await applyReferring(one);
  const forbidden = trouble(
    'AuthRefForbidden',
    'Stalled',
    'named by spec.konnect.authRef',
    'value authRefs of the chart',
  );
  await expectProblem(environment(), one.name, forbidden);
  await grant();
  const unserved = trouble('AuthRefNotServed', 'Stalled', 'install the CRDs of kong-operator');
  // The operator gets no event when a role is granted.
  await eventually(async () => {
    await requestReconcile(environment(), one.name);
    expect(conditionOf(await environment().forwarding(one.name), 'Ready')?.reason).toBe('AuthRefNotServed');
  });
  await expectProblem(environment(), one.name, unserved);
  expect(one.calls()).toEqual([]);

  await installKind(authConfigurationDefinition);
  await environment().apply(inline(one));
  // The operator asks for the kind every 30 s at most.
  await environment().waitForReady(one.name, 60_000);
  expect(one.portalWebhook()).toMatchObject(attachedToOwn(one));
  expect((await fetch(`${environment().operator().healthURL}/readyz`)).status).toBe(200);
}, 180_000);

describe('the token', () => {
  test.each([
    ['in the object', 'inline'],
    ['in its Secret', 'secret'],
  ])('%s is used, a new one is applied at once, and the deletion uses it', async (_title, kind) => {
    const one = await fixture(`auth-${kind}`);
    const write = (token: string) =>
      kind === 'inline' ? environment().apply(inline(one, token)) : one.applyToken(token);
    if (kind === 'secret') await environment().apply(bySecret(one));
    await write(one.token);
    await applyReferring(one);
    await environment().waitForReady(one.name);
    expect(one.portalWebhook()).toMatchObject(attachedToOwn(one));

    one.fail({ kind: 'status', status: 401 });
    await environment().patch(one.name, { spec: { interval: '23h' } });
    const rejected = `put a valid token into KonnectAPIAuthConfiguration ${one.name}`;
    await expectProblem(environment(), one.name, { reason: 'TokenRejected', mark: 'Stalled', says: [rejected] });
    await write(one.newToken());
    await environment().waitForReady(one.name);
    await environment().remove(one.name);
    expect(one.portalWebhook()).toMatchObject(nothing);
  });

  test('of a Secret that kong-operator reads in another namespace is refused', async () => {
    const one = await fixture('auth-elsewhere');
    await environment().apply(bySecret(one, { namespace: 'konnect-audit-log' }));
    await applyReferring(one);
    const says = [
      `Secret ${one.tokenSecret}`,
      'it is in namespace konnect-audit-log',
      'name a Secret of this namespace',
    ];
    await expectProblem(environment(), one.name, trouble('SecretForbidden', 'Stalled', ...says));
    expect(one.calls()).toEqual([]);
    await one.applyToken();
    await environment().apply(bySecret(one));
    await environment().waitForReady(one.name);
  });
});

test('a missing object is named, and used as soon as it exists; without it the webhooks stay', async () => {
  const one = await fixture('auth-missing');
  await applyReferring(one);
  const missing = trouble('AuthRefNotFound', 'Reconciling', `KonnectAPIAuthConfiguration ${one.name}`, 'create it');
  await expectProblem(environment(), one.name, missing);
  await environment().apply(inline(one));
  await environment().waitForReady(one.name);
  await environment().kubectl(['delete', authConfigurationCRD, one.name]);
  await expectProblem(environment(), one.name, missing);
  expect(one.portalWebhook()).toMatchObject(attachedToOwn(one));
  // The operator remembers the last valid token.
  await environment().remove(one.name);
  expect(one.portalWebhook()).toMatchObject(nothing);
});

test('another region is named, and corrected by a change of spec', async () => {
  const one = await fixture('auth-region');
  await environment().apply(inline(one, one.token, { serverURL: 'https://us.api.konghq.com' }));
  await applyReferring(one, { konnect: { region: 'eu', authRef: { name: one.name } } });
  const says = ['is for region us', 'spec.konnect.region is eu'];
  await expectProblem(environment(), one.name, trouble('AuthRefMismatch', 'Stalled', ...says));
  expect(one.calls()).toEqual([]);
  await applyReferring(one);
  await environment().waitForReady(one.name);
});

test('the schema wants exactly one source of the token', async () => {
  const one = await fixture('auth-schema');
  const refused = async (konnect: object) => {
    try {
      await one.applyForwarding({ konnect: { region: 'us', ...konnect } });
    } catch (error) {
      return String(error);
    }
    return 'accepted';
  };
  const both = { tokenSecretRef: { name: 'a' }, authRef: { name: 'b' } };
  for (const konnect of [both, {}])
    expect(await refused(konnect)).toContain('set exactly one of spec.konnect.tokenSecretRef and spec.konnect.authRef');
  expect(await refused({ authRef: { name: 'b', namespace: 'c' } })).toContain('namespace');
  expect(await refused({ authRef: { name: 'B' } })).toContain('spec.konnect.authRef.name');
  await environment().apply(inline(one));
  await applyReferring(one);
  const { spec } = await environment().waitForReady(one.name);
  expect(spec['konnect']).toEqual({ region: 'us', authRef: { name: one.name }, auditLogsAPI: 'v3' });
});

describe('documents', () => {
  const isAbout = ({ text }: Script) => text.includes(authConfigurationCRD);
  test.each(scriptsOf(document('docs/operate/runbook/secrets.md')).filter(isAbout))(
    'docs/operate/runbook/secrets.md: $title',
    async ({ text }) => {
      await environment().apply(
        authConfigurationObject('auth-documents', { type: 'secretRef', secretRef: { name: 'a' } }),
      );
      const here = text
        .replaceAll(' NAME ', ' auth-documents ')
        .replaceAll('-n platform', `-n ${environment().namespace}`);
      expect(await bash(here, tmpdir())).toMatch(text.includes('can-i') ? /^yes$/m : /\S/);
    },
  );
});
