/** Deletion of a forwarding: the operator removes only its own objects from Konnect, and status says what blocks the deletion. */
import { describe, expect, test } from '@jest/globals';
import { finalizer } from '../../src/api/v1alpha1.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectProblem, isAnswered } from './support/conditions.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import { type Fixture, nothing } from './support/fixture.ts';
import { everything, leftOf, standingIn } from './support/konnect-state.ts';
import { forwarding, secret } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'deletion' });

const askToDelete = ({ name }: Fixture) => environment().kubectl(['delete', 'alf', name, '--wait=false']);

async function gone({ name }: Fixture): Promise<void> {
  await environment().kubectl(['wait', '--for=delete', `alf/${name}`, '--timeout=90s']);
}

async function foreignDestination(name: string): Promise<string> {
  const { body } = await environment().asOtherClient('POST', '/global/v3/audit-log-destinations', {
    body: {
      name,
      endpoint: 'https://other.example.com/logs',
      authorization: 'Bearer somebody-elses',
      log_format: 'cef',
    },
  });
  if (typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string') return body.id;
  throw new Error('no destination was created');
}

const attachByHand = (portal: string, id: string) =>
  environment().asOtherClient('PATCH', `/us/v3/portals/${portal}/audit-log-webhook`, {
    body: { audit_log_destination_id: id, enabled: true },
  });

describe('kubectl delete -f with the Secrets', () => {
  test.each(['v3', 'v2'])('removes all objects of the operator and no others (%s)', async (auditLogsAPI) => {
    const one = await fixture(`everything-${auditLogsAPI}`, { portals: 2 });
    const [, theirs = ''] = environment().blue.portals.us;
    await attachByHand(theirs, await foreignDestination(`of others ${auditLogsAPI}`));
    const before = everything(environment().services.konnect.model);
    const manifests = [
      secret(one.tokenSecret, { token: one.token }),
      secret(one.siemSecret, { ...environment().credentials }),
      forwarding(one.name, {
        konnect: one.konnect({ auditLogsAPI }),
        destination: { secretRef: { name: one.siemSecret } },
        portals: one.portals.map((id) => ({ id })),
        organization: {},
        interval: '24h',
      }),
    ];
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
    await environment().kubectl(['apply', '-f', '-'], { input });
    await environment().waitForReady(one.name);
    expect(one.organizationWebhook()).toMatchObject({ enabled: true });
    const { stdout } = await environment().kubectl(['delete', '-f', '-', '--timeout=90s'], { input });
    expect(stdout).toContain(`"${one.name}" deleted`);
    expect(leftOf(one)).toEqual([]);
    expect(everything(environment().services.konnect.model)).toEqual(before);
    for (const reason of ['WebhookDetached', 'DestinationDeleted']) {
      await expectEvent(environment(), one.name, { type: 'Normal', reason, note: /./ });
    }
  });
});

test('a webhook that another client has attached elsewhere stays unchanged', async () => {
  const one = await readyFixture('re-pointed', undefined, { portals: 2 });
  const other = await foreignDestination('re-pointed at');
  await attachByHand(one.portals[0] ?? '', other);
  await askToDelete(one);
  await gone(one);
  expect(one.destinations()).toEqual([]);
  expect(one.portalWebhook(0)).toMatchObject({ enabled: true, target: { id: other } });
  expect(one.portalWebhook(1)).toMatchObject(nothing);
});

describe('a destination that Konnect still counts as in use', () => {
  test('for a while after its webhooks were detached', async () => {
    const one = await readyFixture('release-delay');
    const [destination] = one.destinations();
    environment().services.konnect.control.behave({ releaseDelayMs: 1_500 });
    await askToDelete(one);
    await expectProblem(environment(), one.name, {
      reason: 'DestinationInUse',
      mark: 'Reconciling',
      says: [
        'deletion waits',
        `destination ${destination?.id ?? '?'}`,
        'HTTP 409',
        'which is normal for a while after webhooks were detached',
      ],
    });
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('because of a webhook of another client: it stays unchanged, and the message names it', async () => {
    const one = await readyFixture('used-by-others');
    const [destination] = one.destinations();
    const [, , theirs = ''] = environment().blue.portals.us;
    await attachByHand(theirs, destination?.id ?? '');
    await askToDelete(one);
    const object = await expectProblem(environment(), one.name, {
      reason: 'DestinationInUse',
      mark: 'Reconciling',
      says: [
        `destination ${destination?.id ?? '?'}`,
        'If this lasts, the operator says here which webhooks use it',
        'set spec.deletionPolicy to Retain',
      ],
    });
    expect(object.status.portals).toBeUndefined();
    await environment().asOtherClient('DELETE', `/us/v3/portals/${theirs}/audit-log-webhook`);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });
});

describe('a webhook that Konnect does not detach', () => {
  test('the operator retries', async () => {
    const one = await readyFixture('detaching');
    const held = one.fail({ kind: 'status', status: 409, match: { operation: 'delete-portal-audit-log-webhook' } });
    await askToDelete(one);
    await expectProblem(environment(), one.name, {
      reason: 'Detaching',
      mark: 'Reconciling',
      says: ['deletion waits', `portal ${one.portals[0] ?? '?'} in region us`, 'HTTP 409', 'the operator retries'],
    });
    held.remove();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('while it is on, is switched off first', async () => {
    const one = await readyFixture('switched-off-first');
    environment().services.konnect.control.behave({ portalDeleteConflict: true });
    await askToDelete(one);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });
});

describe('the token', () => {
  test('whose Secret was deleted first: the operator that used it still has it in memory', async () => {
    const one = await readyFixture('secret-first');
    await environment().kubectl(['delete', 'secret', one.tokenSecret, one.siemSecret]);
    await expectProblem(environment(), one.name, {
      reason: 'SecretNotFound',
      mark: 'Reconciling',
      says: [one.tokenSecret],
    });
    await askToDelete(one);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('that no operator has in memory: the message names its Secret, and the operator uses it at once', async () => {
    const one = await readyFixture('token-gone', undefined, { portals: 2 });
    const [destination] = one.destinations();
    await environment().stopOperator();
    await environment().kubectl(['delete', 'secret', one.tokenSecret, one.siemSecret]);
    await askToDelete(one);
    await environment().startOperator();
    const object = await expectProblem(environment(), one.name, {
      reason: 'TokenGone',
      mark: 'Reconciling',
      says: [
        'deletion waits',
        `the Konnect token in Secret ${one.tokenSecret}, key token is missing or invalid`,
        `organization ${environment().blue.id}`,
        'set spec.deletionPolicy to Retain',
        `destination ${destination?.id ?? '?'}`,
        ...one.portals.map((id) => `the webhook of portal ${id}`),
      ],
    });
    // The message names first the way that removes everything, then the one that leaves everything.
    const message = object.status.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
    expect(message.indexOf(one.tokenSecret)).toBeLessThan(message.indexOf('Retain'));
    expect(one.destinations()).toHaveLength(1);
    await one.applyToken();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('of another organization: the operator changes nothing there', async () => {
    const one = await readyFixture('token-of-another');
    await environment().stopOperator();
    await one.applyToken(one.newToken('full', environment().green));
    await askToDelete(one);
    await environment().startOperator();
    await expectProblem(environment(), one.name, {
      reason: 'OrganizationChanged',
      mark: 'Stalled',
      says: ['deletion waits', environment().green.id, environment().blue.id],
    });
    expect(one.destinations()).toHaveLength(1);
    await one.applyToken();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });
});

describe('the finalizer', () => {
  test('that kubectl replace removed is added again at once, although the forwarding is suspended', async () => {
    const one = await readyFixture('replaced');
    await environment().patch(one.name, { spec: { suspend: true } });
    const { apiVersion, kind, metadata, spec } = await environment().waitFor(one.name, isAnswered);
    const input = JSON.stringify({ apiVersion, kind, metadata: { name: metadata.name }, spec });
    await environment().kubectl(['replace', '-f', '-'], { input });
    await environment().waitFor(one.name, (object) => object.metadata.finalizers?.includes(finalizer) === true);
    await expectEvent(environment(), one.name, {
      type: 'Warning',
      reason: 'FinalizerRestored',
      note: /objects in Konnect/,
    });
    await askToDelete(one);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('that a user removed from a deletion that waits: the operator cleans up without the object', async () => {
    const one = await readyFixture('finalizer-removed');
    const [destination] = one.destinations();
    const held = one.fail({ kind: 'status', status: 409, match: { operation: 'delete-portal-audit-log-webhook' } });
    await askToDelete(one);
    await environment().waitFor(one.name, ({ metadata }) => metadata.deletionTimestamp !== undefined);
    await environment().kubectl(['patch', 'alf', one.name, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    await gone(one);
    const note = new RegExp(`so the forwarding was deleted before .*${destination?.id ?? '?'}`);
    await expectEvent(environment(), one.name, { type: 'Warning', reason: 'DeletedWithoutFinalizer', note });
    held.remove();
    await eventually(() => expect(leftOf(one)).toEqual([]));
  });
});

describe('after a token of another organization replaced the token', () => {
  test('the operator removes the objects in the first organization with the old token', async () => {
    const one = await readyFixture('moved-half');
    await one.applyToken(one.newToken('full', environment().green));
    await expectProblem(environment(), one.name, {
      reason: 'PortalNotFound',
      mark: 'Stalled',
      says: [one.portals[0] ?? '?'],
    });
    expect(one.portalWebhook().enabled).toBe(true);
    await askToDelete(one);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });
});

describe('Retain', () => {
  test('leaves everything unchanged, and an event says what stays', async () => {
    const one = await readyFixture('retain', { deletionPolicy: 'Retain' }, { portals: 2 });
    const [destination] = one.destinations();
    const writes = one.writes().length;
    await askToDelete(one);
    await gone(one);
    expect(one.writes()).toHaveLength(writes);
    expect(one.destinations()).toEqual([destination]);
    expect([0, 1].map((index) => one.portalWebhook(index).enabled)).toEqual([true, true]);
    for (const stays of [destination?.id, ...one.portals]) {
      await expectEvent(environment(), one.name, {
        type: 'Normal',
        reason: 'Retained',
        note: new RegExp(`still active in Konnect: .*${stays ?? '-'}`),
      });
    }
  });

  test('set during a blocked deletion leaves what cannot be removed', async () => {
    const one = await readyFixture('retain-late');
    await environment().stopOperator();
    await environment().kubectl(['delete', 'secret', one.tokenSecret]);
    await askToDelete(one);
    await environment().startOperator();
    await expectProblem(environment(), one.name, { reason: 'TokenGone', mark: 'Reconciling', says: [one.tokenSecret] });
    await environment().patch(one.name, { spec: { deletionPolicy: 'Retain' } });
    await gone(one);
    expect(one.destinations()).toHaveLength(1);
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'Retained',
      note: new RegExp(one.portals[0] ?? '-'),
    });
  });
});

describe('a deletion', () => {
  test('while no operator runs is completed by the next operator', async () => {
    const one = await readyFixture('no-operator');
    await environment().stopOperator();
    await askToDelete(one);
    expect((await environment().forwarding(one.name)).metadata.deletionTimestamp).toBeDefined();
    await environment().startOperator();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('during an outage of Konnect waits and says so', async () => {
    const one = await readyFixture('outage');
    const fault = one.fail({ kind: 'status', status: 502, body: 'html' });
    await askToDelete(one);
    await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      says: ['deletion waits', 'HTTP 502', 'Retain'],
    });
    fault.remove();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('during a creation also removes the created destination', async () => {
    const one = await fixture('under-way');
    environment().services.konnect.control.behave({ staleListMs: 700 });
    const lost = one.fail({ kind: 'drop-after', match: { operation: 'create-audit-log-destination' } });
    await one.apply();
    await eventually(() => expect(lost.hits()).toBe(1));
    await askToDelete(one);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('before any creation is completed at once', async () => {
    const one = await fixture('never-ready', { access: 'read-only' });
    await one.apply();
    await expectProblem(environment(), one.name, { reason: 'PermissionDenied', mark: 'Stalled', says: ['HTTP 403'] });
    await askToDelete(one);
    await gone(one);
    expect(one.writes().filter((operation) => operation.startsWith('delete'))).toEqual([]);
  });

  describe('of the whole namespace', () => {
    async function inNamespace(play: (other: Environment) => Promise<void>): Promise<void> {
      const other = await createEnvironment({ prefix: 'deletion-namespace' });
      try {
        await other.applySecrets();
        const portals = other.blue.portals.us.map((id) => ({ id }));
        await other.apply(forwarding('sumologic', { portals, organization: {}, interval: '24h' }));
        await other.waitForReady('sumologic');
        await play(other);
      } finally {
        await other.stop();
      }
    }

    test('leaves nothing in Konnect or Kubernetes', () =>
      inNamespace(async (other) => {
        const { kubectl } = cluster();
        await kubectl(['delete', 'namespace', other.namespace, '--timeout=90s']);
        expect(standingIn(other.services.konnect.model)).toEqual([]);
      }));

    test('while no operator runs is unblocked by Retain, since no Secret can be created in it any more', () =>
      inNamespace(async (other) => {
        const { kubectl } = cluster();
        await other.stopOperator();
        await kubectl(['delete', 'namespace', other.namespace, '--wait=false']);
        await eventually(async () => expect((await other.kubectl(['get', 'secrets', '-o', 'name'])).stdout).toBe(''), {
          timeoutMs: 90_000,
        });
        await other.startOperator();
        // The API server rejects creations in a terminating namespace, also of events.
        await other.waitFor('sumologic', (one) =>
          (one.status.conditions ?? []).some(
            ({ type, reason, message }) => type === 'Ready' && reason === 'TokenGone' && message.includes('to Retain'),
          ),
        );
        await other.patch('sumologic', { spec: { deletionPolicy: 'Retain' } });
        await kubectl(['wait', '--for=delete', `namespace/${other.namespace}`, '--timeout=90s']);
        expect(standingIn(other.services.konnect.model)).toHaveLength(1 + 1 + other.blue.portals.us.length);
      }));
  });
});
