/** The calls and writes of a fleet grow with the number of its forwardings and portals, and not faster. */
import { describe, expect, test } from '@jest/globals';
import { createDestination, currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Fleet, inSync, type OperatorInMemory } from './fleet.ts';

const portals = 3;
/** The number of requests of their own that forwardings send before one of them requests a list. */
const alone = 10;

async function open(forwardings: number) {
  const fleet = await Fleet.openEmpty([{ forwardings, portals }]);
  const clock = new ManualClock();
  const start = () => fleet.start({ clock });
  /** Resolves when all are done with what `act` has enqueued. They have waited in the queue for two seconds. */
  const during = async (operator: OperatorInMemory, act: () => void) => {
    fleet.clearCounts();
    act();
    clock.advance(2_000);
    await eventually(() => expect(operator.isIdle).toBe(true), { timeoutMs: 120_000 });
    return fleet.count(({ operation, query }) => `${operation}${query.includes('filter') ? ' by name' : ''}`);
  };
  return { fleet, start, during };
}

describe.each([20, 120])('%i forwardings of one organization with 3 portals each', (count) => {
  test('cost a fixed number of calls each to create, rotate, restart and delete', async () => {
    const { fleet, start, during } = await open(count);
    await using _ = fleet;
    const pages = Math.ceil(count / 100);
    const operator = await start();

    expect(await during(operator, () => fleet.createAll())).toEqual({
      'get-organizations-me': 1,
      'get-audit-log-destinations by name': alone,
      'get-audit-log-destinations': 1,
      'get-portal-audit-log-webhook': count * portals,
      'create-audit-log-destination': count,
      'update-portal-audit-log-webhook': count * portals,
    });
    expect(fleet.readiness(0)).toEqual({ [inSync]: count });
    // The finalizer, the pending creation with its webhooks, and the outcome.
    expect(fleet.cluster.writes).toBe(3 * count);
    // A destination created, all portals attached, in sync.
    expect(fleet.cluster.announcements).toHaveLength(3 * count);

    expect(await during(operator, () => fleet.rotate('Bearer of tomorrow'))).toEqual({
      'get-audit-log-destination': alone,
      'get-audit-log-destinations': pages,
      'get-portal-audit-log-webhook': count * portals,
      'get-portal-audit-log-webhook-status': count * portals,
      'update-audit-log-destination': count,
    });
    expect(fleet.readiness(0)).toEqual({ [inSync]: count });

    const restarted = await start();
    expect(await during(restarted, () => undefined)).toEqual({
      'get-organizations-me': 1,
      'get-audit-log-destinations': pages,
      'get-portal-audit-log-webhook': count * portals,
    });
    expect(fleet.cluster.writes).toBe(0);

    expect(await during(restarted, () => fleet.deleteAll())).toEqual({
      'get-portal-audit-log-webhook': count * portals,
      'delete-portal-audit-log-webhook': count * portals,
      'delete-audit-log-destination': count,
    });
    expect(fleet.cluster.objects.size).toBe(0);
  });
});

test('a name that another client has taken is seen in the list that many forwardings share', async () => {
  const { fleet, start, during } = await open(30);
  await using _ = fleet;
  const [organization] = fleet.konnect.model.organizations.values();
  if (organization === undefined) throw new TypeError('no organization');
  const theirs = { name: 'platform/forwarding-0-25', endpoint: 'https://theirs.example.com/logs' };
  const settings = { authorization: 'theirs', logFormat: 'cef', skipSSLVerification: false } as const;
  createDestination(fleet.konnect.model, organization, { ...settings, ...theirs });

  const calls = await during(await start(), () => fleet.createAll());
  expect(calls).toMatchObject({ 'create-audit-log-destination': 29, 'get-audit-log-destinations': 1 });
  expect(fleet.readiness(0)).toEqual({ [inSync]: 29, 'False NameInUse Stalled': 1 });
  expect(currentDestinations(organization)).toHaveLength(30);
});

test('the event about many webhooks names ten of them', async () => {
  await using fleet = await Fleet.openEmpty([{ forwardings: 1, portals: 13 }]);
  const operator = await fleet.start({});
  fleet.createAll();
  await eventually(() => {
    expect(fleet.readiness(0)).toEqual({ [inSync]: 1 });
    expect(operator.isIdle).toBe(true);
  });
  const notes = fleet.cluster.announcements
    .filter(({ reason }) => reason === 'WebhookAttached')
    .map(({ note }) => note);
  expect(notes).toEqual([
    expect.stringMatching(/^(portal [\w-]+, ){9}portal [\w-]+ and 3 more webhooks forward to destination [\w-]+$/),
  ]);
});
