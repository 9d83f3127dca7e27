/** Many forwardings of several organizations: their calls to Konnect together, and that an outage of one does not affect another. */
import { describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { Fleet, inSync, type OperatorInMemory, portalID, tokenOf } from './fleet.ts';

const roomy = { qps: 1_000, burst: 100_000 };

const isWrite = ({ method }: { method: string }) => (method === 'GET' ? undefined : 'writes');

describe('after a restart, 1,000 forwardings of 5 organizations with 2 tokens each', () => {
  test('cost one read for each token and webhook, one list for each organization and page, no write and no 429', async () => {
    await using fleet = await Fleet.open(Array.from({ length: 5 }, () => ({ forwardings: 200, tokens: 2 })));
    // A limit like that of Konnect, per second. A fleet without limits of its own exceeds it: see the next test.
    const limit = fleet.konnect.control.fail({ kind: 'rate-limit', requests: 150, windowMs: 1_000 });
    const operator = await fleet.start({ budget: { qps: 100, burst: 20 } });
    await eventually(() => expect(operator.isIdle).toBe(true), { timeoutMs: 200_000, everyMs: 50 });

    expect(limit.hits()).toBe(0);
    expect(operator.reconciliations).toEqual({ requeue: 1_000 });
    expect(fleet.count(isWrite)).toEqual({});
    expect([fleet.cluster.writes, fleet.cluster.statuses]).toEqual([0, []]);
    expect(fleet.count(({ operation }) => operation)).toEqual({
      'get-organizations-me': 10,
      'get-audit-log-destinations': 5 * 2,
      'get-portal-audit-log-webhook': 1_000,
    });
    const lists = fleet.konnect.control.calls().filter(({ operation }) => operation === 'get-audit-log-destinations');
    const byPage = lists.map(({ token, query }) => `${token.slice(0, 3)} ${query}`);
    expect(new Set(byPage).size).toBe(lists.length);
  });
});

test('a fleet without limits of its own exceeds such a limit', async () => {
  await using fleet = await Fleet.open([{ forwardings: 60 }]);
  const limit = fleet.konnect.control.fail({ kind: 'rate-limit', requests: 40, windowMs: 600_000 });
  await fleet.start({});
  await eventually(() => expect(limit.hits()).toBeGreaterThan(5));
});

test('an organization that does not answer does not occupy the workers and connections of another one', async () => {
  await using fleet = await Fleet.open([{ forwardings: 100 }, { forwardings: 1 }]);
  const hung = fleet.konnect.control.fail({ kind: 'latency', ms: 600_000, match: { token: tokenOf(0, 0) } });
  const operator = await fleet.start({ budget: roomy, maxInWork: 4, concurrency: 8, timeoutMs: 60_000 });
  await eventually(() => expect(hung.hits()).toBeGreaterThan(0));
  const edit = (format: 'json' | 'cps') =>
    fleet.cluster.edit(
      (spec) => ({ ...spec, ...(spec.destination && { destination: { ...spec.destination, logFormat: format } }) }),
      'platform/forwarding-1-0',
    );
  edit('json');
  const updates = ({ method, path }: { method: string; path: string }) =>
    method === 'PATCH' && path.includes('destinations') ? 'updates' : undefined;
  await eventually(() => expect(fleet.count(updates)).toEqual({ updates: 1 }));
  edit('cps');
  await eventually(() => expect(fleet.count(updates)).toEqual({ updates: 2 }));
  await eventually(() => expect(fleet.readiness(1)).toEqual({ [inSync]: 1 }));
  // No call of the other organization was answered during this time.
  expect(
    fleet.konnect.control.calls().filter(({ token, status }) => token === tokenOf(0, 0).slice(-4) && status),
  ).toEqual([]);
  expect(operator.queue.inWorkSize).toBeGreaterThan(0);
});

test('four requests are in flight for each place of the queue', async () => {
  await using fleet = await Fleet.openEmpty([{ forwardings: 10, portals: 5 }]);
  fleet.createAll();
  const match = { operation: 'get-portal-audit-log-webhook' } as const;
  const hung = fleet.konnect.control.fail({ kind: 'latency', ms: 600_000, match });
  await fleet.start({ budget: roomy, maxInWork: 8 });
  await eventually(() => expect(hung.hits()).toBe(4 * 8));
});

/** Advances the clock in steps. Each step waits until the work of the previous one has ended. */
async function advance(operator: OperatorInMemory, clock: ManualClock, forMs: number, stepMs: number): Promise<void> {
  for (let ms = 0; ms < forMs; ms += stepMs) {
    clock.advance(stepMs);
    await eventually(() => expect(operator.isIdle).toBe(true), { everyMs: 1 });
  }
}

describe('a hundred forwardings of one organization', () => {
  async function setUp() {
    const fleet = await Fleet.open([{ forwardings: 100 }]);
    const clock = new ManualClock();
    const start = () => fleet.start({ budget: roomy, clock });
    return { fleet, clock, start };
  }

  test('send few requests during an outage of Konnect, report it once, and recover with it', async () => {
    const { fleet, clock, start } = await setUp();
    await using _ = fleet;
    const outage = fleet.konnect.control.fail({ kind: 'status', status: 503, match: { region: 'us' } });
    const operator = await start();
    await advance(operator, clock, 600_000, 1_000);
    expect(fleet.readiness(0)).toEqual({ 'True InSync Reconciling': 100 });
    // The calls under way at the failure, and then single probes: after 1 s, doubling to 30 s, with jitter of up to one half.
    expect(outage.hits()).toBeLessThan(4 + 8 + 6 + 600 / 15);
    expect(outage.hits()).toBeGreaterThan(10);
    outage.remove();
    await advance(operator, clock, 600_000, 1_000);
    expect(fleet.readiness(0)).toEqual({ [inSync]: 100 });
    expect(fleet.cluster.statuses).toHaveLength(200);
    expect(fleet.count(isWrite)).toEqual({});
  });

  test('all obey the Retry-After that one of them received', async () => {
    const { fleet, clock, start } = await setUp();
    await using _ = fleet;
    const once = { times: 1, match: { path: `/v3/portals/${portalID(0, 7)}/*` } };
    const limited = fleet.konnect.control.fail({ kind: 'status', status: 429, retryAfter: 77, ...once });
    const operator = await start();
    await eventually(() => expect(operator.isIdle).toBe(true));
    expect(limited.hits()).toBe(1);
    const before = fleet.konnect.control.calls().length;
    await advance(operator, clock, 76_000, 1_000);
    expect(fleet.konnect.control.calls()).toHaveLength(before);
    await advance(operator, clock, 60_000, 1_000);
    expect(fleet.readiness(0)).toEqual({ [inSync]: 100 });
    expect(fleet.count(({ status }) => (status === 429 ? 'refused' : undefined))).toEqual({ refused: 1 });
  });

  test.each([401, 403])(
    'ask about a token that is refused with %i once in a while, and write one status each',
    async (status) => {
      const { fleet, clock, start } = await setUp();
      await using _ = fleet;
      const refusal = fleet.konnect.control.fail({ kind: 'status', status, match: { path: '/v3/organizations/me' } });
      const operator = await start();
      await eventually(() => expect(operator.isIdle).toBe(true));
      await advance(operator, clock, 3_600_000, 30_000);
      const passes = operator.reconciliations['requeue'] ?? 0;
      expect(passes).toBeGreaterThanOrEqual(600);
      // 90 to 100 % of the interval, and at first an early resync of those that few others wait with.
      expect(passes).toBeLessThanOrEqual(770);
      expect(operator.reconciliations['retry']).toBeUndefined();
      // At most once a minute for all of them.
      expect(refusal.hits()).toBeLessThanOrEqual(61);
      expect(fleet.count(isWrite)).toEqual({});
    },
  );
});

test('with an interval of 24 hours, forwardings that Konnect refuses something send few requests and recover within 5 minutes', async () => {
  await using fleet = await Fleet.open([
    { forwardings: 1_000, interval: '24h' },
    { forwardings: 100, interval: '24h' },
  ]);
  const clock = new ManualClock();
  const fail = (status: number, match: { token?: string; path?: string }) =>
    fleet.konnect.control.fail({ kind: 'status', status, match });
  const refusals = [fail(401, { token: tokenOf(0, 0) }), fail(403, { token: tokenOf(1, 0), path: '/v3/portals/*' })];
  const operator = await fleet.start({ budget: roomy, clock });
  await eventually(() => expect(operator.isIdle).toBe(true), { timeoutMs: 60_000 });
  for (let count = 0; count < 3; count += 1) {
    fleet.konnect.control.clearCalls();
    await advance(operator, clock, 300_000, 30_000);
    const calls = fleet.count(({ operation }) => operation);
    // At most once a minute for all forwardings of the revoked token.
    const { 'get-organizations-me': ofToken = 0, 'get-portal-audit-log-webhook': ofWebhooks = 0, ...others } = calls;
    expect(ofToken).toBeGreaterThanOrEqual(4);
    expect(ofToken).toBeLessThanOrEqual(5);
    // One for each of about 30 early resyncs of forwardings whose token has no role.
    expect(ofWebhooks).toBeGreaterThanOrEqual(25);
    expect(ofWebhooks).toBeLessThanOrEqual(35);
    expect(others).toEqual({});
  }
  for (const refusal of refusals) refusal.remove();
  await advance(operator, clock, 300_000, 30_000);
  expect([fleet.readiness(0), fleet.readiness(1)]).toEqual([{ [inSync]: 1_000 }, { [inSync]: 100 }]);
  expect(fleet.count(isWrite)).toEqual({});
});
