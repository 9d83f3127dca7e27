import { describe, expect, test } from '@jest/globals';
import { bench, organizationID, portalID } from './support.ts';

const organization = `/__sandbox/organizations/${organizationID}`;

type Konnect = Awaited<ReturnType<typeof bench>>;

async function attach(konnect: Konnect, path: string) {
  const body = { audit_log_destination_id: await konnect.createDestination(), enabled: true };
  await konnect.call('PATCH', path, { body });
  return body;
}

describe.each([
  ['a portal', `/us/v3/portals/${portalID}/audit-log-webhook`, `${organization}/portals/${portalID}/attempts`],
  ['the organization', '/us/v3/audit-log-webhook', `${organization}/webhooks/us/attempts`],
])('the webhook of %s', (_, path, attempts) => {
  const status = async (konnect: Konnect) => {
    const { body } = await konnect.call('GET', `${path}/status`);
    return [body['webhook_enabled'], body['webhook_status'], body['last_response_code']];
  };

  test('is switched off after failed attempts in a row, and on by a PATCH', async () => {
    await using konnect = await bench();
    const body = await attach(konnect, path);
    expect(await status(konnect)).toEqual([true, 'active', undefined]);
    await konnect.call('POST', attempts, { body: { code: 503, times: 9 } });
    expect(await status(konnect)).toEqual([true, 'inactive', 503]);
    await konnect.call('POST', attempts, { body: { code: 200 } });
    konnect.server.control.behave({ switchOffAfter: 3 });
    await konnect.call('POST', attempts, { body: { times: 2 } });
    expect(await status(konnect)).toEqual([true, 'inactive', undefined]);
    await konnect.call('POST', attempts, { body: { code: 500 } });
    expect(await status(konnect)).toEqual([false, 'inactive', 500]);
    expect((await konnect.call('GET', path)).body['enabled']).toBe(false);
    await konnect.call('POST', attempts, { body: { code: 200 } });
    expect(await status(konnect)).toEqual([false, 'inactive', 500]);

    await konnect.call('PATCH', path, { body });
    await konnect.call('POST', attempts, { body: { code: 500, times: 2 } });
    expect(await status(konnect)).toEqual([true, 'inactive', 500]);
    await konnect.call('POST', attempts, { body: { code: 204 } });
    expect(await status(konnect)).toEqual([true, 'active', 204]);
  });

  test('can stay enabled, and be inactive only from then on', async () => {
    await using konnect = await bench({ behavior: { switchOffAfter: 2, inactiveWebhook: 'switched-off' } });
    const body = await attach(konnect, path);
    await konnect.call('POST', attempts, { body: { code: 500 } });
    expect(await status(konnect)).toEqual([true, 'active', 500]);
    await konnect.call('POST', attempts, { body: { code: 500 } });
    expect(await status(konnect)).toEqual([true, 'inactive', 500]);
    expect((await konnect.call('GET', path)).body).toEqual(body);
    await konnect.call('PATCH', path, { body });
    expect(await status(konnect)).toEqual([true, 'active', 500]);
  });

  test('is active if a client switched it off', async () => {
    await using konnect = await bench();
    const body = await attach(konnect, path);
    await konnect.call('POST', attempts, { body: { code: 200 } });
    await konnect.call('PATCH', path, { body: { ...body, enabled: false } });
    expect(await status(konnect)).toEqual([false, 'active', 200]);
  });
});

test('attempts are recorded only for webhooks that exist', async () => {
  await using konnect = await bench();
  expect((await konnect.call('POST', `${organization}/portals/nobody/attempts`, { body: {} })).status).toBe(404);
  expect((await konnect.call('POST', `${organization}/webhooks/us/attempts`, { body: { code: 1 } })).status).toBe(400);
});

test('a webhook that Konnect switched off sends nothing, although it stays enabled', async () => {
  const sent: unknown[] = [];
  const deliver = { send: (event: unknown) => void sent.push(event), jwks: () => ({ keys: [] }), stop: async () => {} };
  await using konnect = await bench({ deliver, behavior: { switchOffAfter: 1, inactiveWebhook: 'switched-off' } });
  await attach(konnect, '/us/v3/audit-log-webhook');
  expect(sent).toHaveLength(1);
  await konnect.call('POST', `${organization}/webhooks/us/attempts`, { body: {} });
  await konnect.call('GET', '/us/v3/audit-log-webhook');
  expect(sent).toHaveLength(1);
});
