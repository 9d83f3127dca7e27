/** Conditions during outages of Konnect, and recovery without a user. */
import { describe, expect, test } from '@jest/globals';
import { freePort } from '../../sandbox/control-plane/ports.ts';
import { startKonnect } from '../../sandbox/konnect/server.ts';
import { eventually } from '../support/eventually.ts';
import { expectEvent, expectLegalHistory, expectProblem, isAnswered } from './support/conditions.ts';
import { createEnvironment } from './support/environment.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { forwarding } from './support/manifests.ts';
import { oneEnvironment } from './support/one-environment.ts';
import { seedOf } from './support/organizations.ts';

const { environment, fixture, readyFixture } = oneEnvironment({ prefix: 'outage' });

describe('an outage that ends', () => {
  test('after a 429, the operator waits as long as Retry-After says', async () => {
    const one = await fixture('rate-limited');
    const limited = one.fail({
      kind: 'status',
      status: 429,
      retryAfter: 2,
      match: { operation: 'create-audit-log-destination' },
    });
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'RateLimited',
      mark: 'Reconciling',
      part: 'DestinationReady',
      says: ['HTTP 429', 'the operator waits until 20'],
    });
    limited.remove();
    await environment().waitForReady(one.name);
    const calls = one.calls('create-audit-log-destination');
    expect(calls.filter(({ status }) => status !== 429)).toHaveLength(1);
    const gapsMs = calls.slice(1).map(({ at }, index) => at.getTime() - (calls[index]?.at.getTime() ?? 0));
    expect(gapsMs.length).toBeGreaterThan(0);
    expect(Math.min(...gapsMs)).toBeGreaterThanOrEqual(1_990);
  });

  test('an error of Konnect', async () => {
    const one = await fixture('server-error', { portals: 2 });
    const fault = one.fail({ kind: 'status', status: 503, match: { path: `/v3/portals/${one.portals[1] ?? ''}/*` } });
    await one.apply();
    const object = await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      part: 'WebhooksReady',
      says: [`portal ${one.portals[1] ?? ''}`, 'HTTP 503', 'the operator retries', 'status page'],
    });
    expect(object.status.portalsReady).toBe('1/2');
    const failed = (await environment().operator().output()).split('\n').find((line) => line.includes('"status":503'));
    expect(JSON.parse(failed ?? '{}')).toMatchObject({
      message: 'request to Konnect failed',
      namespace: environment().namespace,
      name: one.name,
      region: 'us',
    });
    fault.remove();
    await environment().waitForReady(one.name);
    expect(one.calls('create-audit-log-destination')).toHaveLength(1);
  });

  test('an answer that does not come from Konnect', async () => {
    const one = await fixture('not-konnect');
    const fault = one.fail({
      kind: 'status',
      status: 200,
      body: 'html',
      match: { operation: 'get-audit-log-destinations' },
    });
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'UnexpectedAnswer',
      mark: 'Reconciling',
      part: 'DestinationReady',
      says: ['(list destinations)', "does not come from Konnect's API", '--konnect-url', 'proxy'],
    });
    expect(one.writes()).toEqual([]);
    fault.remove();
    await environment().waitForReady(one.name);
  });

  test('after a creation without an answer, the operator looks for the destination and does not repeat the creation', async () => {
    const one = await fixture('creating');
    environment().services.konnect.control.behave({ staleListMs: 60_000 });
    one.fail({ kind: 'drop-after', match: { operation: 'create-audit-log-destination' }, times: 1 });
    await one.apply();
    await expectProblem(environment(), one.name, {
      reason: 'Creating',
      mark: 'Reconciling',
      part: 'DestinationReady',
      says: [`"${one.destinationName}"`, 'answer was lost', 'looks for it before it creates another one'],
    });
    environment().services.konnect.control.behave({ staleListMs: 0 });
    await environment().waitForReady(one.name);
    expect(one.calls('create-audit-log-destination')).toHaveLength(1);
    const [made] = one.destinations();
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'DestinationFound',
      note: new RegExp(made?.id ?? '-'),
    });
  });

  test('a repeated creation leaves no duplicate', async () => {
    const one = await fixture('repeated');
    const { control } = environment().services.konnect;
    control.behave({ staleListMs: 60_000, duplicateNames: 'allowed' });
    const lost = one.fail({ kind: 'drop-after', match: { operation: 'create-audit-log-destination' } });
    await one.apply();
    await eventually(() => expect(lost.hits()).toBe(2), { timeoutMs: 90_000 });
    const [oldest] = one.destinations();
    control.behave({ staleListMs: 0 });
    await environment().waitForReady(one.name);
    expect(one.destinations()).toEqual([oldest]);
    expect(one.portalWebhook()).toMatchObject({ enabled: true, target: { id: oldest?.id } });
    await expectEvent(environment(), one.name, {
      type: 'Normal',
      reason: 'DuplicateDeleted',
      note: new RegExp(`a duplicate of ${oldest?.id ?? '-'} that no webhook used`),
    });
  });

  test('Ready stays True if spec is applied, and becomes False after a change of spec', async () => {
    const one = await readyFixture('outage');
    const fault = one.fail({ kind: 'status', status: 500 });
    await environment().restartOperator();
    await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      ready: 'True',
      says: ['HTTP 500'],
    });
    await environment().patch(one.name, { spec: { destination: { logFormat: 'cps' } } });
    await expectProblem(environment(), one.name, {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      says: ['HTTP 500'],
    });
    fault.remove();
    await environment().waitForReady(one.name);
    expect(one.destinations()).toMatchObject([{ logFormat: 'cps' }]);
  });
});

test('the operator waits for a Konnect that cannot be reached, and continues when it can', async () => {
  const port = await freePort();
  const flags = [`--konnect-url=http://127.0.0.1:${String(port)}/{region}`];
  const away = await createEnvironment({ prefix: 'unreachable', flags });
  try {
    await away.applySecrets();
    await away.apply(forwarding('sumologic', { portals: [{ id: away.blue.portals.us[0] }], interval: '24h' }));
    await expectProblem(away, 'sumologic', {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      part: 'DestinationReady',
      says: ['cannot reach Konnect', 'DNS, the firewall, the proxy', 'spec.konnect.region'],
    });
    const konnect = await startKonnect({ port, seed: seedOf([away.blue, away.green]) });
    try {
      const { status } = await away.waitForReady('sumologic');
      expect(status.portalsReady).toBe('1/1');
    } finally {
      await konnect.stop();
    }
    // Nothing has changed since the last success, so Ready stays True.
    await away.restartOperator();
    await expectProblem(away, 'sumologic', {
      reason: 'KonnectUnavailable',
      mark: 'Reconciling',
      ready: 'True',
      says: ['cannot reach Konnect'],
    });
    expectLegalHistory(away, 'sumologic');
  } finally {
    await away.stop();
  }
});

test('the first status says that the operator is applying spec', async () => {
  const one = await fixture('first-pass');
  await one.apply();
  await environment().waitForReady(one.name);
  // Read from the watch: it shows every state, however busy the machine is.
  const object = environment()
    .history(one.name)
    .map((event) => event.object)
    .find(isAnswered);
  if (object === undefined) throw new Error('the watch did not show any status');
  expect(conditionOf(object, 'Ready')).toMatchObject({ status: 'False', reason: 'Applying' });
  expect(conditionOf(object, 'Reconciling')).toMatchObject({ status: 'True', reason: 'Applying' });
  expect(conditionOf(object, 'Reconciling')?.message).toContain(`destination "${one.destinationName}"`);
  expect(object.status.destination?.creating).toMatchObject({ name: one.destinationName });
  expect(object.metadata.finalizers).toEqual(['konnect-audit-log.io/cleanup']);
});
