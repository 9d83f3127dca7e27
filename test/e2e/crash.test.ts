/** The operator ends at any moment, by a crash or a signal. The next operator finds the unfinished work and completes it. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { ActiveFault, FaultRule } from '../../sandbox/konnect/faults.ts';
import { eventually } from '../support/eventually.ts';
import { type Fixture, type FixtureOptions, nothing } from './support/fixture.ts';
import { conditionOf } from './support/forwarding-object.ts';
import { oneEnvironment } from './support/one-environment.ts';

/** With this timeout, the operator waits for a delayed call until it is killed. */
const { environment, fixture, readyFixture } = oneEnvironment({
  prefix: 'crash',
  flags: ['--max-concurrent-reconciles=32', '--konnect-timeout=1m'],
});
const impatient = { flags: ['--konnect-timeout=8s'] };
const heldMs = 120_000;

interface Moment {
  readonly title: string;
  /** Faults in order. The last one delays its call until this operator is killed. */
  readonly faults: readonly FaultRule[];
  readonly options?: FixtureOptions;
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Number of creations of a destination. Default: 1. */
  readonly creations?: number;
}

const hold = (operation: string, more: Partial<FaultRule> = {}): FaultRule => ({
  ...more,
  kind: 'latency',
  ms: heldMs,
  match: { operation },
});
const lose = (operation: string): FaultRule => ({ kind: 'drop-after', match: { operation }, times: 1 });

const creating: readonly Moment[] = [
  { title: 'a read of the organization of the token', faults: [hold('get-organizations-me')] },
  { title: 'a list of destinations', faults: [hold('get-audit-log-destinations')] },
  { title: 'a read of a portal’s webhook', faults: [hold('get-portal-audit-log-webhook')] },
  {
    title: 'the search for a destination that Konnect created without an answer',
    faults: [lose('create-audit-log-destination'), hold('get-audit-log-destinations', { skip: 1 })],
  },
  {
    title: 'the search for a destination whose creation never arrived',
    faults: [
      { kind: 'drop-before', match: { operation: 'create-audit-log-destination' }, times: 1 },
      hold('get-audit-log-destinations', { skip: 1 }),
    ],
    creations: 2,
  },
  { title: 'the attachment of the first portal', faults: [hold('update-portal-audit-log-webhook')] },
  { title: 'the attachment of the second portal', faults: [hold('update-portal-audit-log-webhook', { skip: 1 })] },
  {
    title: 'the second read of a portal that Konnect attached without an answer',
    faults: [lose('update-portal-audit-log-webhook'), hold('get-portal-audit-log-webhook', { skip: 2 })],
  },
  {
    title: 'the attachment of the organization',
    faults: [hold('update-audit-logs-webhook')],
    spec: { organization: {} },
  },
];

const undoing: readonly Moment[] = [
  { title: 'a read of a portal’s webhook', faults: [hold('get-portal-audit-log-webhook')] },
  { title: 'the detachment of the first portal', faults: [hold('delete-portal-audit-log-webhook')] },
  { title: 'the detachment of the second portal', faults: [hold('delete-portal-audit-log-webhook', { skip: 1 })] },
  {
    title: 'the call after a detachment that Konnect executed without an answer',
    faults: [lose('delete-portal-audit-log-webhook'), hold('get-portal-audit-log-webhook', { skip: 2 })],
  },
  { title: 'the deletion of the destination', faults: [hold('delete-audit-log-destination')] },
  {
    title: 'the call after a deletion that Konnect executed without an answer',
    faults: [lose('delete-audit-log-destination'), hold('delete-audit-log-destination')],
  },
];

const titled = (moments: readonly Moment[]) => moments.map((one, index) => ({ ...one, index }));

function expectInPlace(one: Fixture): void {
  const [destination, ...more] = one.destinations();
  expect({ destination, more }).toMatchObject({ destination: environment().credentials, more: [] });
  for (const index of one.portals.keys()) {
    expect(one.portalWebhook(index)).toMatchObject({ enabled: true, target: { id: destination?.id } });
  }
}

/** Applies each moment with its faults. Resolves when all calls of the last faults are delayed. */
async function bringAbout(
  moments: readonly Moment[],
  prefix: string,
  begin: (one: Fixture, moment: Moment) => Promise<unknown>,
): Promise<Fixture[]> {
  const made: Fixture[] = [];
  const held: (ActiveFault | undefined)[] = [];
  for (const [index, moment] of moments.entries()) {
    const one = await fixture(`${prefix}-${String(index)}`, { portals: 2, ...moment.options });
    made.push(one);
    if (prefix === 'undoing') {
      await one.apply(moment.spec);
      await environment().waitForReady(one.name);
    }
    const faults = moment.faults.map((rule) => one.fail(rule));
    held.push(faults.at(-1));
    await begin(one, moment);
  }
  await eventually(() => expect(held.map((fault) => fault?.hits() ?? 0)).not.toContain(0), { timeoutMs: 90_000 });
  return made;
}

describe('killed during a creation, at the moment of', () => {
  let fixtures: Fixture[];

  beforeAll(async () => {
    fixtures = await bringAbout(creating, 'creating', (one, { spec }) => one.apply(spec));
    await environment().stopOperator({ kill: true });
    environment().services.konnect.control.clearFaults();
    await environment().startOperator(impatient.flags);
  });

  test.each(titled(creating))('$title', async ({ index, creations = 1, spec }) => {
    const one = fixtures[index];
    if (one === undefined) throw new Error('there is no such fixture');
    const { status } = await environment().waitForReady(one.name);
    expect(status.destination).not.toHaveProperty('creating');
    expectInPlace(one);
    expect(one.calls('create-audit-log-destination')).toHaveLength(creations);
    const organization = one.organizationWebhook().target;
    expect(
      spec === undefined || (organization.kind === 'destination' && organization.id === status.destination?.id),
    ).toBe(true);
  });
});

describe('killed during a deletion, at the moment of', () => {
  let fixtures: Fixture[];

  beforeAll(async () => {
    await environment().restartOperator();
    fixtures = await bringAbout(undoing, 'undoing', ({ name }) =>
      environment().kubectl(['delete', 'alf', name, '--wait=false']),
    );
    await environment().stopOperator({ kill: true });
    environment().services.konnect.control.clearFaults();
    await environment().startOperator(impatient.flags);
  });

  test.each(titled(undoing))('$title', async ({ index }) => {
    const one = fixtures[index];
    if (one === undefined) throw new Error('there is no such fixture');
    await environment().kubectl(['wait', '--for=delete', `alf/${one.name}`, '--timeout=90s']);
    expect(one.destinations()).toEqual([]);
    for (const portal of one.portals.keys()) {
      expect(one.portalWebhook(portal)).toMatchObject(nothing);
    }
  });
});

test('killed before Konnect creates the destination: the next operator finds it later, and creates no second one', async () => {
  await environment().restartOperator(impatient);
  const one = await fixture('about-to-create');
  const held = one.fail({ kind: 'latency', ms: 5_000, match: { operation: 'create-audit-log-destination' }, times: 1 });
  await one.apply();
  await eventually(() => expect(held.hits()).toBe(1));
  await environment().stopOperator({ kill: true });
  expect(one.destinations()).toEqual([]);
  await environment().startOperator(impatient.flags);
  await environment().waitForReady(one.name);
  expectInPlace(one);
  expect(one.calls('create-audit-log-destination')).toHaveLength(1);
});

test('killed during a rotation: the next operator applies the whole new Secret', async () => {
  await environment().restartOperator();
  const one = await readyFixture('rotating');
  const held = one.fail(hold('update-audit-log-destination'));
  const fresh = environment().newCredentials();
  await one.applySIEM(fresh);
  await eventually(() => expect(held.hits()).toBe(1));
  await environment().stopOperator({ kill: true });
  held.remove();
  await environment().startOperator(impatient.flags);
  await eventually(() => expect(one.destinations()).toMatchObject([fresh]));
});

describe('after SIGTERM', () => {
  async function lastMessage(output: Promise<string>): Promise<unknown> {
    const line: unknown = JSON.parse((await output).trimEnd().split('\n').at(-1) ?? '{}');
    return typeof line === 'object' && line !== null && 'message' in line ? line.message : line;
  }

  test('the operator completes the running reconciliation and loses nothing', async () => {
    await environment().restartOperator();
    const one = await fixture('sigterm', { portals: 2 });
    const held = one.fail({ kind: 'latency', ms: 700, match: { operation: 'update-portal-audit-log-webhook' } });
    await one.apply();
    await eventually(() => expect(held.hits()).toBeGreaterThan(0));
    const operator = environment().operator();
    expect(await environment().stopOperator()).toBe('exited with code 0');
    expect(await lastMessage(operator.output())).toBe('operator stopped');
    expect(conditionOf(await environment().forwarding(one.name), 'Ready')).toMatchObject({ status: 'True' });
    expectInPlace(one);
    const reasons = (await environment().events(one.name)).map(({ reason }) => reason);
    expect(reasons).toEqual(expect.arrayContaining(['DestinationCreated', 'WebhookAttached', 'InSync']));
    await environment().startOperator();
  });

  test('the operator aborts a reconciliation after the grace period, and the next operator completes it', async () => {
    await environment().restartOperator({ flags: ['--grace-period=500ms'] });
    const one = await fixture('sigterm-cut-off', { portals: 2 });
    const held = one.fail(hold('update-portal-audit-log-webhook'));
    await one.apply();
    await eventually(() => expect(held.hits()).toBeGreaterThan(0));
    const operator = environment().operator();
    const askedAt = performance.now();
    expect(await environment().stopOperator()).toBe('exited with code 0');
    expect(performance.now() - askedAt).toBeLessThan(25_000);
    expect(await lastMessage(operator.output())).toBe('operator stopped');
    expect(conditionOf(await environment().forwarding(one.name), 'Reconciling')).toMatchObject({
      status: 'True',
      reason: 'Applying',
    });
    held.remove();
    await environment().startOperator();
    await environment().waitForReady(one.name);
    expectInPlace(one);
  });
});
