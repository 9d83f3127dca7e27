/** Changes of spec and Secrets that are interrupted by an outage, a restart or another client. */
import { describe, expect, test } from '@jest/globals';
import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectProblem } from './support/conditions.ts';
import { attachedTo, type Fixture, nothing } from './support/fixture.ts';
import { isReady } from './support/forwarding-object.ts';
import { forwarding, secret } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';
import type { Organization } from './support/organizations.ts';
import { setInline } from './support/other-client.ts';
import { requestReconcile } from './support/reconciliations.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'stories' });

function destinationID(one: Fixture): string {
  const [destination, ...more] = one.destinations();
  if (destination === undefined || more.length > 0) throw new Error('there is not exactly one destination');
  return destination.id;
}

function inOrganization({ id }: Organization, one: Fixture) {
  const organization = environment().services.konnect.model.organizations.get(id);
  if (organization === undefined) throw new Error('there is no such organization');
  return {
    destinations: currentDestinations(organization).filter(({ name }) => name === one.destinationName),
    webhookOf: (portal: string) => organization.portals.get(portal)?.webhook,
  };
}

test('a Secret is rotated while Konnect answers 429: the webhooks stay attached, and the new Secret is applied after the limit', async () => {
  const one = await readyFixture('rotated-when-limited');
  const id = destinationID(one);
  const limited = one.fail({ kind: 'status', status: 429, retryAfter: 2 });
  const fresh = environment().newCredentials();
  await one.applySIEM(fresh);
  await expectProblem(environment(), one.name, {
    reason: 'RateLimited',
    mark: 'Reconciling',
    says: ['HTTP 429', 'the operator waits until 20'],
  });
  expect(one.destinations()).toMatchObject([{ id, ...environment().credentials }]);
  expect(one.portalWebhook()).toMatchObject(attachedTo(id));

  // The operator waits as long as Retry-After says.
  await eventually(() => expect(limited.hits()).toBeGreaterThan(5));
  const refused = one.calls('get-portal-audit-log-webhook').filter(({ status }) => status === 429);
  const gapsMs = refused.slice(1).map(({ at }, index) => at.getTime() - (refused[index]?.at.getTime() ?? 0));
  expect(gapsMs.length).toBeGreaterThan(0);
  expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(1_990);

  limited.remove();
  await environment().waitForReady(one.name);
  expect(one.destinations()).toMatchObject([{ id, ...fresh }]);
  expect(one.calls('update-audit-log-destination').filter(({ status }) => status === 200)).toHaveLength(1);
});

test('a portal leaves spec during an outage of Konnect, and the operator restarts: the portal is detached after the outage', async () => {
  const one = await readyFixture('taken-out', undefined, { portals: 2 });
  const [kept = '', removed = ''] = one.portals;
  const id = destinationID(one);
  const down = one.fail({ kind: 'drop-before' });
  await one.applyForwarding({ portals: [{ id: kept }] });
  await expectProblem(environment(), one.name, {
    reason: 'KonnectUnavailable',
    mark: 'Reconciling',
    says: ['cannot reach Konnect'],
  });
  const asked = down.hits();
  await environment().restartOperator({ kill: true });
  await eventually(() => expect(down.hits()).toBeGreaterThan(asked));
  expect(one.portalWebhook(1)).toMatchObject(attachedTo(id));

  down.remove();
  const { status } = await environment().waitForReady(one.name);
  expect(status).toMatchObject({ portals: [{ id: kept, state: 'on' }], portalsReady: '1/1' });
  expect(status.cleanup).toBeUndefined();
  expect(one.portalWebhook(0)).toMatchObject(attachedTo(id));
  expect(one.portalWebhook(1)).toMatchObject(nothing);
  expect(one.writes().slice(3)).toEqual(['delete-portal-audit-log-webhook']);
  await expectEvent(environment(), one.name, {
    type: 'Warning',
    reason: 'WebhookDetached',
    note: new RegExp(`^detached portal ${removed} in region us because spec no longer wants it`),
  });
});

describe('a token of another organization replaces the token', () => {
  test('and spec names a portal there: it is attached before the old one is detached', async () => {
    const { blue, green } = environment();
    const one = await readyFixture('to-green');
    const [there = ''] = green.portals.us;
    const token = one.newToken('full', green);
    environment().clearCalls();
    await environment().apply(
      secret(one.tokenSecret, { token }),
      forwarding(one.name, {
        konnect: one.konnect(),
        destination: { secretRef: { name: one.siemSecret } },
        portals: [{ id: there }],
        interval: '24h',
      }),
    );
    const { status } = await environment().waitFor(
      one.name,
      (now) => isReady(now) && now.status.konnect?.organizationID === green.id,
    );
    expect(status.cleanup).toBeUndefined();
    const [made, ...more] = inOrganization(green, one).destinations;
    expect(more).toEqual([]);
    expect(status.destination?.id).toBe(made?.id);
    expect(inOrganization(green, one).webhookOf(there)).toMatchObject(attachedTo(made?.id));
    expect(inOrganization(blue, one).destinations).toEqual([]);
    expect(one.portalWebhook()).toMatchObject(nothing);
    const writes = environment()
      .services.konnect.control.calls()
      .filter(({ token: used, method }) => method !== 'GET' && [token, one.token].some((text) => text.endsWith(used)));
    expect(
      writes.map(({ token: used, operation }) => `${token.endsWith(used) ? 'green' : 'blue'} ${operation ?? ''}`),
    ).toEqual([
      'green create-audit-log-destination',
      'green update-portal-audit-log-webhook',
      'blue delete-portal-audit-log-webhook',
      'blue delete-audit-log-destination',
    ]);
    await environment().remove(one.name);
    expect(inOrganization(green, one).destinations).toEqual([]);
    expect(inOrganization(green, one).webhookOf(there)).toMatchObject(nothing);
  });

  test('while no operator runs: Ready names what is left in which organization, until the token is restored or the entries are removed', async () => {
    const { blue, green } = environment();
    const one = await readyFixture('to-green-unseen');
    const [before] = one.destinations();
    const [there = ''] = green.portals.us;
    await environment().stopOperator();
    await one.applyToken(one.newToken('full', green));
    await one.applyForwarding({ portals: [{ id: there }] });
    await environment().startOperator();
    const says = [`portal ${one.portals[0] ?? '?'} in region us`, `in organization ${blue.id} because`, 'Retain'];
    await expectProblem(environment(), one.name, { reason: 'LeftBehind', mark: 'Stalled', says });
    expect(inOrganization(green, one).webhookOf(there)).toMatchObject({ enabled: true });
    expect(one.destinations()).toEqual([before]);
    expect(one.portalWebhook()).toMatchObject(attachedTo(before?.id));

    await one.applyToken();
    await one.applyForwarding();
    await environment().waitFor(one.name, (now) => isReady(now) && now.status.konnect?.organizationID === blue.id);
    expect(inOrganization(green, one).destinations).toEqual([]);
    expect(inOrganization(green, one).webhookOf(there)).toMatchObject(nothing);
    expect(one.destinations()).toMatchObject([{ id: before?.id }]);

    await environment().stopOperator();
    await one.applyToken(one.newToken('full', green));
    await one.applyForwarding({ portals: [{ id: there }] });
    await environment().startOperator();
    await expectProblem(environment(), one.name, { reason: 'LeftBehind', mark: 'Stalled', says });
    await environment().patch(one.name, { spec: { deletionPolicy: 'Retain' } });
    const { status } = await environment().waitForReady(one.name);
    expect(status.cleanup).toBeUndefined();
    await expectEvent(environment(), one.name, {
      type: 'Warning',
      reason: 'LeftBehind',
      note: `gave up portal ${one.portals[0] ?? '?'} in region us in organization ${blue.id} without cleaning up`,
    });
    expect(one.portalWebhook()).toMatchObject(attachedTo(before?.id));
  });
});

const wipe = ({ name }: Fixture) =>
  environment().kubectl(['patch', 'alf', name, '--subresource=status', '--type=merge', '-p', '{"status":null}']);

describe('a user empties the status', () => {
  test('and the operator finds everything again, with no second destination and no interruption', async () => {
    const one = await readyFixture('wiped', undefined, { portals: 2 });
    const id = destinationID(one);
    const writes = one.writes().length;
    await wipe(one);
    const { status } = await environment().waitForReady(one.name);
    expect(status).toMatchObject({
      destination: { id, managed: true },
      portals: one.portals.toSorted().map((portal) => ({ id: portal, destinationID: id, state: 'on' })),
      portalsReady: '2/2',
    });
    const emptied = environment()
      .history(one.name)
      .filter(({ object }) => object.status.observedGeneration === -1);
    expect(emptied).not.toEqual([]);
    expect(one.writes().slice(writes)).toEqual(['update-audit-log-destination']);
    expect(one.destinations()).toMatchObject([{ id }]);
    await environment().remove(one.name);
    expect(one.destinations()).toEqual([]);
    expect([0, 1].map((index) => one.portalWebhook(index))).toMatchObject([nothing, nothing]);
  });

  test('of a forwarding with an inline webhook, and the operator restarts', async () => {
    const one = await fixture('wiped-inline', { region: 'eu' });
    await one.apply({ konnect: one.konnect({ auditLogsAPI: 'v2' }), organization: {}, portals: [] });
    const { status: before } = await environment().waitForReady(one.name);
    await environment().stopOperator();
    await wipe(one);
    await environment().startOperator();
    const { status } = await environment().waitForReady(one.name);
    expect(status.organization).toMatchObject({
      api: 'v2',
      state: 'on',
      endpointDigest: before.organization?.endpointDigest,
    });
    expect(one.writes()).toEqual(['update-audit-log-webhook', 'update-audit-log-webhook']);
    await environment().remove(one.name);
    expect(one.organizationWebhook()).toMatchObject({ enabled: false });
  });

  test('with kubectl delete and apply of a backup, with Retain: the operator adopts the retained objects again', async () => {
    const one = await readyFixture('restored', { deletionPolicy: 'Retain' });
    const id = destinationID(one);
    await environment().remove(one.name);
    await one.apply();
    const { status } = await environment().waitForReady(one.name);
    expect(status.destination).toMatchObject({ id, managed: true });
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'DestinationAdopted',
      note: `adopted destination ${id}, as spec.adoptionPolicy allows`,
    });
    expect(one.writes().filter((write) => write !== 'update-audit-log-destination')).toHaveLength(2);
  });
});

test('kubectl delete -f of Secrets and forwarding while no operator runs: it is deleted after the Secrets are applied again, and a third apply creates it again', async () => {
  const one = await readyFixture('delete-file', undefined, { portals: 2 });
  const items = one.manifests();
  const file = (of: readonly object[]) => ({ input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: of }) });
  await environment().stopOperator();
  await environment().kubectl(['delete', '-f', '-', '--wait=false'], file(items));
  await environment().startOperator();
  await expectProblem(environment(), one.name, {
    reason: 'TokenGone',
    mark: 'Reconciling',
    says: [
      'deletion waits',
      `the Konnect token in Secret ${one.tokenSecret}, key token is missing or invalid`,
      'Retain',
    ],
  });
  expect(one.destinations()).toHaveLength(1);

  await environment().kubectl(['apply', '-f', '-'], file(items.slice(0, 2)));
  await environment().kubectl(['wait', '--for=delete', `alf/${one.name}`, '--timeout=90s']);
  expect(one.destinations()).toEqual([]);
  expect([0, 1].map((index) => one.portalWebhook(index))).toMatchObject([nothing, nothing]);

  await environment().kubectl(['apply', '-f', '-'], file(items));
  await environment().waitForReady(one.name);
  const id = destinationID(one);
  expect([0, 1].map((index) => one.portalWebhook(index))).toMatchObject([attachedTo(id), attachedTo(id)]);
});

test('v2 to v3 and back: the webhook is off only during the switch itself, and an inline endpoint of another client is corrected', async () => {
  const one = await fixture('there-and-back', { organization: environment().green, region: 'eu' });
  const v2 = { konnect: one.konnect({ auditLogsAPI: 'v2' }), organization: {}, portals: [] };
  const v3 = { organization: {}, portals: [] };
  await one.apply(v2);
  await environment().waitForReady(one.name);
  await one.applyForwarding(v3);
  await environment().waitForReady(one.name);
  const id = destinationID(one);
  expect(one.organizationWebhook()).toMatchObject(attachedTo(id));
  await one.applyForwarding(v2);
  await environment().waitForReady(one.name);
  expect(one.organizationWebhook()).toMatchObject({ enabled: true, target: { inline: environment().credentials } });
  expect(one.destinations()).toEqual([]);
  const other = { endpoint: 'https://other.example.com/logs', authorization: 'Bearer other' };
  await setInline(environment(), 'eu', other, environment().green.otherClientToken);
  expect(isReady(await requestReconcile(environment(), one.name))).toBe(true);
  expect(one.organizationWebhook()).toMatchObject({ enabled: true, target: { inline: environment().credentials } });
  await environment().remove(one.name);
  expect(one.organizationWebhook()).toMatchObject({ enabled: false });
});
