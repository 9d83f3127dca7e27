/** What the client takes from the bodies of answers. */
import { describe, expect, test } from '@jest/globals';
import { answering, body, rejection } from './scripted-konnect.ts';

const signal = new AbortController().signal;
const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';
const portal = '3e551b39-227d-4297-b911-e68fd5d77c17';
const nil = '00000000-0000-0000-0000-000000000000';

describe('what is read', () => {
  test.each<[string, object, object]>([
    [
      'a destination, whole',
      {
        id,
        name: 'n',
        endpoint: 'https://e.example.com',
        log_format: 'cef',
        skip_ssl_verification: true,
        created_at: '0001-01-01T00:00:0Z',
        updated_at: '2023-03-21T09:29:14.52Z',
        more: {},
      },
      {
        id,
        name: 'n',
        endpoint: 'https://e.example.com',
        logFormat: 'cef',
        skipSSLVerification: true,
        createdAt: '0001-01-01T00:00:0Z',
        updatedAt: '2023-03-21T09:29:14.52Z',
      },
    ],
    [
      'a destination of nulls and of words we do not know',
      {
        id,
        name: null,
        endpoint: null,
        log_format: 'leef',
        skip_ssl_verification: null,
        updated_at: 'yesterday evening',
      },
      { id, logFormat: 'leef' },
    ],
    ['a destination with free text for a format', { id, log_format: 'https://secret.example.com' }, { id }],
    ['a destination without an id', { name: 'n' }, { id, name: 'n' }],
  ])('%s', async (_, answer, expected) => {
    const script = { status: 200, body: answer };
    expect((await answering(script, (client) => client.getDestination('v3', id, signal))).value).toEqual(expected);
    const updated = await answering(script, (client) => client.updateDestination('v3', id, body, signal));
    expect(updated.value).toEqual(expected);
  });

  test('not a destination or portal with another ID than the requested one', async () => {
    const script = { status: 200, body: { id: portal } };
    const destination = await answering(script, (c) => rejection(c.getDestination('v3', id, signal)));
    expect(destination.value).toMatchObject({ kind: 'UnexpectedAnswer' });
    const other = await answering(script, (client) => rejection(client.getPortal('us', id, signal)));
    expect(other.value).toMatchObject({ kind: 'UnexpectedAnswer' });
  });

  test.each<[object, object]>([
    [
      { audit_log_destination_id: id.toUpperCase(), enabled: true },
      { destinationID: id, enabled: true },
    ],
    [
      { audit_log_destination_id: '', enabled: false },
      { destinationID: undefined, enabled: false },
    ],
    [
      { audit_log_destination_id: nil, enabled: false },
      { destinationID: undefined, enabled: false },
    ],
    [
      { audit_log_destination_id: null, enabled: null },
      { destinationID: undefined, enabled: false },
    ],
    [{}, { destinationID: undefined, enabled: false }],
  ])('a webhook %j', async (answer, expected) => {
    const script = { status: 200, body: answer };
    expect((await answering(script, (client) => client.getOrganizationWebhook('us', signal))).value).toEqual(expected);
    expect((await answering(script, (c) => c.getPortalWebhook('us', portal, signal))).value).toEqual(expected);
  });

  test.each([
    { audit_log_destination_id: 'sumologic', enabled: true },
    { audit_log_destination_id: id, enabled: 'yes' },
  ])('no webhook like %j', async (answer) => {
    const script = { status: 200, body: answer };
    const { value } = await answering(script, (c) => rejection(c.getOrganizationWebhook('us', signal)));
    expect(value).toMatchObject({ kind: 'UnexpectedAnswer', status: 200 });
  });

  test.each<[object, object]>([
    [
      { endpoint: 'unconfigured', enabled: false },
      { endpoint: undefined, enabled: false },
    ],
    [{ endpoint: '' }, { endpoint: undefined, enabled: false }],
    [{}, { endpoint: undefined, enabled: false }],
    [
      { endpoint: 'https://e.example.com', enabled: true, log_format: 'cef', updated_at: '2023-03-21T09:29:14.52Z' },
      { endpoint: 'https://e.example.com', enabled: true, logFormat: 'cef', updatedAt: '2023-03-21T09:29:14.52Z' },
    ],
  ])('an inline webhook %j', async (answer, expected) => {
    const script = { status: 200, body: answer };
    expect((await answering(script, (client) => client.getInlineWebhook('us', signal))).value).toEqual(expected);
    const write = { ...body, enabled: true };
    const updated = await answering(script, (client) => client.updateInlineWebhook('us', write, signal));
    expect(updated.value).toEqual(expected);
  });

  test.each<[object, object]>([
    [
      {
        webhook_enabled: false,
        webhook_status: 'inactive',
        last_attempt_at: '2023-03-21T09:29:14.52Z',
        last_response_code: 401,
        last_response_message: 'https://secret.example.com said no',
      },
      { enabled: false, word: 'inactive', lastAttemptAt: '2023-03-21T09:29:14.52Z', lastResponseCode: 401 },
    ],
    [{ webhook_enabled: null, last_response_code: 0, last_attempt_at: '0001-01-01T00:00:00:0Z' }, {}],
    [{ webhook_status: 'a sentence', last_response_code: 'many', last_response_message: 1 }, {}],
  ])('the status of a webhook %j, without its free text', async (answer, expected) => {
    const script = { status: 200, body: answer };
    const organization = await answering(script, (c) => c.getOrganizationWebhookStatus('v3', 'us', signal));
    const ofPortal = await answering(script, (c) => c.getPortalWebhookStatus('us', portal, signal));
    expect([organization.value, ofPortal.value]).toEqual([expected, expected]);
  });
});

test.each<[string, string | undefined]>([
  ['Post "https://tls.example.com/dns": dial tcp 10.0.0.1:443: connect: connection refused', 'connection'],
  ['dial tcp: lookup siem.example.com: no such host', 'name'],
  ['POST https://x.example.com/reset: getaddrinfo ENOTFOUND x.example.com', 'name'],
  ['x509: certificate signed by unknown authority', 'certificate'],
  ['tls: failed to verify certificate', 'certificate'],
  ['POST https://x.example.com: self-signed certificate', 'certificate'],
  ['context deadline exceeded (Client.Timeout exceeded while awaiting headers): timeout', 'connection'],
  ['read: connection reset by peer', 'connection'],
  ['unexpected EOF', 'connection'],
  ['https://certificate.example.com/lookup', undefined],
  ['something else', undefined],
])('the text of a failed attempt %j says: %s', async (last_response_message, lastFailure) => {
  const script = { status: 200, body: { webhook_status: 'inactive', last_response_message } };
  const { value } = await answering(script, (c) => c.getPortalWebhookStatus('us', portal, signal));
  expect(value).toEqual({ word: 'inactive', lastFailure });
  const answered = { status: 200, body: { ...script.body, last_response_code: 500 } };
  const withCode = await answering(answered, (c) => c.getPortalWebhookStatus('us', portal, signal));
  expect(withCode.value).toEqual({ word: 'inactive', lastResponseCode: 500 });
});
