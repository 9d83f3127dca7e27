import { request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { revokeToken } from '../../../../sandbox/konnect/model.ts';
import {
  bench,
  destination,
  euPortalID,
  fakeClock,
  full,
  organizationID,
  other,
  otherPortalID,
  portalID,
  readOnly,
  unknownID,
  withoutOrganization,
} from './support.ts';

describe('permissions', () => {
  test.each([null, 'kpat_unknown', ''])('without a valid token (%s), the answer is 401', async (token) => {
    await using konnect = await bench();
    const { status, type, body } = await konnect.call('GET', '/us/v3/portals', { token });
    expect({ status, type, title: body['title'] }).toEqual({
      status: 401,
      type: 'application/problem+json',
      title: 'Unauthorized',
    });
  });

  test('organizations/me returns the organization of the token, unless the token must not read it', async () => {
    await using konnect = await bench();
    expect((await konnect.call('GET', '/global/v3/organizations/me')).body).toMatchObject({
      id: organizationID,
      name: 'Blue',
    });
    expect((await konnect.call('GET', '/global/v3/organizations/me', { token: other })).body['name']).toBe('Green');
    expect((await konnect.call('GET', '/global/v3/organizations/me', { token: withoutOrganization })).status).toBe(403);
    expect((await konnect.call('GET', '/us/v3/portals', { token: withoutOrganization })).status).toBe(200);
  });

  test('a read-only token reads everything and writes nothing', async () => {
    await using konnect = await bench();
    const id = await konnect.createDestination();
    for (const path of [
      '/global/v3/organizations/me',
      `/us/v3/portals/${portalID}/audit-log-webhook`,
      '/us/v2/audit-log-webhook',
    ]) {
      expect((await konnect.call('GET', path, { token: readOnly })).status).toBe(200);
    }
    const writes = [
      ['POST', '/global/v3/audit-log-destinations'],
      ['PATCH', `/global/v3/audit-log-destinations/${id}`],
      ['DELETE', `/global/v3/audit-log-destinations/${id}`],
      ['PATCH', '/us/v2/audit-log-webhook'],
      ['PATCH', '/us/v3/audit-log-webhook'],
      ['DELETE', '/us/v3/audit-log-webhook'],
      ['PUT', '/us/v3/audit-log-replay-job'],
      ['PATCH', `/us/v3/portals/${portalID}/audit-log-webhook`],
    ] as const;
    for (const [method, path] of writes) {
      const { status } = await konnect.call(method, path, {
        token: readOnly,
        ...(method === 'DELETE' ? {} : { body: {} }),
      });
      expect({ method, path, status }).toEqual({ method, path, status: 403 });
    }
  });

  test('a revoked token stops working, at once or after a while', async () => {
    const clock = fakeClock();
    await using konnect = await bench({ clock, behavior: { revokedTokenGraceMs: 900_000 } });
    expect(revokeToken(konnect.server.model, full)).toBe(true);
    expect((await konnect.call('GET', '/us/v3/portals')).status).toBe(200);
    clock.advance(900_000);
    expect((await konnect.call('GET', '/us/v3/portals')).status).toBe(401);
    konnect.server.control.behave({ revokedTokenGraceMs: 0 });
    expect((await konnect.call('GET', '/us/v3/portals')).status).toBe(401);
  });
});

describe('paths and hosts', () => {
  test.each([
    ['a portal of another organization', `/us/v3/portals/${otherPortalID}`],
    ['a portal of another region', `/us/v3/portals/${euPortalID}`],
    ['a portal that does not exist', `/us/v3/portals/${unknownID}/audit-log-webhook`],
    ['portals on global', '/global/v3/portals'],
    ['a webhook on global', '/global/v3/audit-log-webhook'],
    ['control planes on global', '/global/v2/control-planes'],
    ['the organization on a region', '/us/v3/organizations/me'],
    ['a region that does not exist', '/mars/v3/portals'],
    ['no region', '/v3/portals'],
    ['a path that does not exist', '/us/v3/nothing'],
    ['an operation that v2 does not have', `/us/v2/portals/${portalID}`],
  ])('%s is 404', async (_, path) => {
    await using konnect = await bench();
    const { status, type, body } = await konnect.call('GET', path);
    expect({ status, type }).toEqual({ status: 404, type: 'application/problem+json' });
    expect(body['instance']).toMatch(/^kong:trace:\d+$/);
  });

  test('a known path with another method is 405', async () => {
    await using konnect = await bench();
    expect((await konnect.call('DELETE', '/us/v2/audit-log-webhook')).status).toBe(405);
    expect((await konnect.call('PUT', '/us/v3/audit-log-webhook', { body: {} })).status).toBe(405);
  });

  test('a host or a path names the region', async () => {
    await using konnect = await bench();
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'eu.api.localhost', authorization: `Bearer ${full}` };
      request(`${konnect.server.url}/v3/portals/${euPortalID}`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    expect(konnect.server.control.calls()).toMatchObject([{ region: 'eu', path: `/v3/portals/${euPortalID}` }]);
  });
});

describe('requests', () => {
  test.each([
    ['no JSON', { raw: '{"name":' }],
    ['JSON that is no object', { raw: '[]' }],
    ['another content type', { body: destination, headers: { 'content-type': 'text/plain' } }],
  ])('with %s are refused', async (_, options) => {
    await using konnect = await bench();
    const { status, body } = await konnect.call('POST', '/global/v3/audit-log-destinations', options);
    expect(status).toBe(400);
    expect(body['invalid_parameters']).toEqual([{ field: 'body', reason: 'request format is invalid' }]);
  });

  test('with unknown parameters are refused', async () => {
    await using konnect = await bench();
    expect((await konnect.call('GET', '/us/v2/audit-log-webhook?verbose=1')).status).toBe(400);
  });

  test('every error has a trace id of its own and echoes what was sent', async () => {
    await using konnect = await bench();
    const options = { body: { ...destination, endpoint: 'collector/c0de' } };
    const first = await konnect.call('POST', '/global/v3/audit-log-destinations', options);
    const second = await konnect.call('POST', '/global/v3/audit-log-destinations', options);
    expect(first.body['instance']).not.toBe(second.body['instance']);
    expect(first.body['detail']).toContain('collector/c0de');
  });
});
