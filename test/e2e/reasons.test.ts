/** Each reason for which a forwarding is not ready: conditions, events, what stays unchanged, and how it recovers. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectProblem } from './support/conditions.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { oneEnvironment } from './support/one-environment.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'reasons' });

describe('Secrets', () => {
  test('the message names a missing Secret, and the operator uses it as soon as it exists', async () => {
    const one = await fixture('secret-missing');
    await one.applyToken();
    await one.applyForwarding();
    const object = await expectProblem(environment(), one.name, {
      reason: 'SecretNotFound',
      mark: 'Reconciling',
      part: 'SecretsResolved',
      says: [`Secret ${one.siemSecret}`, 'spec.destination.secretRef', 'does not exist', 'create it'],
    });
    for (const type of ['DestinationReady', 'WebhooksReady']) {
      expect(conditionOf(object, type)).toMatchObject({ status: 'Unknown', reason: 'NotChecked' });
    }
    expect(object.metadata.finalizers).toBeUndefined();
    expect(one.calls()).toEqual([]);
    await one.applySIEM();
    await environment().waitForReady(one.name);
    await expectEvent(environment(), one.name, { type: 'Normal', reason: 'InSync', note: /forwards to/ });
  });

  test('the message names both missing Secrets', async () => {
    const one = await fixture('secrets-missing');
    await one.applyForwarding();
    await expectProblem(environment(), one.name, {
      reason: 'SecretNotFound',
      mark: 'Reconciling',
      part: 'SecretsResolved',
      says: [`Secret ${one.tokenSecret}, named by spec.konnect.tokenSecretRef`, `Secret ${one.siemSecret}`],
    });
    expect(one.calls()).toEqual([]);
    await one.apply();
    await environment().waitForReady(one.name);
  });

  test.each([
    ['token', 'spec.konnect.tokenSecretRef', 'pat'],
    ['authorization', 'spec.destination.secretRef', 'header'],
    ['endpoint', 'spec.destination.secretRef', 'url'],
  ] as const)('a key that is missing is named: %s', async (what, field, key) => {
    const one = await fixture(`key-missing-${what}`);
    const secretName = what === 'token' ? one.tokenSecret : one.siemSecret;
    const reference = { name: secretName, [what === 'token' ? 'key' : `${what}Key`]: key };
    await one.apply(
      what === 'token'
        ? { konnect: one.konnect({ tokenSecretRef: reference }) }
        : { destination: { secretRef: reference } },
    );
    await expectProblem(environment(), one.name, {
      reason: 'SecretKeyNotFound',
      mark: 'Reconciling',
      part: 'SecretsResolved',
      says: [`Secret ${secretName}`, field, `has no key ${key}`, 'add this key'],
    });
    expect(one.calls()).toEqual([]);
    const value = { ...environment().credentials, token: one.token }[what];
    await environment().kubectl([
      'patch',
      'secret',
      secretName,
      '-p',
      JSON.stringify({ stringData: { [key]: value } }),
    ]);
    await environment().waitForReady(one.name);
  });

  test.each([
    ['an endpoint that is not https', { endpoint: 'http://siem.example.com/receiver' }, 'endpoint is not an https URL'],
    ['an endpoint that is no URL', { endpoint: 'siem' }, 'endpoint is not a URL'],
    ['an empty endpoint', { endpoint: '\n' }, 'endpoint is empty'],
    ['a line break in the authorization', { authorization: 'a\r\nX-Other: b' }, 'authorization contains a character'],
  ])('%s is refused before anything is sent', async (_what, change, says) => {
    const one = await fixture(`secret-invalid-${randomUUID().slice(0, 4)}`);
    await one.applySIEM(change);
    await one.applyToken();
    await one.applyForwarding();
    await expectProblem(environment(), one.name, {
      reason: 'SecretInvalid',
      mark: 'Stalled',
      part: 'SecretsResolved',
      says: [`Secret ${one.siemSecret}, key ${says}`, 'put a valid value there', 'did not send this value to Konnect'],
    });
    expect(one.calls()).toEqual([]);
    await one.applySIEM();
    await environment().waitForReady(one.name);
  });
});

test('the message names a Secret that RBAC forbids to read, and the missing permission', async () => {
  const account = 'narrow';
  const role = (rules: object[]) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: account },
    rules,
  });
  const group = 'konnect-audit-log.io';
  const rules = [
    { apiGroups: [group], resources: ['auditlogforwardings'], verbs: ['list', 'watch', 'patch'] },
    { apiGroups: [group], resources: ['auditlogforwardings/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ];
  await environment().kubectl(['create', 'serviceaccount', account]);
  await environment().apply(role(rules));
  const subject = `--serviceaccount=${environment().namespace}:${account}`;
  await environment().kubectl(['create', 'rolebinding', account, `--role=${account}`, subject]);
  const kubeconfig = await cluster().serviceAccountKubeconfig(environment().namespace, account);
  await environment().restartOperator({ flags: [`--kubeconfig=${kubeconfig}`] });
  try {
    const one = await fixture('secret-forbidden');
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'SecretForbidden',
      mark: 'Stalled',
      part: 'SecretsResolved',
      says: [
        `Secret ${one.tokenSecret}, named by spec.konnect.tokenSecretRef`,
        `Secret ${one.siemSecret}, named by spec.destination.secretRef`,
        'allow its ServiceAccount to get secrets',
      ],
    });
    expect(one.calls()).toEqual([]);
    await environment().apply(role([...rules, { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]));
    // The operator gets no event when a role is granted.
    await eventually(
      async () => {
        await environment().patch(one.name, {
          spec: { interval: `${String(2 + (await environment().forwarding(one.name)).metadata.generation)}h` },
        });
        await environment().waitForReady(one.name, 5_000);
      },
      { timeoutMs: 90_000 },
    );
  } finally {
    await environment().restartOperator();
  }
});

describe('objects of other clients stay unchanged', () => {
  test('a destination with the name of the forwarding', async () => {
    const one = await fixture('name-in-use');
    const { status, body } = await environment().asOtherClient('POST', '/global/v3/audit-log-destinations', {
      body: {
        name: one.destinationName,
        endpoint: 'https://other.example.com/logs',
        authorization: 'Bearer somebody-elses',
        log_format: 'json',
      },
    });
    expect(status).toBe(201);
    const [before] = one.destinations();
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'NameInUse',
      mark: 'Stalled',
      part: 'DestinationReady',
      says: [
        `"${one.destinationName}"`,
        before?.id ?? '',
        'did not create',
        'spec.destination.name',
        'the operator changed nothing',
      ],
    });
    expect(body).toMatchObject({ id: before?.id });
    expect(one.writes()).toEqual([]);
    expect(one.destinations()).toEqual([before]);
    await environment().patch(one.name, { spec: { destination: { name: 'another name' } } });
    await environment().waitForReady(one.name);
    expect(one.destinations()).toEqual([before]);
    expect(one.destinations('another name')).toHaveLength(1);
  });

  test('a destination with that name that the operator detects only by the refused creation', async () => {
    const one = await fixture('name-in-use-late');
    environment().services.konnect.control.behave({ staleListMs: 60_000 });
    await environment().asOtherClient('POST', '/global/v3/audit-log-destinations', {
      body: {
        name: one.destinationName,
        endpoint: 'https://other.example.com/logs',
        authorization: 'Bearer somebody-elses',
        log_format: 'json',
      },
    });
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'NameInUse',
      mark: 'Reconciling',
      part: 'DestinationReady',
      says: [`"${one.destinationName}"`, 'another destination in Konnect has the name', 'spec.destination.name'],
    });
    environment().services.konnect.control.behave({ staleListMs: 0 });
    await expectProblem(environment(), one.name, {
      reason: 'NameInUse',
      mark: 'Stalled',
      part: 'DestinationReady',
      says: [`"${one.destinationName}"`, 'did not create'],
    });
    expect(one.writes()).toEqual(['create-audit-log-destination']);
    expect(one.destinations()).toMatchObject([{ endpoint: 'https://other.example.com/logs' }]);
  });

  async function foreignDestination(): Promise<string> {
    const { body } = await environment().asOtherClient('POST', '/global/v3/audit-log-destinations', {
      body: {
        name: `somebody else's ${randomUUID()}`,
        endpoint: 'https://other.example.com/logs',
        authorization: 'Bearer somebody-elses',
        log_format: 'cef',
      },
    });
    if (typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string') return body.id;
    throw new Error('no destination was created');
  }

  test('a portal’s webhook that forwards elsewhere, while the other portal is attached', async () => {
    const one = await fixture('webhook-in-use', { portals: 2 });
    const other = await foreignDestination();
    const path = `/us/v3/portals/${one.portals[1] ?? ''}/audit-log-webhook`;
    await environment().asOtherClient('PATCH', path, { body: { audit_log_destination_id: other, enabled: true } });
    await one.apply();
    const object = await expectProblem(environment(), one.name, {
      reason: 'WebhookInUse',
      mark: 'Stalled',
      part: 'WebhooksReady',
      says: [
        `portal ${one.portals[1] ?? ''}`,
        `destination ${other}`,
        'spec.portals[1]',
        'detach the webhook',
        'the operator changed nothing',
      ],
    });
    expect(object.status).toMatchObject({
      portalsReady: '1/2',
      portals: [{ state: 'on' }, { state: 'refused', reason: 'WebhookInUse' }],
    });
    expect(one.portalWebhook(0).enabled).toBe(true);
    expect(one.portalWebhook(1).target).toEqual({ kind: 'destination', id: other });
    await environment().asOtherClient('DELETE', path);
    await environment().patch(one.name, { spec: { interval: '23h' } });
    await environment().waitForReady(one.name);
  });

  test('the organization’s webhook, in either of its two views', async () => {
    const one = await fixture('organization-in-use', { region: 'eu' });
    const other = await foreignDestination();
    await environment().asOtherClient('PATCH', '/eu/v3/audit-log-webhook', {
      body: { audit_log_destination_id: other, enabled: true },
    });
    await one.apply({ organization: {} });
    const says = ["the organization's webhook", 'spec.organization', 'the operator changed nothing'];
    await expectProblem(environment(), one.name, {
      reason: 'WebhookInUse',
      mark: 'Stalled',
      part: 'WebhooksReady',
      says: [...says, `destination ${other}`],
    });
    await environment().asOtherClient('DELETE', '/eu/v3/audit-log-webhook');
    await environment().asOtherClient('PATCH', '/eu/v2/audit-log-webhook', {
      body: {
        endpoint: 'https://other.example.com/logs',
        authorization: 'Bearer somebody-elses',
        enabled: true,
        log_format: 'cef',
        skip_ssl_verification: false,
      },
    });
    for (const auditLogsAPI of ['v3', 'v2']) {
      await one.applyForwarding({
        konnect: one.konnect({ auditLogsAPI }),
        organization: {},
        interval: `2${auditLogsAPI.slice(1)}h`,
      });
      await expectProblem(environment(), one.name, {
        reason: 'WebhookInUse',
        mark: 'Stalled',
        part: 'WebhooksReady',
        says: [...says, 'forwards to another endpoint'],
      });
    }
    expect(one.organizationWebhook().target).toMatchObject({ inline: { endpoint: 'https://other.example.com/logs' } });
    expect(one.portalWebhook().enabled).toBe(true);
  });
});

test('the message names a portal that does not exist, while the others are attached', async () => {
  const one = await fixture('portal-not-found', { portals: 2 });
  const unknown = randomUUID();
  await one.apply({ portals: [...one.portals, unknown].map((id) => ({ id })) });
  const object = await expectProblem(environment(), one.name, {
    reason: 'PortalNotFound',
    mark: 'Stalled',
    part: 'WebhooksReady',
    says: [`portal ${unknown}`, 'region us', 'spec.portals[2].id', `Secret ${one.tokenSecret}, key token`],
  });
  expect(conditionOf(object, 'DestinationReady')).toMatchObject({ status: 'True', reason: 'InPlace' });
  expect(object.status.portalsReady).toBe('2/3');
  const states = new Map((object.status.portals ?? []).map(({ id, state, reason }) => [id, { state, reason }]));
  expect(states.get(unknown)).toEqual({ state: 'refused', reason: 'PortalNotFound' });
  expect([0, 1].map((index) => one.portalWebhook(index).enabled)).toEqual([true, true]);
  await one.applyForwarding();
  const healed = await environment().waitForReady(one.name);
  expect(healed.status.portalsReady).toBe('2/2');
});

test('the message names a portal that was deleted in Konnect, and status says that its webhook may still forward when it leaves spec', async () => {
  const one = await readyFixture('portal-gone', undefined, { portals: 2 });
  const [kept = '', gone = ''] = one.portals;
  environment().services.konnect.model.organizations.get(environment().blue.id)?.portals.delete(gone);
  await environment().patch(one.name, { spec: { interval: '23h' } });
  const object = await expectProblem(environment(), one.name, {
    reason: 'PortalNotFound',
    mark: 'Stalled',
    part: 'WebhooksReady',
    says: [`portal ${gone}`, 'spec.portals[1].id'],
  });
  expect(object.status.portalsReady).toBe('1/2');
  await one.applyForwarding({ portals: [{ id: kept }] });
  const { status } = await environment().waitForReady(one.name);
  expect(status.portals?.map(({ id }) => id)).toEqual([kept]);
  expect(status.cleanup).toMatchObject([{ kind: 'portal', id: gone, reason: 'PortalNotFound' }]);
});

test('the message names values that Konnect refuses, without Konnect’s text', async () => {
  const one = await fixture('refused');
  await one.apply({ destination: { secretRef: { name: one.siemSecret }, name: ' ' } });
  await expectProblem(environment(), one.name, {
    reason: 'RequestRefused',
    mark: 'Stalled',
    part: 'DestinationReady',
    says: ['HTTP 400', 'field name', 'spec.destination'],
  });
  expect(one.destinations(' ')).toEqual([]);
  await one.applyForwarding();
  await environment().waitForReady(one.name);
});
