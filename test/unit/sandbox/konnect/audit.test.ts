import { describe, expect, test } from '@jest/globals';
import {
  type Bench,
  bench,
  destination,
  fakeClock,
  organizationID,
  portalID,
  readOnly,
  recordingDelivery,
} from './support.ts';

const portal = `/us/v3/portals/${portalID}`;
const login = `/us/__portals/${portalID}/api/v2/developer/authenticate`;

async function attach(konnect: Bench, path: string): Promise<string> {
  const id = await konnect.createDestination();
  await konnect.call('PATCH', path, { body: { audit_log_destination_id: id, enabled: true } });
  return id;
}

describe('audit lines', () => {
  test('a call to Konnect goes to the organization’s webhook of that region', async () => {
    const deliver = recordingDelivery();
    const clock = fakeClock();
    await using konnect = await bench({ deliver, clock });
    await attach(konnect, '/us/v3/audit-log-webhook');
    deliver.sent.length = 0;
    await konnect.call('GET', '/eu/v2/control-planes');
    await konnect.call('GET', '/us/v2/control-planes', { headers: { 'user-agent': 'curl/8' } });
    expect(deliver.sent).toHaveLength(1);
    const [sent] = deliver.sent;
    expect(sent?.event).toMatchObject({
      at: clock(),
      product: 'Konnect',
      eventClassID: 'konnect',
      name: 'Authz.control-planes',
      severity: 1,
    });
    expect(Object.entries(sent?.event.extension ?? {})).toEqual([
      ['rt', String(clock().getTime())],
      ['src', '127.0.0.1'],
      ['action', 'list'],
      ['granted', 'true'],
      ['org_id', organizationID],
      ['principal_id', expect.any(String)],
      ['trace_id', expect.stringMatching(/^\d+$/)],
      ['user_agent', 'curl/8'],
    ]);
    expect(sent?.target).toEqual({
      endpoint: destination.endpoint,
      authorization: destination.authorization,
      logFormat: 'cef',
      skipSSLVerification: false,
    });
  });

  test('can have trace IDs that need all 64 bits', async () => {
    const deliver = recordingDelivery();
    await using konnect = await bench({ deliver, behavior: { traceIDs: 'above-2^63' } });
    await attach(konnect, '/us/v3/audit-log-webhook');
    await konnect.call('GET', '/us/v2/control-planes');
    const traceID = deliver.sent.at(-1)?.event.extension['trace_id'] ?? '0';
    expect(BigInt(traceID) >> 63n).toBe(1n);
  });

  test('a refused write also creates a line', async () => {
    await using konnect = await bench();
    await konnect.call('PATCH', '/us/v3/audit-log-webhook', { token: readOnly, body: {} });
    const [recorded] = konnect.server.model.organizations.get(organizationID)?.events ?? [];
    expect(recorded?.event).toMatchObject({
      name: 'Authz.audit-log-webhook',
      extension: { action: 'update', granted: 'false' },
    });
  });

  test('a developer’s login goes only to the webhook of its portal, whether it succeeds or fails', async () => {
    const deliver = recordingDelivery();
    await using konnect = await bench({ deliver });
    await attach(konnect, `${portal}/audit-log-webhook`);
    const good = await konnect.call('POST', login, {
      token: null,
      body: { username: 'dev@example.com', password: 'secret' },
    });
    const wrong = await konnect.call('POST', login, {
      token: null,
      body: { username: 'dev@example.com', password: 'x' },
    });
    const nobody = await konnect.call('POST', login, {
      token: null,
      body: { username: 'me@example.com', password: 'x' },
    });
    expect([good.status, wrong.status, nobody.status]).toEqual([200, 401, 401]);
    expect(deliver.sent.map(({ event }) => [event.product, event.eventClassID, event.name, event.severity])).toEqual([
      ['Dev-Portal', 'AUTHENTICATION_TYPE_BASIC', 'AUTHENTICATION_OUTCOME_SUCCESS', 0],
      ['Dev-Portal', 'AUTHENTICATION_TYPE_BASIC', 'AUTHENTICATION_OUTCOME_INVALID_PASSWORD', 0],
      ['Dev-Portal', 'AUTHENTICATION_TYPE_BASIC', 'AUTHENTICATION_OUTCOME_NOT_FOUND', 0],
    ]);
    const extension = deliver.sent[0]?.event.extension ?? {};
    expect(Object.keys(extension).join(' ')).toBe(
      'rt src request success org_id portal_id principal_id trace_id user_agent',
    );
    expect(extension).toMatchObject({
      request: '/api/v2/developer/authenticate',
      success: 'true',
      portal_id: portalID,
    });
    expect(deliver.sent[1]?.event.extension).toMatchObject({ success: 'false' });
  });

  test('a webhook that is off gets no lines', async () => {
    const deliver = recordingDelivery();
    await using konnect = await bench({ deliver });
    const id = await attach(konnect, '/us/v3/audit-log-webhook');
    await konnect.call('PATCH', '/us/v3/audit-log-webhook', { body: { audit_log_destination_id: id, enabled: false } });
    deliver.sent.length = 0;
    await konnect.call('GET', '/us/v2/control-planes');
    expect(deliver.sent).toEqual([]);
  });

  test('only the last 10,000 lines are kept', async () => {
    await using konnect = await bench();
    const organization = konnect.server.model.organizations.get(organizationID);
    await konnect.call('GET', '/us/v2/control-planes');
    const [first] = organization?.events ?? [];
    if (first !== undefined) organization?.events.push(...Array.from({ length: 9999 }, () => first));
    await konnect.call('GET', '/us/v3/portals');
    expect(organization?.events).toHaveLength(10_000);
    expect(organization?.events.at(-1)?.event.name).toBe('Authz.portals');
  });

  test('the JWKS is that of the delivery, and needs no token', async () => {
    await using konnect = await bench({ deliver: recordingDelivery() });
    const { status, body } = await konnect.call('GET', '/us/v2/audit-log-webhook/jwks.json', { token: null });
    expect({ status, body }).toMatchObject({ status: 200, body: { keys: [{ kty: 'OKP', kid: 'k1' }] } });
  });

  test('the delivery is stopped with the server', async () => {
    const deliver = recordingDelivery();
    await using konnect = await bench({ deliver });
    await konnect.server.stop().then(() => expect(deliver.stopped).toBe(true));
    konnect.server.stop = () => Promise.resolve();
  });
});

describe('delivery status', () => {
  test('follows the attempts, and its message echoes the endpoint', async () => {
    const deliver = recordingDelivery();
    const clock = fakeClock();
    await using konnect = await bench({ deliver, clock });
    const id = await attach(konnect, '/us/v3/audit-log-webhook');
    const attempt = deliver.sent.at(-1)?.onAttempt;
    attempt?.({ at: clock(), code: 401, message: 'Unauthorized', ok: false, givenUp: true });
    const status = '/us/v3/audit-log-webhook/status';
    const failed = {
      webhook_enabled: true,
      webhook_status: 'inactive',
      last_attempt_at: clock().toISOString(),
      last_response_code: 401,
      last_response_message: `Unauthorized [POST ${destination.endpoint}]`,
    };
    expect((await konnect.call('GET', status)).body).toEqual(failed);
    expect((await konnect.call('GET', '/us/v2/audit-log-webhook/status')).body).toEqual(failed);
    await konnect.call('PATCH', '/us/v3/audit-log-webhook', { body: { audit_log_destination_id: id, enabled: false } });
    expect((await konnect.call('GET', status)).body).toEqual({ ...failed, webhook_enabled: false });
    attempt?.({ at: clock(), message: 'ok', code: 200, ok: true, givenUp: false });
    expect((await konnect.call('GET', status)).body).toMatchObject({
      webhook_enabled: false,
      webhook_status: 'active',
    });
  });

  test('starts again when the webhook points elsewhere, whatever happens to older lines', async () => {
    const deliver = recordingDelivery();
    await using konnect = await bench({ deliver });
    await attach(konnect, '/us/v3/audit-log-webhook');
    const attempt = deliver.sent.at(-1)?.onAttempt;
    const second = await konnect.createDestination({ name: 'second' });
    await konnect.call('PATCH', '/us/v3/audit-log-webhook', {
      body: { audit_log_destination_id: second, enabled: true },
    });
    attempt?.({ at: new Date(), message: 'refused', ok: false, givenUp: true });
    const { body } = await konnect.call('GET', '/us/v3/audit-log-webhook/status');
    expect(body).toEqual({ webhook_enabled: true, webhook_status: 'active' });
  });
});
