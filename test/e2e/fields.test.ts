/** Each field of the resource does what its page in the documents says. */
import { describe, expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../src/api/v1alpha1.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectLegal, expectProblem, isAnswered } from './support/conditions.ts';
import { attachedTo, type Fixture, nothing } from './support/fixture.ts';
import { conditionOf, isReady } from './support/forwarding-object.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { attachPortal, createDestination, otherDestination } from './support/other-client.ts';
import { annotateForReconcile, requestReconcile } from './support/reconciliations.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'fields' });

function only(one: Fixture) {
  const [destination, ...more] = one.destinations();
  if (destination === undefined || more.length > 0) throw new Error('there is not exactly one destination');
  return destination;
}

async function columns(one: Fixture): Promise<string[]> {
  const { stdout } = await environment().kubectl(['get', 'alf', one.name, '--no-headers']);
  return stdout.trim().split(/\s+/).slice(1, 3);
}

describe('suspend', () => {
  test('stops all calls to Konnect, still answers generations and annotations, and corrects everything afterwards', async () => {
    const one = await readyFixture('suspended');
    const before = only(one);
    await environment().patch(one.name, { spec: { suspend: true } });
    const object = await environment().waitFor(one.name, (now) => isAnswered(now) && now.spec.suspend);
    expectLegal(object);
    expect(conditionOf(object, 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'Suspended',
      message: expect.stringContaining('spec.suspend'),
    });
    for (const mark of ['Stalled', 'Reconciling']) expect(conditionOf(object, mark)).toBeUndefined();
    expect(await columns(one)).toEqual(['Unknown', 'Suspended']);
    expect(object.status).toMatchObject({ destination: { id: before.id }, portalsReady: '1/1' });

    const asked = one.calls().length;
    const fresh = environment().newCredentials();
    await one.applySIEM(fresh);
    await environment().asOtherClient('DELETE', `/us/v3/portals/${one.portals[0] ?? ''}/audit-log-webhook`);
    await environment().patch(one.name, { spec: { destination: { logFormat: 'json' } } });
    await requestReconcile(environment(), one.name);
    await environment().restartOperator();
    await requestReconcile(environment(), one.name);
    expect(one.calls()).toHaveLength(asked);

    await environment().patch(one.name, { spec: { suspend: false } });
    await environment().waitForReady(one.name);
    expect(only(one)).toMatchObject({ id: before.id, ...fresh, logFormat: 'json' });
    expect(one.portalWebhook()).toMatchObject(attachedTo(before.id));
  });

  test('from the beginning creates nothing, and deletion follows deletionPolicy', async () => {
    const one = await fixture('suspended-first');
    await one.apply({ suspend: true });
    const object = await environment().waitFor(one.name, isAnswered);
    expect(conditionOf(object, 'Ready')).toMatchObject({ status: 'Unknown', reason: 'Suspended' });
    expect(object.metadata.finalizers).toBeUndefined();
    expect(one.calls()).toEqual([]);
    await environment().patch(one.name, { spec: { suspend: false } });
    await environment().waitForReady(one.name);
    await environment().patch(one.name, { spec: { suspend: true } });
    await environment().waitFor(one.name, (now) => conditionOf(now, 'Ready')?.reason === 'Suspended');
    await environment().remove(one.name);
    expect(one.destinations()).toEqual([]);
    expect(one.portalWebhook()).toMatchObject(nothing);
  });
});

describe('mode: Observe', () => {
  test('from the beginning writes nothing and says what is missing, and Enforce creates it', async () => {
    const one = await fixture('observed-first');
    await one.apply({ mode: 'Observe' });
    const object = await environment().waitFor(one.name, (now) => conditionOf(now, 'Ready')?.reason === 'Drifted');
    expectLegal(object);
    expect(conditionOf(object, 'Ready')).toMatchObject({ status: 'False' });
    expect(object.status.drift).toEqual([
      { object: 'destination', fields: ['missing'] },
      { object: `portal/${one.portals[0] ?? ''}`, fields: ['audit_log_destination_id'] },
    ]);
    expect(object.status.portalsReady).toBe('0/1');
    expect(await columns(one)).toEqual(['False', 'Drifted']);
    expect(one.writes()).toEqual([]);
    await environment().patch(one.name, { spec: { mode: 'Enforce' } });
    const { status } = await environment().waitForReady(one.name);
    expect(status.drift).toBeUndefined();
    expect(one.portalWebhook()).toMatchObject(attachedTo(only(one).id));
  });

  test('reports changes of other clients by field and without values, and changes nothing, also on deletion', async () => {
    const one = await readyFixture('observed', { mode: 'Enforce' }, { portals: 2 });
    const { id } = only(one);
    await environment().patch(one.name, { spec: { mode: 'Observe' } });
    const quiet = await environment().waitForReady(one.name);
    expect(quiet.status.drift).toBeUndefined();
    const writes = one.writes().length;

    const theirs = otherDestination(one.destinationName);
    await environment().asOtherClient('PATCH', `/global/v3/audit-log-destinations/${id}`, {
      body: { ...theirs, log_format: 'json', skip_ssl_verification: true },
    });
    await attachPortal(environment(), one.portals[0] ?? '', id, false);
    const elsewhere = await createDestination(environment(), otherDestination('where observed ones point'));
    await attachPortal(environment(), one.portals[1] ?? '', elsewhere);
    const object = await requestReconcile(environment(), one.name);
    expect(object.status.drift).toEqual([
      { object: 'destination', fields: ['endpoint', 'logFormat', 'skipSSLVerification'] },
      { object: `portal/${one.portals[0] ?? ''}`, fields: ['enabled'] },
      { object: `portal/${one.portals[1] ?? ''}`, fields: ['audit_log_destination_id'] },
    ]);
    expect(conditionOf(object, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'Drifted',
      message: expect.stringContaining('destination (endpoint, logFormat, skipSSLVerification)'),
    });
    expect(JSON.stringify(object)).not.toContain('other.example.com');
    expect(object.status.portalsReady).toBe('0/2');

    await environment().patch(one.name, { spec: { portals: [{ id: one.portals[0] ?? '' }] } });
    const fewer = await environment().waitFor(one.name, (now) => isAnswered(now) && now.spec.portals?.length === 1);
    expect(fewer.status.drift?.map((drift) => drift.object)).toContain(`portal/${one.portals[1] ?? ''}`);
    await environment().remove(one.name);
    expect(one.writes()).toHaveLength(writes);
    expect(one.destinations()).toMatchObject([{ id, endpoint: theirs.endpoint }]);
    expect(one.portalWebhook(1)).toMatchObject(attachedTo(elsewhere));
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'Retained',
      note: new RegExp(`^spec.mode is Observe; still active in Konnect: .*${id}`),
    });
  });

  test('that changes to Enforce corrects everything', async () => {
    const one = await readyFixture('observed-no-more');
    const { id } = only(one);
    await environment().patch(one.name, { spec: { mode: 'Observe' } });
    await environment().waitForReady(one.name);
    await attachPortal(environment(), one.portals[0] ?? '', id, false);
    expect((await requestReconcile(environment(), one.name)).status.drift).toHaveLength(1);
    expect(one.portalWebhook().enabled).toBe(false);
    await environment().patch(one.name, { spec: { mode: 'Enforce' } });
    expect((await environment().waitForReady(one.name)).status.drift).toBeUndefined();
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));
  });

  test('reports other problems beside drift', async () => {
    const one = await fixture('observed-wrong');
    const unknown = '00000000-1111-4222-8333-444444444444';
    await one.apply({ mode: 'Observe', portals: [{ id: unknown }] });
    await expectProblem(environment(), one.name, {
      reason: 'PortalNotFound',
      mark: 'Stalled',
      part: 'WebhooksReady',
      says: [`portal ${unknown}`, 'spec.portals'],
    });
    expect(one.writes()).toEqual([]);
  });
});

describe('destinationRef', () => {
  const made = async (one: Fixture, name = `theirs of ${one.name}`) => ({
    name,
    id: await createDestination(environment(), otherDestination(name)),
  });
  const theirs = (one: Fixture, name: string) => one.destinations(name);

  test.each(['id', 'name'] as const)(
    'by %s attaches to it without a Secret of the SIEM, and never changes or deletes it',
    async (by) => {
      const one = await fixture(`referred-by-${by}`);
      const their = await made(one);
      const [before] = theirs(one, their.name);
      await one.applyToken();
      await one.applyForwarding({ destination: undefined, destinationRef: { [by]: their[by] } });
      const { status } = await environment().waitForReady(one.name);
      expect(status.destination).toMatchObject({ id: their.id, managed: false });
      expect(one.portalWebhook()).toMatchObject(attachedTo(their.id));
      expect(one.writes()).toEqual(['update-portal-audit-log-webhook']);
      await requestReconcile(environment(), one.name);
      await environment().remove(one.name);
      expect(one.writes()).toEqual(['update-portal-audit-log-webhook', 'delete-portal-audit-log-webhook']);
      expect(one.portalWebhook()).toMatchObject(nothing);
      expect(theirs(one, their.name)).toEqual([before]);
    },
  );

  test('that does not exist: the message names it, and it is used when it exists', async () => {
    const one = await fixture('referred-missing');
    const name = 'not there yet';
    await one.applyToken();
    await one.applyForwarding({ destination: undefined, destinationRef: { name } });
    await expectProblem(environment(), one.name, {
      reason: 'DestinationNotFound',
      mark: 'Stalled',
      part: 'DestinationReady',
      says: [`destination "${name}" does not exist`, 'spec.destinationRef'],
    });
    const their = await made(one, name);
    expect(isReady(await requestReconcile(environment(), one.name))).toBe(true);
    expect(one.portalWebhook()).toMatchObject(attachedTo(their.id));
    expect(one.writes()).toEqual(['update-portal-audit-log-webhook']);
  });

  test('by a name of two destinations: the forwarding is Stalled, and the message names both', async () => {
    const one = await fixture('referred-twice');
    environment().services.konnect.control.behave({ duplicateNames: 'allowed' });
    const [first, second] = [await made(one, 'of two'), await made(one, 'of two')];
    await one.applyToken();
    await one.applyForwarding({ destination: undefined, destinationRef: { name: 'of two' } });
    await expectProblem(environment(), one.name, {
      reason: 'DestinationNotFound',
      mark: 'Stalled',
      part: 'DestinationReady',
      says: [first.id, second.id, 'spec.destinationRef.id'],
    });
    expect(one.writes()).toEqual([]);
    await one.applyForwarding({ destination: undefined, destinationRef: { id: second.id } });
    await environment().waitForReady(one.name);
    expect(one.portalWebhook()).toMatchObject(attachedTo(second.id));
  });

  test('in place of destination, and back: the webhooks move each time, and the own destination is deleted and created', async () => {
    const one = await readyFixture('referred-and-back');
    const their = await made(one);
    await one.applyForwarding({ destination: undefined, destinationRef: { id: their.id } });
    await environment().waitForReady(one.name);
    expect(one.portalWebhook()).toMatchObject(attachedTo(their.id));
    expect(one.destinations()).toEqual([]);
    await one.applyForwarding();
    await environment().waitForReady(one.name);
    expect(one.portalWebhook()).toMatchObject(attachedTo(only(one).id));
    expect(theirs(one, their.name)).toHaveLength(1);
    expect(one.writes()).toEqual([
      'create-audit-log-destination',
      'update-portal-audit-log-webhook',
      'update-portal-audit-log-webhook',
      'delete-audit-log-destination',
      'create-audit-log-destination',
      'update-portal-audit-log-webhook',
    ]);
  });
});

test('authorizationScheme precedes the value of the Secret, and a change is applied at once', async () => {
  const one = await fixture('scheme');
  const credential = environment().credentials.authorization.replace('Bearer ', '');
  await one.applyToken();
  await one.applySIEM({ authorization: credential });
  for (const scheme of ['Splunk', 'Bearer', undefined]) {
    const destination = { secretRef: { name: one.siemSecret }, authorizationScheme: scheme };
    await one.applyForwarding({ destination });
    await environment().waitForReady(one.name);
    expect(only(one).authorization).toBe(scheme === undefined ? credential : `${scheme} ${credential}`);
  }
  expect(one.writes()).toEqual([
    'create-audit-log-destination',
    'update-portal-audit-log-webhook',
    'update-audit-log-destination',
    'update-audit-log-destination',
  ]);
});

describe('the annotation that requests a reconciliation', () => {
  test('is answered with its value, and changes of other clients are corrected at once', async () => {
    const one = await readyFixture('demanded');
    const { id } = only(one);
    await attachPortal(environment(), one.portals[0] ?? '', id, false);
    const object = await requestReconcile(environment(), one.name);
    expect(object.status.lastHandledReconcileAt).toBe(object.metadata.annotations?.[reconcileAnnotation]);
    expect(object.metadata.generation).toBe(1);
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));

    // The list is read again, even if it is recent.
    await environment().asOtherClient('PATCH', `/global/v3/audit-log-destinations/${id}`, {
      body: otherDestination(one.destinationName),
    });
    await requestReconcile(environment(), one.name);
    expect(only(one)).toMatchObject(environment().credentials);
  });

  test('is not answered before the requested reconciliation has ended', async () => {
    const one = await readyFixture('demanded-and-awaited');
    const { id } = only(one);
    const moved = await environment().asOtherClient(
      'DELETE',
      `/us/v3/portals/${one.portals[0] ?? ''}/audit-log-webhook`,
    );
    expect(moved.status).toBe(204);
    const held = one.fail({
      kind: 'latency',
      ms: 60_000,
      match: { operation: 'update-portal-audit-log-webhook' },
      times: 1,
    });
    await environment().kubectl(['annotate', 'alf', one.name, `${reconcileAnnotation}=now`, '--overwrite']);
    await eventually(() => expect(held.hits()).toBe(1));
    expect((await environment().forwarding(one.name)).status.lastHandledReconcileAt).toBeUndefined();
    // The next operator finds it unanswered, and reads everything again.
    await environment().restartOperator({ kill: true });
    const answered = await environment().waitFor(one.name, ({ status }) => status.lastHandledReconcileAt === 'now');
    expect(isReady(answered)).toBe(true);
    expect(one.portalWebhook()).toMatchObject(attachedTo(id));
  });

  test('stays open during an outage of Konnect, and is answered without a Secret', async () => {
    const one = await readyFixture('demanded-in-trouble');
    const down = one.fail({ kind: 'status', status: 503 });
    const requested = await annotateForReconcile(environment(), one.name);
    const during = await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      ready: 'True',
      says: ['HTTP 503'],
    });
    expect(during.status.lastHandledReconcileAt).not.toBe(requested);
    down.remove();
    await environment().waitFor(one.name, ({ status }) => status.lastHandledReconcileAt === requested);
    await environment().kubectl(['delete', 'secret', one.siemSecret]);
    await requestReconcile(environment(), one.name);
    const { status, metadata } = await expectProblem(environment(), one.name, {
      reason: 'SecretNotFound',
      mark: 'Reconciling',
      says: [one.siemSecret],
    });
    expect(status.lastHandledReconcileAt).toBe(metadata.annotations?.[reconcileAnnotation]);
  });
});
