import { describe, expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { usual } from '../../../support/forwarding-spec.ts';
import { forum, laden, otherSiem, shop, siem } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace, open } = useHarness();
const minuteMs = 60_000;
const twoPortals: SpecChoice = {
  portals: [
    { id: shop, enabled: true },
    { id: forum, enabled: true },
  ],
};

function delivering(harness: Harness): string {
  const { status = '-', reason = '-' } = harness.condition('Delivering') ?? {};
  return `${status} ${reason}`;
}

function statesOf(harness: Harness): Record<string, string> {
  return Object.fromEntries((harness.status.delivery ?? []).map(({ key, state }) => [key, state]));
}

function statusReads(harness: Harness): string[] {
  return harness.calls.filter((call) => call.endsWith('/status'));
}

describe('the status of each webhook is read once in each interval', () => {
  test.each<[string, SpecChoice, readonly string[]]>([
    [
      'v3',
      usual,
      [
        `GET us/v3/portals/${shop}/audit-log-webhook/status`,
        `GET us/v3/portals/${forum}/audit-log-webhook/status`,
        'GET us/v3/audit-log-webhook/status',
      ],
    ],
    ['v2', { api: 'v2', organization: { enabled: true } }, ['GET us/v2/audit-log-webhook/status']],
    [
      'mode Observe',
      { ...twoPortals, mode: 'Observe' },
      [`GET us/v3/portals/${shop}/audit-log-webhook/status`, `GET us/v3/portals/${forum}/audit-log-webhook/status`],
    ],
    [
      'a webhook that is off',
      {
        portals: [
          { id: shop, enabled: false },
          { id: forum, enabled: true },
        ],
      },
      [`GET us/v3/portals/${forum}/audit-log-webhook/status`],
    ],
  ])('%s', async (_title, choice, expected) => {
    const harness = await inPlace({ ...choice, mode: 'Enforce' });
    if (choice.mode !== undefined) {
      const { mode } = choice;
      harness.cluster.edit((spec) => ({ ...spec, mode }));
      await harness.reconcile();
    }
    for (let count = 0; count < 3; count += 1) {
      harness.clearRecords();
      expect(await next(harness, 600_000)).toBe(600_000);
      expect(statusReads(harness).toSorted()).toEqual([...expected].toSorted());
      expect(harness.cluster.writes).toBe(0);
    }
  });
});

test('a new forwarding is not read, and had no attempt yet', async () => {
  const harness = await open(usual);
  await harness.reconcile();
  expect(statusReads(harness)).toEqual([]);
  expect(delivering(harness)).toBe('True NoAttemptYet');
  expect(harness.condition('Delivering')?.message).toBe(
    'Konnect has not tried to deliver anything yet: 3 webhooks without an attempt',
  );
  expect(statesOf(harness)).toEqual({ [shop]: 'NoAttemptYet', [forum]: 'NoAttemptYet', organization: 'NoAttemptYet' });
  expect(harness.reasons).not.toContain('NoAttemptYet');
});

test('deliveries are shown webhook by webhook, with one event for a change of state', async () => {
  const harness = await inPlace(twoPortals);
  attempt(harness, harness.portal(shop), 200);
  await next(harness, 600_000);
  expect(delivering(harness)).toBe('True Delivered');
  expect(harness.condition('Delivering')?.message).toBe(
    'the last attempt of 1 webhook succeeded, and 1 webhook had no attempt yet',
  );
  expect(statesOf(harness)).toEqual({ [shop]: 'Delivered', [forum]: 'NoAttemptYet' });

  attempt(harness, harness.portal(shop), 401);
  await next(harness, 600_000);
  expect(delivering(harness)).toBe('False EndpointRejected');
  expect(harness.readiness).toBe('True InSync');
  expect(harness.condition('Delivering')?.message).toContain(`portal ${shop}: deliveries fail because`);
  expect(harness.status.delivery?.[0]).toMatchObject({ key: shop, state: 'Failing', lastResponseCode: 401 });
  expect(harness.status.delivery?.[0]?.failingSince).toBe(new Date(harness.clock.ms).toISOString());

  attempt(harness, harness.portal(shop), 401);
  attempt(harness, harness.portal(forum), undefined, 'getaddrinfo ENOTFOUND CANARY.example.com');
  await next(harness, minuteMs);
  expect(harness.condition('Delivering')?.message).toContain(`portal ${forum}: deliveries fail because the host of`);

  for (const id of [shop, forum]) attempt(harness, harness.portal(id), 204);
  await next(harness, minuteMs);
  expect(delivering(harness)).toBe('True Delivered');
  const failed = ['EndpointRejected', 'EndpointRejected'];
  expect(harness.reasons).toEqual(['Delivered', ...failed, 'Delivered', 'ReplayAvailable']);
  const types = harness.cluster.announcements.map(({ type }) => type);
  expect(types).toEqual(['Normal', 'Warning', 'Warning', 'Normal', 'Warning']);
});

test('a failing webhook is read sooner, and less and less often, also after a restart', async () => {
  const harness = await inPlace(twoPortals);
  const waits: number[] = [];
  for (let afterMs = 600_000; waits.length < 6; ) {
    if (waits.length === 2) harness.restart();
    attempt(harness, harness.portal(shop), 503);
    afterMs = await next(harness, afterMs);
    waits.push(afterMs / minuteMs);
  }
  expect(waits).toEqual([1, 2, 4, 8, 10, 10]);
  expect(harness.reasons).toEqual(['EndpointRejected']);
});

describe('after a restart', () => {
  test('webhooks that deliver are read at once, and their statuses at a random time in the second half of the interval', async () => {
    const harness = await inPlace(twoPortals);
    for (const id of [shop, forum]) attempt(harness, harness.portal(id), 200);
    await next(harness, 600_000);
    harness.restart();
    harness.random = () => 0.75;
    harness.clearRecords();
    expect(await next(harness, 1_000)).toBe(375_000);
    expect(harness.calls.filter((call) => call.includes('audit-log-webhook'))).toEqual([
      `GET us/v3/portals/${shop}/audit-log-webhook`,
      `GET us/v3/portals/${forum}/audit-log-webhook`,
    ]);
    expect([delivering(harness), harness.cluster.writes]).toEqual(['True Delivered', 0]);
    expect(await next(harness, 375_000)).toBe(555_000);
    expect(statusReads(harness)).toHaveLength(2);
  });

  test.each<[string, (harness: Harness) => void]>([
    ['a user requests the reconciliation', ({ cluster }) => cluster.annotate(reconcileAnnotation, 'now')],
    ['spec has changed', (harness) => harness.cluster.edit((spec) => ({ ...spec, interval: '20m' }))],
  ])('they are read at once if %s', async (_when, change) => {
    const harness = await inPlace(twoPortals);
    for (const id of [shop, forum]) attempt(harness, harness.portal(id), 200);
    await next(harness, 600_000);
    harness.restart();
    change(harness);
    harness.clearRecords();
    await next(harness, 60_000);
    expect(statusReads(harness)).toHaveLength(2);
  });
});

test('nothing is written while only the time of the last attempt changes, for an hour', async () => {
  const harness = await inPlace(twoPortals);
  attempt(harness, harness.portal(shop), 200);
  await next(harness, 600_000);
  const writes: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    harness.clearRecords();
    harness.clock.ms += 300_000;
    attempt(harness, harness.portal(shop), 200);
    await next(harness, 300_000);
    writes.push(harness.cluster.writes);
  }
  expect(writes).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]);
  expect(harness.reasons).toEqual([]);
});

describe('a webhook that is off in spec', () => {
  test('counts for nothing', async () => {
    const harness = await inPlace({
      portals: [
        { id: shop, enabled: true },
        { id: forum, enabled: false },
      ],
    });
    attempt(harness, harness.portal(shop), 200);
    attempt(harness, harness.portal(forum), 503);
    await next(harness, 600_000);
    expect(delivering(harness)).toBe('True Delivered');
    expect(statesOf(harness)).toEqual({ [shop]: 'Delivered', [forum]: 'Off' });
  });

  test('can be the only one', async () => {
    const harness = await inPlace({ portals: [{ id: shop, enabled: false }] });
    expect(harness.condition('Delivering')).toMatchObject({
      status: 'True',
      reason: 'NoAttemptYet',
      message: 'no webhook is on, so that Konnect delivers nothing',
    });
  });
});

test('a webhook that another client switched off is off while the operator only observes', async () => {
  const harness = await inPlace(twoPortals);
  harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' }));
  await harness.reconcile();
  harness.portal(shop).enabled = false;
  await next(harness, 600_000);
  expect(statesOf(harness)).toEqual({ [shop]: 'Off', [forum]: 'NoAttemptYet' });
  expect(harness.readiness).toBe('False Drifted');
});

describe('a status that cannot be read', () => {
  test('for the moment keeps the condition, and becomes Unknown when that lasts', async () => {
    const harness = await inPlace(twoPortals);
    attempt(harness, harness.portal(shop), 200);
    await next(harness, 600_000);
    harness.clearRecords();
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { path: '*/status' } });
    harness.clock.ms += 600_000;
    expect((await harness.reconcile()).kind).toBe('retry');
    expect(delivering(harness)).toBe('True Delivered');
    expect(harness.cluster.writes).toBe(0);
    harness.clock.ms += 30 * minuteMs;
    await harness.reconcile();
    expect(delivering(harness)).toBe('Unknown StatusUnavailable');
    expect(harness.readiness).toBe('True InSync');
    expect(statesOf(harness)).toEqual({ [shop]: 'Delivered', [forum]: 'NoAttemptYet' });
    harness.konnect.control.clearFaults();
    await harness.settle();
    expect(delivering(harness)).toBe('True Delivered');
  });

  test.each([403, 404])('for good (%i) is Unknown, and the forwarding is ready', async (status) => {
    const harness = await inPlace(twoPortals);
    harness.konnect.control.fail({ kind: 'status', status, match: { path: '*/status' } });
    expect(await next(harness, 600_000)).toBe(600_000);
    expect(delivering(harness)).toBe('Unknown StatusUnavailable');
    expect(harness.condition('Delivering')?.message).toContain(`portal ${shop}`);
    expect(harness.readiness).toBe('True InSync');
    expect(harness.reasons).toEqual(['StatusUnavailable']);
    await next(harness, 600_000);
    expect(harness.reasons).toEqual(['StatusUnavailable']);
  });

  test('does not hide a webhook that fails', async () => {
    const harness = await inPlace(twoPortals);
    attempt(harness, harness.portal(shop), 503);
    harness.konnect.control.fail({ kind: 'status', status: 503, match: { path: `*${forum}*/status` } });
    harness.clock.ms += 600_000;
    await harness.reconcile();
    expect(delivering(harness)).toBe('False EndpointRejected');
  });
});

test('the condition is Unknown if the operator cannot look at anything', async () => {
  const harness = await inPlace(twoPortals);
  harness.cluster.secrets.delete('konnect');
  await harness.reconcile();
  expect(harness.condition('Delivering')).toMatchObject({
    status: 'Unknown',
    reason: 'StatusUnavailable',
    message: 'the operator could not look at the deliveries: see Ready',
  });
});

test('the condition stays as it is for a suspended forwarding, and while Konnect is down', async () => {
  const harness = await inPlace(twoPortals);
  attempt(harness, harness.portal(shop), 200);
  await next(harness, 600_000);
  harness.konnect.control.fail({ kind: 'status', status: 503 });
  harness.clock.ms += 600_000;
  await harness.reconcile();
  expect(delivering(harness)).toBe('True Delivered');
  harness.cluster.edit((spec) => ({ ...spec, suspend: true }));
  await harness.reconcile();
  expect(delivering(harness)).toBe('True Delivered');
});

test('a deletion and a move forget what was delivered', async () => {
  const harness = await inPlace({ ...twoPortals, organization: { enabled: true } });
  attempt(harness, harness.webhook(), 200);
  await next(harness, 600_000);
  harness.cluster.edit((spec) => ({
    ...spec,
    konnect: { ...spec.konnect, region: 'eu' },
    portals: [{ id: laden, enabled: true }],
  }));
  await harness.settle();
  const since = new Date(harness.clock.ms).toISOString();
  expect(harness.status.delivery).toEqual([
    { key: laden, state: 'NoAttemptYet', since },
    { key: 'organization', state: 'NoAttemptYet', since },
  ]);
  harness.konnect.control.fail({ kind: 'status', status: 503, match: { method: 'DELETE' } });
  harness.delete();
  await harness.reconcile();
  expect(harness.status.delivery).toBeUndefined();
  expect(harness.condition('Delivering')).toBeUndefined();
});

describe('a failing webhook that Konnect shows as on', () => {
  const shopOnly: SpecChoice = { portals: [{ id: shop, enabled: true }] };

  test('is set again if Konnect makes no more attempts, since it may be switched off', async () => {
    const harness = await inPlace(shopOnly, { switchOffAfter: 2, inactiveWebhook: 'switched-off' });
    const webhook = harness.portal(shop);
    const waits: number[] = [];
    for (let afterMs = 600_000; waits.length < 4; ) {
      if (webhook.isSwitchedOff !== true) for (const code of [503, 503]) attempt(harness, webhook, code);
      afterMs = await next(harness, afterMs);
      if (webhook.isSwitchedOff !== true) waits.push(afterMs / minuteMs);
    }
    expect(waits).toEqual([2, 4, 8, 10]);
    expect(harness.reasons.filter((reason) => reason === 'WebhookSwitchedOn')).toHaveLength(4);
    expect(harness.status.corrections).toBeUndefined();
    expect(harness.readiness).toBe('True InSync');
  });

  test('is set again at once with a new Secret, and on request only without a new attempt', async () => {
    const harness = await inPlace(shopOnly);
    attempt(harness, harness.portal(shop), 503);
    harness.cluster.annotate(reconcileAnnotation, 'first');
    await harness.reconcile();
    expect(harness.konnectWrites).toEqual([]);
    harness.cluster.annotate(reconcileAnnotation, 'second');
    await harness.reconcile();
    expect(harness.konnectWrites).toHaveLength(1);
    attempt(harness, harness.portal(shop), 503);
    harness.cluster.putSecret('siem', otherSiem);
    await harness.reconcile();
    expect(harness.konnectWrites.filter((call) => call.endsWith('/audit-log-webhook'))).toHaveLength(2);
  });

  test('is left as it is while Konnect makes attempts', async () => {
    const harness = await inPlace(shopOnly);
    for (let count = 0; count < 20; count += 1) {
      attempt(harness, harness.portal(shop), 503);
      await next(harness, 300_000);
    }
    expect(harness.konnectWrites).toEqual([]);
    expect(delivering(harness)).toBe('False EndpointRejected');
  });
});

describe('the URL of a SumoLogic source of the kind Auth Header', () => {
  const suspicious = { ...siem, endpoint: 'https://CANARY.us2.sumologic.com/receiver/v1/http' };

  test('is warned of when it is applied, and while deliveries fail', async () => {
    const harness = await open(twoPortals);
    harness.cluster.putSecret('siem', suspicious);
    await harness.settle();
    expect(harness.reasons.filter((reason) => reason === 'EndpointSuspicious')).toHaveLength(1);
    expect(harness.condition('Delivering')?.message).not.toContain('Presigned');
    attempt(harness, harness.portal(shop), 401);
    await next(harness, 600_000);
    expect(harness.condition('Delivering')?.message).toMatch(
      /the endpoint in Secret siem ends in \/receiver\/v1\/http/,
    );
    expect(harness.reasons.filter((reason) => reason === 'EndpointSuspicious')).toHaveLength(1);

    harness.cluster.putSecret('siem', otherSiem);
    await harness.settle();
    expect(harness.condition('Delivering')?.message).not.toContain('/receiver/v1/http');
  });

  test.each(['Enforce', 'Observe'] as const)(
    'is warned of in the destination that spec refers to (%s)',
    async (mode) => {
      const harness = await open({ ...twoPortals, destinationRef: { name: 'theirs' }, mode });
      harness.createForeign('theirs', suspicious.endpoint);
      await harness.work();
      await harness.resync();
      const warnings = harness.cluster.announcements.filter(({ reason }) => reason === 'EndpointSuspicious');
      expect(warnings).toMatchObject([
        { note: expect.stringContaining('the endpoint in destination "theirs" ends in') },
      ]);
      expect(JSON.stringify(harness.cluster.statuses)).not.toContain('CANARY');
    },
  );

  test('is no reason for a warning with a code', async () => {
    const harness = await open(twoPortals);
    harness.cluster.putSecret('siem', { ...siem, endpoint: 'https://CANARY.sumologic.com/receiver/v1/http/CANARY' });
    await harness.settle();
    expect(harness.reasons).not.toContain('EndpointSuspicious');
  });
});
