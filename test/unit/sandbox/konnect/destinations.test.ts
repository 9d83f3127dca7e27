import { describe, expect, test } from '@jest/globals';
import { bench, destination, fakeClock, itemsOf, other, textAt } from './support.ts';

const path = '/global/v3/audit-log-destinations';

describe('destinations', () => {
  test('are created, read, changed and deleted, and never show the authorization', async () => {
    await using konnect = await bench();
    const created = await konnect.call('POST', path, { body: destination });
    expect(created.status).toBe(201);
    const { authorization, ...shown } = destination;
    expect(created.body).toEqual({
      ...shown,
      id: expect.any(String),
      skip_ssl_verification: false,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const single = `${path}/${textAt(created.body, 'id')}`;
    expect((await konnect.call('GET', single)).body).toEqual(created.body);
    const changed = await konnect.call('PATCH', single, {
      body: { ...destination, log_format: 'json', authorization: 'new' },
    });
    expect(changed).toMatchObject({ status: 200, body: { log_format: 'json' } });
    expect(changed.text).not.toContain('new');
    expect((await konnect.call('DELETE', single)).status).toBe(204);
    expect((await konnect.call('GET', single)).status).toBe(404);
    expect((await konnect.call('PATCH', single, { body: {} })).status).toBe(404);
    expect((await konnect.call('DELETE', single)).status).toBe(404);
    expect(authorization).toBe('Bearer siem-token');
  });

  test('are one store for both versions and every host, but not for two organizations', async () => {
    await using konnect = await bench();
    const id = await konnect.createDestination();
    for (const prefix of ['/us/v2', '/us/v3', '/eu/v3', '/global/v2']) {
      const { body } = await konnect.call('GET', `${prefix}/audit-log-destinations`);
      expect(body['data']).toMatchObject([{ id }]);
    }
    expect((await konnect.call('GET', path, { token: other })).body['data']).toEqual([]);
    expect((await konnect.call('GET', `${path}/${id}`, { token: other })).status).toBe(404);
  });

  test.each([
    ['everywhere', ['/global/v2', '/global/v3', '/us/v2', '/us/v3', '/eu/v2', '/eu/v3']],
    ['global', ['/global/v2', '/global/v3']],
    ['region-v3', ['/us/v3', '/eu/v3']],
    ['region-v2', ['/us/v2', '/eu/v2']],
  ] as const)('are served one by one as destinationItems says: %s', async (destinationItems, served) => {
    await using konnect = await bench({ behavior: { destinationItems } });
    let id = await konnect.createDestination();
    const all = ['/global/v2', '/global/v3', '/us/v2', '/us/v3', '/eu/v2', '/eu/v3'];
    const statusesOf = (method: string, sent = {}) =>
      Promise.all(
        all.map(async (host) => (await konnect.call(method, `${host}/audit-log-destinations/${id}`, sent)).status),
      );
    const expected = all.map((host) => (served.some((one) => one === host) ? 200 : 404));
    expect(await statusesOf('GET')).toEqual(expected);
    expect(await statusesOf('PATCH', { body: destination })).toEqual(expected);
    for (const host of all) {
      expect((await konnect.call('GET', `${host}/audit-log-destinations`)).body['data']).toMatchObject([{ id }]);
      const { status } = await konnect.call('DELETE', `${host}/audit-log-destinations/${id}`);
      if (status === 204) id = await konnect.createDestination();
      expect(status).toBe(served.some((one) => one === host) ? 204 : 404);
    }
  });

  test.each([
    ['problem', 404, { title: 'Not Found' }],
    ['no-route', 404, { message: 'no Route matched with those values' }],
    ['method-not-allowed', 405, { title: 'Method Not Allowed' }],
  ] as const)(
    'are refused one by one with %s where they are not served',
    async (unservedDestinationItem, status, body) => {
      await using konnect = await bench({ behavior: { destinationItems: 'region-v3', unservedDestinationItem } });
      const id = await konnect.createDestination();
      for (const method of ['GET', 'PATCH', 'DELETE']) {
        const sent = method === 'PATCH' ? { body: destination } : {};
        expect(await konnect.call(method, `${path}/${id}`, sent)).toMatchObject({ status, body });
      }
    },
  );

  test('each PATCH changes updated_at, however little time has passed', async () => {
    await using konnect = await bench({ clock: fakeClock() });
    const id = await konnect.createDestination();
    const seen = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const { body } = await konnect.call('PATCH', `${path}/${id}`, { body: destination });
      seen.add(textAt(body, 'updated_at'));
    }
    seen.add(textAt((await konnect.call('GET', `${path}/${id}`)).body, 'created_at'));
    expect(seen.size).toBe(4);
  });

  test.each([
    ['an unknown field', { ...destination, color: 'red' }, 'color', 'unknown_property'],
    ['no name', { ...destination, name: undefined }, 'name', 'required'],
    ['a name that is null', { ...destination, name: null }, 'name', 'required'],
    ['a name of blanks', { ...destination, name: ' ' }, 'name', 'required'],
    ['a name that is a number', { ...destination, name: 7 }, 'name', 'is_string'],
    ['no endpoint', { ...destination, endpoint: undefined }, 'endpoint', 'required'],
    ['an empty endpoint', { ...destination, endpoint: '' }, 'endpoint', 'required'],
    ['an endpoint that is no URL', { ...destination, endpoint: 'collector' }, 'endpoint', 'invalid'],
    ['no authorization', { ...destination, authorization: undefined }, 'authorization', 'required'],
    ['no log format', { ...destination, log_format: undefined }, 'log_format', 'required'],
    ['an unknown log format', { ...destination, log_format: 'xml' }, 'log_format', 'enum'],
    ['a flag that is a string', { ...destination, skip_ssl_verification: 'no' }, 'skip_ssl_verification', 'is_boolean'],
  ])('POST with %s is refused, naming the field', async (_, body, field, rule) => {
    await using konnect = await bench();
    const { status, type, body: problem } = await konnect.call('POST', path, { body });
    expect({ status, type }).toEqual({ status: 400, type: 'application/problem+json' });
    expect(problem['invalid_parameters']).toMatchObject([{ field, rule }]);
    expect((await konnect.call('GET', path)).body['data']).toEqual([]);
  });

  test('a taken name is refused on POST and on PATCH', async () => {
    await using konnect = await bench();
    await konnect.createDestination();
    const id = await konnect.createDestination({ name: 'two' });
    expect((await konnect.call('POST', path, { body: destination })).status).toBe(409);
    expect((await konnect.call('PATCH', `${path}/${id}`, { body: { name: 'siem' } })).status).toBe(409);
    expect((await konnect.call('PATCH', `${path}/${id}`, { body: { name: 'two' } })).status).toBe(200);
  });

  test('a taken name creates a second destination if names are not unique', async () => {
    await using konnect = await bench({ behavior: { duplicateNames: 'allowed' } });
    expect(await konnect.createDestination()).not.toBe(await konnect.createDestination());
  });

  test('a field that a PATCH omits or sets to null gets its declared default', async () => {
    await using konnect = await bench();
    const id = await konnect.createDestination({ log_format: 'json', skip_ssl_verification: true });
    const { body } = await konnect.call('PATCH', `${path}/${id}`, { body: { name: 'new', log_format: null } });
    expect(body).toMatchObject({
      name: 'new',
      endpoint: destination.endpoint,
      log_format: 'cef',
      skip_ssl_verification: false,
    });
  });

  test('a field that a PATCH omits keeps its value if Konnect sets no defaults', async () => {
    await using konnect = await bench({ behavior: { fillPatchDefaults: false } });
    const id = await konnect.createDestination({ log_format: 'json', skip_ssl_verification: true });
    const { body } = await konnect.call('PATCH', `${path}/${id}`, { body: { name: 'new' } });
    expect(body).toMatchObject({ name: 'new', log_format: 'json', skip_ssl_verification: true });
  });

  test.each([
    ['zero', '0001-01-01T00:00:00Z'],
    ['malformed', '0001-01-01T00:00:0Z'],
  ] as const)('the first updated_at can be %s', async (firstUpdatedAt, shown) => {
    await using konnect = await bench({ behavior: { firstUpdatedAt } });
    const id = await konnect.createDestination();
    expect((await konnect.call('GET', `${path}/${id}`)).body['updated_at']).toBe(shown);
    expect((await konnect.call('PATCH', `${path}/${id}`, { body: {} })).body['updated_at']).toMatch(/^20/);
  });

  test('endpoints can be shown in their canonical form', async () => {
    await using konnect = await bench({ behavior: { shownEndpoints: 'canonical' } });
    const id = await konnect.createDestination({ endpoint: 'https://SIEM.example.com:443' });
    const shown = { endpoint: 'https://siem.example.com/' };
    expect((await konnect.call('GET', `${path}/${id}`)).body).toMatchObject(shown);
    expect((await konnect.call('GET', path)).body).toMatchObject({ data: [shown] });
  });

  test('PATCH can answer 201, and without updated_at', async () => {
    await using konnect = await bench({ behavior: { patchStatus: 201, patchAnswersUpdatedAt: false } });
    const id = await konnect.createDestination();
    const { status, body } = await konnect.call('PATCH', `${path}/${id}`, { body: {} });
    expect(status).toBe(201);
    expect(Object.keys(body)).not.toContain('updated_at');
  });

  test('a destination in use is not deleted, and with a delay only some time after it was detached', async () => {
    const clock = fakeClock();
    await using konnect = await bench({ clock, behavior: { releaseDelayMs: 5000 } });
    const id = await konnect.createDestination();
    const patch = { body: { audit_log_destination_id: id, enabled: false } };
    await konnect.call('PATCH', '/us/v3/audit-log-webhook', patch);
    const refused = await konnect.call('DELETE', `${path}/${id}`);
    expect(refused.status).toBe(409);
    expect(refused.body['detail']).toContain('Destination is in use');
    expect(refused.body['detail']).toContain(destination.endpoint);
    await konnect.call('DELETE', '/us/v3/audit-log-webhook');
    expect((await konnect.call('DELETE', `${path}/${id}`)).status).toBe(409);
    clock.advance(5000);
    expect((await konnect.call('DELETE', `${path}/${id}`)).status).toBe(204);
  });

  test('lists can be stale, while single reads are fresh', async () => {
    const clock = fakeClock();
    await using konnect = await bench({ clock, behavior: { staleListMs: 1000 } });
    const id = await konnect.createDestination();
    async function names(): Promise<unknown[]> {
      const { body } = await konnect.call('GET', path);
      return itemsOf(body).map((item) => item['name']);
    }
    expect(await names()).toEqual([]);
    expect((await konnect.call('GET', `${path}/${id}`)).status).toBe(200);
    clock.advance(1000);
    expect(await names()).toEqual(['siem']);
    await konnect.call('PATCH', `${path}/${id}`, { body: { name: 'renamed' } });
    expect(await names()).toEqual(['siem']);
    clock.advance(1000);
    expect(await names()).toEqual(['renamed']);
    await konnect.call('DELETE', `${path}/${id}`);
    expect(await names()).toEqual(['renamed']);
    clock.advance(1000);
    expect(await names()).toEqual([]);
  });
});
