/** Deleting a forwarding: everything of ours is undone in Konnect, nothing of anybody else's, and what keeps it from going is said. */
import { describe, expect, test } from '@jest/globals';
import type { KonnectModel } from '../../sandbox/konnect/model.ts';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectProblem } from './support/conditions.ts';
import { createEnvironment, type Environment } from './support/environment.ts';
import type { Fixture } from './support/fixture.ts';
import { forwarding, secret } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'deletion' });

const askToDelete = ({ name }: Fixture) => environment().kubectl(['delete', 'alf', name, '--wait=false']);

async function gone({ name }: Fixture): Promise<void> {
  await environment().kubectl(['wait', '--for=delete', `alf/${name}`, '--timeout=90s']);
}

/** What of it still stands in Konnect. */
function leftOf(one: Fixture): unknown[] {
  const webhooks = one.portals.map((_id, index) => one.portalWebhook(index));
  return [...one.destinations(), ...webhooks.filter(({ enabled, target }) => enabled || target.kind !== 'none')];
}

/** All that stands in Konnect, of everybody. */
function everything({ organizations }: KonnectModel): unknown {
  return [...organizations.values()].map(({ destinations, webhooks, portals }) => ({
    destinations: destinations.filter(({ to }) => to === undefined).map(({ destination }) => destination),
    webhooks: [...webhooks]
      .filter(([, { target }]) => target.kind !== 'none')
      .map(([region, { target, enabled }]) => ({ region, target, enabled })),
    portals: [...portals.values()]
      .filter(({ webhook }) => webhook.target.kind !== 'none')
      .map(({ id, webhook: { target, enabled } }) => ({ id, target, enabled })),
  }));
}

/** The destinations and the webhooks that are attached, of everybody. */
function standingIn({ organizations }: KonnectModel): unknown[] {
  return [...organizations.values()].flatMap(({ destinations, webhooks, portals }) => [
    ...destinations.filter(({ to }) => to === undefined),
    ...[...webhooks.values(), ...[...portals.values()].map(({ webhook }) => webhook)].filter(
      ({ target }) => target.kind !== 'none',
    ),
  ]);
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
  throw new Error('no destination was made');
}

const attachByHand = (portal: string, id: string) =>
  environment().asOtherClient('PATCH', `/us/v3/portals/${portal}/audit-log-webhook`, {
    body: { audit_log_destination_id: id, enabled: true },
  });

describe('kubectl delete -f, Secrets and all', () => {
  test.each(['v3', 'v2'])('leaves nothing of ours, and everything of others (%s)', async (auditLogsAPI) => {
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

test('what somebody else has pointed elsewhere meanwhile is left to them', async () => {
  const one = await readyFixture('re-pointed', undefined, { portals: 2 });
  const other = await foreignDestination('re-pointed at');
  await attachByHand(one.portals[0] ?? '', other);
  await askToDelete(one);
  await gone(one);
  expect(one.destinations()).toEqual([]);
  expect(one.portalWebhook(0)).toMatchObject({ enabled: true, target: { id: other } });
  expect(one.portalWebhook(1)).toMatchObject({ enabled: false, target: { kind: 'none' } });
});

describe('a destination that Konnect still holds in use', () => {
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
        'as it does for a while after webhooks were detached',
      ],
    });
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('by a webhook that is not ours, which is left alone and named as the cause', async () => {
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
        'if it lasts, this will say what else uses it',
        'set spec.deletionPolicy to Retain',
      ],
    });
    expect(object.status.portals).toBeUndefined();
    await environment().asOtherClient('DELETE', `/us/v3/portals/${theirs}/audit-log-webhook`);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });
});

describe('a webhook that Konnect does not let go of', () => {
  test('is tried again', async () => {
    const one = await readyFixture('detaching');
    const held = one.fail({ kind: 'status', status: 409, match: { operation: 'delete-portal-audit-log-webhook' } });
    await askToDelete(one);
    await expectProblem(environment(), one.name, {
      reason: 'Detaching',
      mark: 'Reconciling',
      says: ['deletion waits', `portal ${one.portals[0] ?? '?'} in region us`, 'HTTP 409', 'trying again'],
    });
    held.remove();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('as long as it is on, is switched off first', async () => {
    const one = await readyFixture('switched-off-first');
    environment().services.konnect.control.behave({ portalDeleteConflict: true });
    await askToDelete(one);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });
});

describe('the token', () => {
  test('whose Secret went first is remembered by the operator that used it', async () => {
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

  test('that nobody remembers is asked for by name, and is used at once', async () => {
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
        `create Secret ${one.tokenSecret}, key token again`,
        `organization ${environment().blue.id}`,
        'set spec.deletionPolicy to Retain',
        `destination ${destination?.id ?? '?'}`,
        ...one.portals.map((id) => `the webhook of portal ${id}`),
      ],
    });
    // First the way that undoes everything, then the one that lets go.
    const message = object.status.conditions?.find(({ type }) => type === 'Ready')?.message ?? '';
    expect(message.indexOf(one.tokenSecret)).toBeLessThan(message.indexOf('Retain'));
    expect(one.destinations()).toHaveLength(1);
    await one.applyToken();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('of another organization undoes nothing there', async () => {
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

describe('after the token was replaced by one of another organization', () => {
  test('what stands in the first is undone by the token that made it', async () => {
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
  test('lets go of everything as it is, and an event says what stays', async () => {
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
        note: new RegExp(`left live in Konnect: .*${stays ?? '-'}`),
      });
    }
  });

  test('set late lets go of what cannot be undone', async () => {
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

describe('whenever it comes', () => {
  test('while no operator runs, it is done by the next', async () => {
    const one = await readyFixture('no-operator');
    await environment().stopOperator();
    await askToDelete(one);
    expect((await environment().forwarding(one.name)).metadata.deletionTimestamp).toBeDefined();
    await environment().startOperator();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('while Konnect is in trouble, it waits and says so', async () => {
    const one = await readyFixture('outage');
    const fault = one.fail({ kind: 'status', status: 502, body: 'html' });
    await askToDelete(one);
    await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      says: ['deletion waits', 'HTTP 5xx', 'Retain'],
    });
    fault.remove();
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('while a creation is under way, what comes of it is removed', async () => {
    const one = await fixture('under-way');
    environment().services.konnect.control.behave({ staleListMs: 700 });
    const lost = one.fail({ kind: 'drop-after', match: { operation: 'create-audit-log-destination' } });
    await one.apply();
    await eventually(() => expect(lost.hits()).toBe(1));
    await askToDelete(one);
    await gone(one);
    expect(leftOf(one)).toEqual([]);
  });

  test('before anything was made, it is done at once', async () => {
    const one = await fixture('never-ready', { access: 'read-only' });
    await one.apply();
    await expectProblem(environment(), one.name, { reason: 'PermissionDenied', mark: 'Stalled', says: ['HTTP 403'] });
    await askToDelete(one);
    await gone(one);
    expect(one.writes().filter((operation) => operation.startsWith('delete'))).toEqual([]);
  });

  describe('for the whole namespace', () => {
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

    test('nothing is left in Konnect or Kubernetes', () =>
      inNamespace(async (other) => {
        const { kubectl } = cluster();
        await kubectl(['delete', 'namespace', other.namespace, '--timeout=90s']);
        expect(standingIn(other.services.konnect.model)).toEqual([]);
      }));

    test('while no operator runs, Retain lets it go, since no Secret can be made in it any longer', () =>
      inNamespace(async (other) => {
        const { kubectl } = cluster();
        await other.stopOperator();
        await kubectl(['delete', 'namespace', other.namespace, '--wait=false']);
        await eventually(async () => expect((await other.kubectl(['get', 'secrets', '-o', 'name'])).stdout).toBe(''), {
          timeoutMs: 90_000,
        });
        await other.startOperator();
        // Nothing can be made in such a namespace, events neither.
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
