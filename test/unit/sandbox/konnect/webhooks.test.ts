import { describe, expect, test } from '@jest/globals';
import { bench, destination, fakeClock, portalID, unknownID } from './support.ts';

const portal = `/us/v3/portals/${portalID}/audit-log-webhook`;
const v2 = '/us/v2/audit-log-webhook';
const v3 = '/us/v3/audit-log-webhook';
const inline = {
  endpoint: 'https://inline.example.com/c0de',
  authorization: 'Bearer inline',
  enabled: true,
  log_format: 'json',
  skip_ssl_verification: true,
};

describe.each([
  ['a portal', portal],
  ['the organization, v3', v3],
])('the webhook of %s', (_, path) => {
  test('is attached, switched and cleared', async () => {
    await using konnect = await bench();
    const id = await konnect.createDestination();
    const patched = await konnect.call('PATCH', path, { body: { audit_log_destination_id: id, enabled: true } });
    expect(patched).toMatchObject({ status: 200, body: { audit_log_destination_id: id, enabled: true } });
    expect((await konnect.call('GET', path)).body).toEqual(patched.body);
    expect((await konnect.call('GET', `${path}/status`)).body).toEqual({
      webhook_enabled: true,
      webhook_status: 'active',
    });
    await konnect.call('PATCH', path, { body: { enabled: false } });
    expect((await konnect.call('GET', path)).body).toEqual({ audit_log_destination_id: id, enabled: false });
    expect((await konnect.call('DELETE', path)).status).toBe(204);
    expect((await konnect.call('GET', path)).body).toEqual({ audit_log_destination_id: '', enabled: false });
    expect((await konnect.call('GET', `${path}/status`)).body['webhook_status']).toBe('unconfigured');
  });

  test('is switched off by a PATCH without enabled, unless Konnect sets no defaults', async () => {
    await using konnect = await bench();
    const body = { audit_log_destination_id: await konnect.createDestination(), enabled: true };
    await konnect.call('PATCH', path, { body });
    expect((await konnect.call('PATCH', path, { body: { ...body, enabled: null } })).body['enabled']).toBe(false);
    await konnect.call('PATCH', path, { body });
    konnect.server.control.behave({ fillPatchDefaults: false });
    expect((await konnect.call('PATCH', path, { body: {} })).body).toEqual(body);
  });

  test.each([
    ['disabled-empty', { audit_log_destination_id: '', enabled: false }],
    ['disabled-absent', { enabled: false }],
    ['disabled-nil', { audit_log_destination_id: '00000000-0000-0000-0000-000000000000', enabled: false }],
  ] as const)('can be %s if unconfigured', async (unconfiguredWebhook, body) => {
    await using konnect = await bench({ behavior: { unconfiguredWebhook } });
    expect(await konnect.call('GET', path)).toMatchObject({ status: 200, body });
    expect((await konnect.call('DELETE', path)).status).toBe(204);
    expect((await konnect.call('GET', `${path}/status`)).body).toEqual({
      webhook_enabled: false,
      webhook_status: 'unconfigured',
    });
  });

  test('can be 404 if unconfigured', async () => {
    await using konnect = await bench({ behavior: { unconfiguredWebhook: 'not-found' } });
    expect((await konnect.call('GET', path)).status).toBe(404);
    expect((await konnect.call('DELETE', path)).status).toBe(404);
    const body = { audit_log_destination_id: await konnect.createDestination(), enabled: true };
    expect((await konnect.call('PATCH', path, { body })).status).toBe(200);
    expect((await konnect.call('GET', path)).status).toBe(200);
  });

  test.each([404, 400] as const)('answers %d to the ID of an unknown destination', async (unknownDestination) => {
    await using konnect = await bench({ behavior: { unknownDestination } });
    const { status, body } = await konnect.call('PATCH', path, {
      body: { audit_log_destination_id: unknownID, enabled: true },
    });
    expect(status).toBe(unknownDestination);
    expect(body['detail']).toContain(unknownID);
    expect((await konnect.call('GET', path)).body['enabled']).toBe(false);
  });

  test.each([
    ['an id that is no UUID', { audit_log_destination_id: 'x' }, 'audit_log_destination_id', 'is_uuid'],
    ['an empty id', { audit_log_destination_id: '' }, 'audit_log_destination_id', 'is_uuid'],
    ['enabled as a string', { enabled: 'true' }, 'enabled', 'is_boolean'],
    ['an unknown field', { endpoint: 'https://example.com' }, 'endpoint', 'unknown_property'],
    ['enabled without a destination', { enabled: true }, 'audit_log_destination_id', 'required'],
  ])('refuses %s', async (__, body, field, rule) => {
    await using konnect = await bench();
    const refused = await konnect.call('PATCH', path, { body });
    expect(refused.status).toBe(400);
    expect(refused.body['invalid_parameters']).toMatchObject([{ field, rule }]);
  });

  test('can answer 201 to a PATCH', async () => {
    await using konnect = await bench({ behavior: { patchStatus: 201 } });
    expect((await konnect.call('PATCH', path, { body: { enabled: false } })).status).toBe(201);
  });
});

test('DELETE of a portal’s webhook can be refused while it is enabled', async () => {
  await using konnect = await bench({ behavior: { portalDeleteConflict: true } });
  const id = await konnect.createDestination();
  await konnect.call('PATCH', portal, { body: { audit_log_destination_id: id, enabled: true } });
  expect((await konnect.call('DELETE', portal)).status).toBe(409);
  await konnect.call('PATCH', portal, { body: { audit_log_destination_id: id, enabled: false } });
  expect((await konnect.call('DELETE', portal)).status).toBe(204);
});

describe('the organization’s webhook, v2', () => {
  test('is unconfigured, set up inline, and never shows its authorization', async () => {
    await using konnect = await bench();
    expect((await konnect.call('GET', v2)).body).toEqual({
      endpoint: 'unconfigured',
      enabled: false,
      log_format: 'cef',
      skip_ssl_verification: false,
      updated_at: '0001-01-01T00:00:00Z',
    });
    const { authorization, ...shown } = inline;
    const patched = await konnect.call('PATCH', v2, { body: inline });
    expect(patched).toMatchObject({ status: 200, body: shown });
    expect(patched.text).not.toContain(authorization);
    expect((await konnect.call('GET', v2)).body).toEqual(patched.body);
    expect((await konnect.call('GET', '/eu/v2/audit-log-webhook')).body['endpoint']).toBe('unconfigured');
  });

  test('PATCH changes updated_at, and can omit it from the answer', async () => {
    await using konnect = await bench({ clock: fakeClock(), behavior: { patchAnswersUpdatedAt: false } });
    const seen = new Set<unknown>();
    for (let round = 0; round < 3; round += 1) {
      const { body } = await konnect.call('PATCH', v2, { body: inline });
      expect(body['updated_at']).toBeUndefined();
      seen.add((await konnect.call('GET', v2)).body['updated_at']);
    }
    expect(seen.size).toBe(3);
  });

  test.each([
    ['enabled without an endpoint', { enabled: true }, 'endpoint'],
    ['no authorization', { ...inline, authorization: undefined }, 'authorization'],
    ['an endpoint that is no URL', { ...inline, endpoint: 'unconfigured' }, 'endpoint'],
    ['an unknown field', { ...inline, audit_log_destination_id: unknownID }, 'audit_log_destination_id'],
  ])('refuses %s', async (_, body, field) => {
    await using konnect = await bench();
    const refused = await konnect.call('PATCH', v2, { body });
    expect(refused.status).toBe(400);
    expect(refused.body['invalid_parameters']).toMatchObject([{ field }]);
  });

  test('sets declared defaults, or keeps the old values', async () => {
    await using konnect = await bench();
    await konnect.call('PATCH', v2, { body: inline });
    expect((await konnect.call('PATCH', v2, { body: { enabled: true } })).body).toMatchObject({
      endpoint: inline.endpoint,
      log_format: 'cef',
      skip_ssl_verification: false,
    });
    konnect.server.control.behave({ fillPatchDefaults: false });
    await konnect.call('PATCH', v2, { body: inline });
    const { authorization: _, ...shown } = inline;
    expect((await konnect.call('PATCH', v2, { body: {} })).body).toMatchObject(shown);
  });

  test('shows the same setting as v3', async () => {
    await using konnect = await bench();
    await konnect.call('PATCH', v2, { body: inline });
    expect((await konnect.call('GET', v3)).body).toEqual({ audit_log_destination_id: '', enabled: true });
    const id = await konnect.createDestination();
    await konnect.call('PATCH', v3, { body: { audit_log_destination_id: id, enabled: true } });
    expect((await konnect.call('GET', v2)).body).toMatchObject({ endpoint: destination.endpoint, enabled: true });
    await konnect.call('PATCH', v2, { body: { enabled: false } });
    expect((await konnect.call('GET', v3)).body).toEqual({ audit_log_destination_id: id, enabled: false });
    await konnect.call('DELETE', v3);
    expect((await konnect.call('GET', v2)).body).toMatchObject({ endpoint: 'unconfigured', enabled: false });
    expect((await konnect.call('DELETE', `/us/v3/audit-log-destinations/${id}`)).status).toBe(204);
  });

  test('an inline endpoint replaces a destination, and the destination is no longer in use', async () => {
    await using konnect = await bench();
    const id = await konnect.createDestination();
    await konnect.call('PATCH', v3, { body: { audit_log_destination_id: id, enabled: true } });
    await konnect.call('PATCH', v2, { body: inline });
    expect((await konnect.call('GET', v3)).body['audit_log_destination_id']).toBe('');
    expect((await konnect.call('DELETE', `/us/v3/audit-log-destinations/${id}`)).status).toBe(204);
  });
});
