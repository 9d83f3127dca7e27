/** Changes of spec: the operator attaches the new, detaches the old, and records in status what it cannot detach yet. */
import { describe, expect, test } from '@jest/globals';
import type { Webhook } from '../../sandbox/konnect/model.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectProblem } from './support/conditions.ts';
import { type Fixture, nothing } from './support/fixture.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { secret } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'moving' });

function destinationID(one: Fixture): string {
  const [destination, ...more] = one.destinations();
  if (destination === undefined || more.length > 0) throw new Error('there is not exactly one destination');
  return destination.id;
}

const attachedTo = (id: string) => ({ enabled: true, target: { kind: 'destination', id } });

/** Returns the webhook of a portal that several fixtures use, one after another. */
function euWebhook(index: number): Webhook {
  const { model } = environment().services.konnect;
  const portal = model.organizations
    .get(environment().blue.id)
    ?.portals.get(environment().blue.portals.eu[index] ?? '');
  if (portal === undefined) throw new Error('there is no such portal');
  return portal.webhook;
}

const toEU = (one: Fixture, index: number) => ({
  konnect: one.konnect({ region: 'eu' }),
  portals: [{ id: environment().blue.portals.eu[index] ?? '' }],
});

describe('within one region', () => {
  test('a portal that leaves spec is detached, and the others stay attached', async () => {
    const one = await readyFixture('fewer-portals', undefined, { portals: 3 });
    const [kept = '', removed = '', alsoKept = ''] = one.portals;
    const id = destinationID(one);
    await one.applyForwarding({ portals: [{ id: kept }, { id: alsoKept }] });
    const { status } = await environment().waitForReady(one.name);
    expect(status.portals?.map((portal) => portal.id)).toEqual([kept, alsoKept].toSorted());
    expect(status.portalsReady).toBe('2/2');
    expect(status.cleanup).toBeUndefined();
    expect(one.portalWebhook(0)).toMatchObject(attachedTo(id));
    expect(one.portalWebhook(1)).toMatchObject(nothing);
    expect(one.portalWebhook(2)).toMatchObject(attachedTo(id));
    await expectEvent(environment(), one.name, {
      type: 'Warning',
      reason: 'WebhookDetached',
      note: new RegExp(`^detached portal ${removed} in region us because spec no longer wants it`),
    });
    await one.applyForwarding();
    await environment().waitForReady(one.name);
    expect(one.portalWebhook(1)).toMatchObject(attachedTo(id));
  });

  test('the organization is added and removed', async () => {
    const one = await readyFixture('organization', undefined, { organization: environment().green });
    const id = destinationID(one);
    await one.applyForwarding({ organization: {} });
    expect((await environment().waitForReady(one.name)).status.organization).toMatchObject({
      state: 'on',
      destinationID: id,
    });
    expect(one.organizationWebhook()).toMatchObject(attachedTo(id));
    await one.applyForwarding({ organization: { enabled: false } });
    expect((await environment().waitForReady(one.name)).status.organization).toMatchObject({ state: 'off' });
    expect(one.organizationWebhook()).toMatchObject({ ...attachedTo(id), enabled: false });
    await one.applyForwarding();
    expect((await environment().waitForReady(one.name)).status.organization).toBeUndefined();
    expect(one.organizationWebhook()).toMatchObject(nothing);
    await environment().remove(one.name);
  });

  test('the destination is renamed, not created again', async () => {
    const one = await readyFixture('renamed');
    const id = destinationID(one);
    await one.applyForwarding({ destination: { secretRef: { name: one.siemSecret }, name: 'the new name' } });
    expect((await environment().waitForReady(one.name)).status.destination).toMatchObject({ id, name: 'the new name' });
    expect(one.destinations()).toEqual([]);
    expect(one.destinations('the new name')).toMatchObject([{ id }]);
    expect(one.writes()).toEqual([
      'create-audit-log-destination',
      'update-portal-audit-log-webhook',
      'update-audit-log-destination',
    ]);
  });

  test('another Secret of the SIEM is applied to the same destination', async () => {
    const one = await readyFixture('other-secret');
    const id = destinationID(one);
    const fresh = environment().newCredentials();
    await environment().apply(secret('other-siem', { url: fresh.endpoint, header: fresh.authorization }));
    const secretRef = { name: 'other-siem', endpointKey: 'url', authorizationKey: 'header' };
    await one.applyForwarding({ destination: { secretRef } });
    await environment().waitForReady(one.name);
    expect(one.destinations()).toMatchObject([{ id, ...fresh }]);
  });
});

describe('auditLogsAPI', () => {
  test('from v3 to v2 and back, the organization’s webhook is on in the requested view, and off in the other', async () => {
    const one = await fixture('api');
    await one.apply({ organization: {} });
    await environment().waitForReady(one.name);
    const id = destinationID(one);
    expect(one.organizationWebhook()).toMatchObject(attachedTo(id));

    const v2 = { konnect: one.konnect({ auditLogsAPI: 'v2' }), organization: {} };
    await one.applyForwarding(v2);
    expect((await environment().waitForReady(one.name)).status).toMatchObject({
      organization: { api: 'v2', state: 'on' },
    });
    const inline = { enabled: true, target: { kind: 'inline', inline: environment().credentials } };
    expect(one.organizationWebhook()).toMatchObject(inline);
    expect(destinationID(one)).toBe(id);

    await one.applyForwarding({ ...v2, portals: [] });
    expect((await environment().waitForReady(one.name)).status.destination).toBeUndefined();
    expect(one.organizationWebhook()).toMatchObject(inline);
    expect(one.destinations()).toEqual([]);

    await one.applyForwarding({ organization: {} });
    expect((await environment().waitForReady(one.name)).status).toMatchObject({
      organization: { api: 'v3', state: 'on' },
    });
    expect(one.organizationWebhook()).toMatchObject(attachedTo(destinationID(one)));
    expect(one.portalWebhook()).toMatchObject(attachedTo(destinationID(one)));
    await environment().remove(one.name);
    expect(one.organizationWebhook()).toMatchObject(nothing);
  });
});

describe('to another region', () => {
  test('attaches there, then detaches here, with the same destination', async () => {
    const one = await readyFixture('region', undefined, { portals: 2 });
    const id = destinationID(one);
    const before = one.calls().length;
    await one.applyForwarding(toEU(one, 0));
    const { status } = await environment().waitForReady(one.name);
    expect(status).toMatchObject({ konnect: { region: 'eu' }, portalsReady: '1/1', destination: { id } });
    expect(status.cleanup).toBeUndefined();
    expect(euWebhook(0)).toMatchObject(attachedTo(id));
    expect([one.portalWebhook(0), one.portalWebhook(1)]).toMatchObject([nothing, nothing]);
    const writes = one
      .calls()
      .slice(before)
      .filter(({ method }) => method !== 'GET');
    expect(writes.map(({ region, method }) => `${method} ${region}`)).toEqual(['PATCH eu', 'DELETE us', 'DELETE us']);
    await environment().remove(one.name);
  });

  test('status records what cannot be detached in the old region, across restarts, until it can', async () => {
    const one = await readyFixture('region-down');
    const [portal = ''] = one.portals;
    const id = destinationID(one);
    const down = one.fail({ kind: 'status', status: 503, match: { region: 'us' } });
    await one.applyForwarding(toEU(one, 0));
    const left = {
      api: 'v3',
      kind: 'portal',
      region: 'us',
      id: portal,
      destinationID: id,
      organizationID: environment().blue.id,
    };
    const says = [`portal ${portal} in region us`, 'HTTP 503'];
    const object = await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      says,
    });
    expect(object.status.cleanup).toEqual([left]);
    expect(conditionOf(object, 'WebhooksReady')).toMatchObject({ status: 'True' });
    expect(euWebhook(0)).toMatchObject(attachedTo(id));

    const asked = one.calls().length;
    await environment().restartOperator();
    await eventually(() =>
      expect(
        one
          .calls()
          .slice(asked)
          .some(({ region }) => region === 'us'),
      ).toBe(true),
    );
    expect((await environment().forwarding(one.name)).status.cleanup).toEqual([left]);
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));

    down.remove();
    expect((await environment().waitForReady(one.name)).status.cleanup).toBeUndefined();
    expect(one.portalWebhook()).toMatchObject(nothing);
    await environment().remove(one.name);
    expect(euWebhook(0)).toMatchObject(nothing);
  });

  test('and back, before the old region was detached: the operator uses the old webhook again', async () => {
    const one = await readyFixture('region-and-back');
    const id = destinationID(one);
    const down = one.fail({ kind: 'status', status: 503, match: { region: 'us' } });
    await one.applyForwarding(toEU(one, 1));
    await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      says: ['region us'],
    });
    expect(euWebhook(1)).toMatchObject(attachedTo(id));
    await one.applyForwarding();
    down.remove();
    const { status } = await environment().waitForReady(one.name);
    expect(status).toMatchObject({ konnect: { region: 'us' }, portals: [{ id: one.portals[0], state: 'on' }] });
    expect(status.cleanup).toBeUndefined();
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));
    expect(euWebhook(1)).toMatchObject(nothing);
    await environment().remove(one.name);
  });

  test('and deleted before the old region was detached: both are detached', async () => {
    const one = await readyFixture('region-and-gone');
    const id = destinationID(one);
    const down = one.fail({ kind: 'status', status: 503, match: { region: 'us' } });
    await one.applyForwarding(toEU(one, 1));
    await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      says: ['region us'],
    });
    await environment().kubectl(['delete', 'alf', one.name, '--wait=false']);
    await eventually(() => expect(euWebhook(1)).toMatchObject(nothing));
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));
    expect(one.destinations()).toHaveLength(1);
    down.remove();
    await environment().kubectl(['wait', '--for=delete', `alf/${one.name}`, '--timeout=90s']);
    expect(one.portalWebhook()).toMatchObject(nothing);
    expect(one.destinations()).toEqual([]);
  });
});

test('two organizations, two regions and three tokens do not affect each other', async () => {
  const all = [
    await fixture('side-blue-us', { portals: 2 }),
    await fixture('side-blue-eu', { region: 'eu' }),
    await fixture('side-green-eu', { region: 'eu', organization: environment().green }),
  ];
  await Promise.all(all.map((one) => one.apply(one.name === 'side-blue-us' ? {} : { organization: {} })));
  const objects = await Promise.all(all.map(({ name }) => environment().waitForReady(name)));
  const owners = [environment().blue, environment().blue, environment().green].map(({ id }) => id);
  expect(objects.map(({ status }) => status.konnect?.organizationID)).toEqual(owners);
  for (const one of all) {
    const id = destinationID(one);
    for (const index of one.portals.keys()) expect(one.portalWebhook(index)).toMatchObject(attachedTo(id));
    expect(new Set(one.calls().map(({ region }) => region))).toEqual(
      new Set(['global', one.name === 'side-blue-us' ? 'us' : 'eu']),
    );
  }
  expect(all.slice(1).map((one) => one.organizationWebhook())).toMatchObject(
    all.slice(1).map((one) => attachedTo(destinationID(one))),
  );
  const [first, second, third] = all;
  await environment().kubectl(['delete', 'alf', second?.name ?? '', '--timeout=90s']);
  expect(second?.destinations()).toEqual([]);
  expect([first?.destinations(), third?.destinations()]).toMatchObject([[{}], [{}]]);
});
