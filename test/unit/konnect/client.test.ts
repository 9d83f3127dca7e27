import { describe, expect, test } from '@jest/globals';
import {
  answering,
  body,
  type Client,
  clientOf,
  rejection,
  type Script,
  type SeenRequest,
  scriptedKonnect,
} from './scripted-konnect.ts';

const signal = new AbortController().signal;
const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';
const portal = '3e551b39-227d-4297-b911-e68fd5d77c17';
const nil = '00000000-0000-0000-0000-000000000000';
const destinationJSON = {
  name: 'platform/sumologic',
  endpoint: 'https://siem.example.com/code',
  authorization: 'Bearer siem',
  log_format: 'json',
  skip_ssl_verification: false,
};

function line({ method, path, body: sent }: SeenRequest): unknown[] {
  return sent === undefined ? [method, path] : [method, path, sent];
}

describe('what is sent', () => {
  const everything = { api: 'v3', region: 'us', portalID: undefined } as const;
  const hour = { from: '2026-01-02T03:00:00Z', to: '2026-01-02T04:00:00Z' };
  const attach = { destinationID: id, enabled: true };
  const attachJSON = { audit_log_destination_id: id, enabled: true };
  const inline = { endpoint: body.endpoint, authorization: body.authorization, enabled: true };
  const options = { logFormat: 'cps', skipSSLVerification: true } as const;
  const optionsJSON = { log_format: 'cps', skip_ssl_verification: true };
  test.each<[unknown[], (client: Client) => Promise<unknown>]>([
    [['GET', '/global/v3/organizations/me'], (client) => client.organization(signal)],
    [['GET', `/global/v2/audit-log-destinations/${id}`], (client) => client.getDestination('v2', id, signal)],
    [['POST', '/global/v3/audit-log-destinations', destinationJSON], (c) => c.createDestination('v3', body, signal)],
    [
      ['PATCH', `/global/v3/audit-log-destinations/${id}`, destinationJSON],
      (client) => client.updateDestination('v3', id.toUpperCase(), body, signal),
    ],
    [['DELETE', `/global/v2/audit-log-destinations/${id}`], (client) => client.deleteDestination('v2', id, signal)],
    [['DELETE', `/global/v3/audit-log-destinations/${nil}`], (client) => client.deleteDestination('v3', nil, signal)],
    [['GET', `/eu/v3/portals/${id}`], (client) => client.getPortal('eu', id, signal)],
    [['GET', `/eu/v3/portals/${portal}/audit-log-webhook`], (client) => client.getPortalWebhook('eu', portal, signal)],
    [
      ['PATCH', `/eu/v3/portals/${portal}/audit-log-webhook`, attachJSON],
      (client) => client.updatePortalWebhook('eu', portal, attach, signal),
    ],
    [
      ['DELETE', `/eu/v3/portals/${portal}/audit-log-webhook`],
      (client) => client.deletePortalWebhook('eu', portal, signal),
    ],
    [
      ['GET', `/eu/v3/portals/${portal}/audit-log-webhook/status`],
      (client) => client.getPortalWebhookStatus('eu', portal, signal),
    ],
    [['GET', '/us/v2/audit-log-webhook/status'], (client) => client.getOrganizationWebhookStatus('v2', 'us', signal)],
    [['GET', '/us/v3/audit-log-webhook'], (client) => client.getOrganizationWebhook('us', signal)],
    [
      ['PATCH', '/us/v3/audit-log-webhook', attachJSON],
      (client) => client.updateOrganizationWebhook('us', attach, signal),
    ],
    [['DELETE', '/us/v3/audit-log-webhook'], (client) => client.deleteOrganizationWebhook('us', signal)],
    [['GET', '/us/v2/audit-log-webhook'], (client) => client.getInlineWebhook('us', signal)],
    [
      ['PATCH', '/us/v2/audit-log-webhook', { ...inline, ...optionsJSON }],
      (client) => client.updateInlineWebhook('us', { ...inline, ...options }, signal),
    ],
    [
      ['GET', `/eu/v3/portals/${portal}/audit-log-replay-job`],
      (client) => client.getReplayJob({ api: 'v2', region: 'eu', portalID: portal }, signal),
    ],
    [['GET', '/us/v2/audit-log-replay-job'], (client) => client.getReplayJob({ ...everything, api: 'v2' }, signal)],
    [
      ['PUT', '/us/v3/audit-log-replay-job', { start_at: hour.from, end_at: hour.to }],
      (client) => client.startReplayJob(everything, hour, signal),
    ],
    [['PATCH', '/us/v2/audit-log-webhook', { enabled: false }], (client) => client.disableInlineWebhook('us', signal)],
  ])('%j', async (expected, use) => {
    const { requests } = await answering({ status: 200, body: { id } }, use);
    expect(requests.map(line)).toEqual([expected]);
  });

  test.each<[string, (client: Client) => Promise<unknown>]>([
    ['an id that is a path', (client) => client.getDestination('v3', `${id}/../../portals`, signal)],
    ['an empty id', (client) => client.deletePortalWebhook('us', '', signal)],
    [
      'a destination that is no UUID',
      (c) => c.updateOrganizationWebhook('us', { destinationID: 'x', enabled: true }, signal),
    ],
    ['a region that is a host', (client) => client.getInlineWebhook('evil.example.com/', signal)],
  ])('nothing, for %s', async (_, use) => {
    const { value, requests } = await answering({ status: 200, body: { id } }, (client) => rejection(use(client)));
    expect(value).toBeInstanceOf(TypeError);
    expect(requests).toHaveLength(0);
  });
});

describe('a replay job', () => {
  const webhook = { api: 'v3', region: 'us', portalID: undefined } as const;
  const window = { from: '2026-01-02T03:00:00Z', to: '2026-01-02T04:00:00Z' };

  test.each<[string, Script, unknown]>([
    [
      'as Konnect shows it',
      {
        status: 200,
        body: { start_at: window.from, end_at: window.to, status: 'running', updated_at: '2026-01-02T04:00:01.5Z' },
      },
      { ...window, state: 'running', updatedAt: '2026-01-02T04:00:01.5Z' },
    ],
    [
      'that was never started',
      {
        status: 200,
        body: { start_at: '0001-01-01T00:00:0Z', end_at: '0001-01-01T00:00:00Z', status: 'unconfigured' },
      },
      { from: undefined, to: undefined, state: 'unconfigured', updatedAt: undefined },
    ],
    [
      'with a state that the operator does not know',
      { status: 200, body: { status: 'paused', start_at: 17 } },
      { from: undefined, to: undefined, state: undefined, updatedAt: undefined },
    ],
    ['of a webhook that is gone', { status: 404, body: {} }, undefined],
  ])('%s', async (_, script, expected) => {
    const { value } = await answering(script, (client) => client.getReplayJob(webhook, signal));
    expect(value).toEqual(expected);
  });

  test.each<[number, object]>([
    [409, { kind: 'Conflict', mayHaveHappened: false }],
    [400, { kind: 'Refused', mayHaveHappened: false }],
    [500, { kind: 'ServerError', mayHaveHappened: true }],
  ])('that Konnect answers with %i', async (status, expected) => {
    const { value } = await answering({ status, body: {} }, (client) =>
      rejection(client.startReplayJob(webhook, window, signal)),
    );
    expect(value).toMatchObject(expected);
  });

  test('that is accepted without a body', async () => {
    const { value } = await answering({ status: 202 }, (client) => client.startReplayJob(webhook, window, signal));
    expect(value).toBeUndefined();
  });
});

test('a list of portals has at most a hundred', async () => {
  await using server = await scriptedKonnect(() => ({
    status: 200,
    body: { data: Array.from({ length: 101 }, () => ({ id })) },
  }));
  using konnect = clientOf(server.urlTemplate);
  expect(await konnect.client.listPortals('eu', signal)).toEqual(Array.from({ length: 100 }, () => ({ id })));
  expect(server.requests.map(({ method, path, query }) => [method, path, query.toString()])).toEqual([
    ['GET', '/eu/v3/portals', 'page%5Bsize%5D=100'],
  ]);
});

describe('a list of destinations', () => {
  test('is read page by page, with only the cursor of the next path', async () => {
    const ids = ['a', 'b', 'c'].map((digit) => id.replace('0', digit));
    await using server = await scriptedKonnect(({ query }) => {
      const page = ['', 'c1==', 'c2 +%'].indexOf(query.get('page[after]') ?? '');
      const next = [
        '/api/v3/audit-log-destinations?page%5Bafter%5D=c1%3D%3D&page%5Bsize%5=1',
        'https://elsewhere.example.com/x?page[after]=c2%20%2B%25',
        null,
      ][page];
      return {
        status: 200,
        body: { data: [{ id: ids[page]?.toUpperCase() }], meta: { next, previous: null, size: 1 } },
      };
    });
    using konnect = clientOf(server.urlTemplate);
    const list = await konnect.client.listDestinations('v3', signal);
    expect(list.map((entry) => entry.id)).toEqual(ids);
    expect(server.requests.map(({ path }) => path)).toEqual(Array(3).fill('/global/v3/audit-log-destinations'));
    expect(server.requests.map(({ query }) => query.get('page[size]'))).toEqual(Array(3).fill('100'));
  });

  test.each<[string, string]>([
    ['a cursor that repeats', '/api/v3/audit-log-destinations?page[after]=same'],
    ['a next page without a cursor', '/api/v3/audit-log-destinations?page[size]=1'],
  ])('is an error with %s', async (_, next) => {
    await using server = await scriptedKonnect(() => ({ status: 200, body: { data: [], meta: { next } } }));
    using konnect = clientOf(server.urlTemplate);
    expect(await rejection(konnect.client.listDestinations('v3', signal))).toMatchObject({ kind: 'UnexpectedAnswer' });
    expect(server.requests.length).toBeLessThan(3);
  });

  test('skips an entry without a valid ID, says so, and has the others; an invalid field counts as missing', async () => {
    const entries = [{ id, name: 'ours' }, { name: 'no id' }, null, { id: 'x' }, { id: portal, name: 7, endpoint: [] }];
    await using server = await scriptedKonnect(() => ({ status: 200, body: { data: entries } }));
    const skipped: unknown[] = [];
    using konnect = clientOf(server.urlTemplate, { onSkipped: (...what) => skipped.push(what) });
    expect(await konnect.client.listDestinations('v3', signal)).toEqual([{ id, name: 'ours' }, { id: portal }]);
    expect(await konnect.client.listPortals('us', signal)).toEqual([{ id }, { id: portal }]);
    expect(skipped).toEqual([
      ['list destinations', 3],
      ['list portals', 3],
    ]);
  });

  test('is an error when no entry of a page has a valid ID', async () => {
    await using server = await scriptedKonnect(() => ({ status: 200, body: { data: [{ name: 'n' }, { id: 'x' }] } }));
    using konnect = clientOf(server.urlTemplate);
    expect(await rejection(konnect.client.listDestinations('v3', signal))).toMatchObject({ kind: 'UnexpectedAnswer' });
  });

  test('is an error when it never ends', async () => {
    let page = 0;
    await using server = await scriptedKonnect(() => {
      page += 1;
      return { status: 200, body: { data: [], meta: { next: `/x?page[after]=${page}` } } };
    });
    using konnect = clientOf(server.urlTemplate);
    expect(await rejection(konnect.client.listDestinations('v3', signal))).toMatchObject({ kind: 'UnexpectedAnswer' });
    expect(server.requests).toHaveLength(200);
  });
});

describe('the result of an answer', () => {
  test.each<[number, string, (client: Client) => Promise<unknown>, unknown]>([
    [404, 'reading a portal', (client) => client.getPortal('us', portal, signal), undefined],
    [404, 'reading a portal webhook', (client) => client.getPortalWebhook('us', portal, signal), undefined],
    [404, 'reading its status', (client) => client.getPortalWebhookStatus('us', portal, signal), undefined],
    [404, 'reading an organization webhook', (client) => client.getOrganizationWebhook('us', signal), undefined],
    [404, 'reading an inline webhook', (client) => client.getInlineWebhook('us', signal), undefined],
    [409, 'deleting a destination', (client) => client.deleteDestination('v3', id, signal), 'in-use'],
    [204, 'deleting a destination', (client) => client.deleteDestination('v3', id, signal), 'deleted'],
    [200, 'deleting a destination', (client) => client.deleteDestination('v3', id, signal), 'deleted'],
    [404, 'deleting a portal webhook', (client) => client.deletePortalWebhook('us', portal, signal), 'absent'],
    [409, 'deleting a portal webhook', (client) => client.deletePortalWebhook('us', portal, signal), 'conflict'],
    [204, 'deleting an organization webhook', (client) => client.deleteOrganizationWebhook('us', signal), 'deleted'],
    [204, 'updating a destination', (client) => client.updateDestination('v3', id, body, signal), undefined],
    [
      201,
      'updating an inline webhook',
      (c) => c.updateInlineWebhook('us', { ...body, enabled: true }, signal),
      undefined,
    ],
    [
      201,
      'updating a webhook',
      (c) => c.updatePortalWebhook('us', portal, { destinationID: id, enabled: true }, signal),
      undefined,
    ],
  ])('%i, %s', async (status, _, use, expected) => {
    expect((await answering({ status }, use)).value).toBe(expected);
  });
});

describe('four megabytes of invalid entries use little more memory than that', () => {
  const entries = (one: string) => `[${`${one},`.repeat(1_000_000)}${one}]`;
  test.each<[string, Script, (client: Client) => Promise<unknown>]>([
    ['a list', { status: 200, body: `{"data":${entries('{}')}}` }, (client) => client.listDestinations('v3', signal)],
    ['a list of numbers', { status: 200, body: `{"data":${entries('0')}}` }, (c) => c.listDestinations('v2', signal)],
    [
      'what is wrong with a request',
      { status: 400, body: `{"invalid_parameters":${entries('0')}}` },
      (client) => client.createDestination('v3', body, signal),
    ],
  ])('%s', async (_what, script, use) => {
    const before = process.memoryUsage().heapUsed;
    const { value } = await answering(script, (client) => rejection(use(client)));
    expect(value).toHaveProperty('name', 'KonnectError');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 2 ** 20);
  });
});
