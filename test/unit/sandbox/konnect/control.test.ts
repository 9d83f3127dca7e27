import { describe, expect, test } from '@jest/globals';
import { bench, destination, full, organizationID, portalID, textAt } from './support.ts';

describe('the log of calls', () => {
  test('contains method, region, path, operation, status, and only the end of the token', async () => {
    await using konnect = await bench();
    await konnect.call('GET', '/us/v3/portals?page[size]=5');
    await konnect.call('POST', '/global/v2/audit-log-destinations', { body: destination });
    await konnect.call('GET', '/us/nowhere', { token: null });
    const { body, text } = await konnect.call('GET', '/__sandbox/calls', { token: null });
    expect(body).toMatchObject([
      {
        method: 'GET',
        region: 'us',
        path: '/v3/portals',
        query: 'page%5Bsize%5D=5',
        operation: 'list-portals',
        token: '0001',
        status: 200,
      },
      { method: 'POST', region: 'global', operation: 'create-audit-log-destination', status: 201 },
      { method: 'GET', region: 'us', path: '/nowhere', token: '', status: 404 },
    ]);
    for (const secret of [full, destination.endpoint, destination.authorization]) expect(text).not.toContain(secret);
    expect(konnect.server.control.calls()).toHaveLength(3);
    expect((await konnect.call('DELETE', '/__sandbox/calls')).status).toBe(204);
    expect(konnect.server.control.calls()).toEqual([]);
  });
});

describe('the control endpoint', () => {
  test('adds, shows and removes faults', async () => {
    await using konnect = await bench();
    const rule = { kind: 'status', status: 500, match: { operation: 'list-portals' } };
    const { body: added } = await konnect.call('POST', '/__sandbox/faults', { body: rule });
    expect((await konnect.call('GET', '/us/v3/portals')).status).toBe(500);
    expect((await konnect.call('GET', '/__sandbox/faults')).body).toEqual([{ id: added['id'], rule, hits: 1 }]);
    expect((await konnect.call('DELETE', `/__sandbox/faults/${textAt(added, 'id')}`)).status).toBe(204);
    expect((await konnect.call('DELETE', `/__sandbox/faults/${textAt(added, 'id')}`)).status).toBe(404);
    expect((await konnect.call('GET', '/us/v3/portals')).status).toBe(200);
    await konnect.call('POST', '/__sandbox/faults', { body: rule });
    await konnect.call('DELETE', '/__sandbox/faults');
    expect((await konnect.call('GET', '/us/v3/portals')).status).toBe(200);
  });

  test('changes the behavior', async () => {
    await using konnect = await bench();
    const { body } = await konnect.call('PATCH', '/__sandbox/behavior', {
      body: { patchStatus: 201, releaseDelayMs: 5 },
    });
    expect(body).toMatchObject({ patchStatus: 201, releaseDelayMs: 5, duplicateNames: 'conflict' });
    expect((await konnect.call('GET', '/__sandbox/behavior')).body).toEqual(body);
  });

  test.each([
    ['PATCH', '/__sandbox/behavior', { patchStatus: 204 }],
    ['PATCH', '/__sandbox/behavior', { color: 'red' }],
    ['POST', '/__sandbox/faults', { kind: 'flood' }],
    ['POST', '/__sandbox/faults', { kind: 'latency' }],
    ['POST', '/__sandbox/organizations', { name: 'x' }],
  ])('refuses %s %s with what it does not know', async (method, path, body) => {
    await using konnect = await bench();
    const refused = await konnect.call(method, path, { body });
    expect(refused.status).toBe(400);
    expect(refused.body['message']).not.toBe('');
  });

  test('adds and removes organizations, tokens and portals', async () => {
    await using konnect = await bench();
    const id = '11111111-227d-4297-b911-e68fd5d77c17';
    const organizations = '/__sandbox/organizations';
    await konnect.call('POST', organizations, { body: { id, name: 'Red', tokens: [] } });
    await konnect.call('POST', `${organizations}/${id}/tokens`, { body: { value: 'kpat_red', access: 'full' } });
    await konnect.call('POST', `${organizations}/${id}/portals`, { body: { id: portalID, name: 'P', region: 'eu' } });
    const portal = `/eu/v3/portals/${portalID}`;
    expect((await konnect.call('GET', portal, { token: 'kpat_red' })).status).toBe(200);
    expect((await konnect.call('DELETE', `${organizations}/${id}/portals/${portalID}`)).status).toBe(204);
    expect((await konnect.call('GET', portal, { token: 'kpat_red' })).status).toBe(404);
    expect((await konnect.call('POST', '/__sandbox/tokens/revoke', { body: { value: 'kpat_red' } })).status).toBe(204);
    expect((await konnect.call('GET', portal, { token: 'kpat_red' })).status).toBe(401);
    expect((await konnect.call('DELETE', `${organizations}/${id}`)).status).toBe(204);
    expect((await konnect.call('GET', `${organizations}/${id}`)).status).toBe(404);
    expect((await konnect.call('POST', '/__sandbox/tokens/revoke', { body: { value: 'kpat_red' } })).status).toBe(404);
  });

  test('shows what is set up, without tokens and authorizations', async () => {
    await using konnect = await bench();
    const id = await konnect.createDestination();
    await konnect.call('PATCH', '/us/v3/audit-log-webhook', { body: { audit_log_destination_id: id, enabled: true } });
    const { body, text } = await konnect.call('GET', `/__sandbox/organizations/${organizationID}`);
    expect(body).toMatchObject({
      name: 'Blue',
      destinations: [{ id, name: 'siem' }],
      webhooks: { us: { enabled: true, destinationID: id, status: { webhook_status: 'active' } } },
      portals: [{ name: 'Shop', webhook: { enabled: false } }, { name: 'Laden' }],
    });
    for (const secret of [full, destination.authorization]) expect(text).not.toContain(secret);
    const { body: events } = await konnect.call('GET', `/__sandbox/organizations/${organizationID}/events`);
    expect(events).toMatchObject([{ region: 'global' }, { region: 'us' }]);
  });

  test('a removed portal releases its destination', async () => {
    await using konnect = await bench();
    const id = await konnect.createDestination();
    await konnect.call('PATCH', `/us/v3/portals/${portalID}/audit-log-webhook`, {
      body: { audit_log_destination_id: id, enabled: true },
    });
    await konnect.call('DELETE', `/__sandbox/organizations/${organizationID}/portals/${portalID}`);
    expect((await konnect.call('DELETE', `/global/v3/audit-log-destinations/${id}`)).status).toBe(204);
  });

  test('knows only its own routes', async () => {
    await using konnect = await bench();
    expect((await konnect.call('GET', '/__sandbox/nothing')).status).toBe(404);
    expect((await konnect.call('PUT', '/__sandbox/calls', { body: {} })).status).toBe(405);
    expect((await konnect.call('POST', '/__sandbox/faults', { raw: '{' })).status).toBe(400);
  });
});
