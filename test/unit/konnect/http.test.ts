import { createServer as createTLSServer } from 'node:https';
import { createServer as createTCPServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createAuthority } from '../../../sandbox/certificates.ts';
import { KonnectHTTP } from '../../../src/konnect/http.ts';
import { closed, listening } from './listening.ts';
import { clientOf, rejection, type Script, scriptedKonnect } from './scripted-konnect.ts';

const signal = new AbortController().signal;
const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';
const body = {
  name: 'platform/sumologic',
  endpoint: 'https://siem.example.com/receiver/v1/http/code',
  authorization: 'Bearer siem',
  logFormat: 'cef',
  skipSSLVerification: false,
} as const;

async function failureOf(script: Script, method: 'read' | 'write' = 'read') {
  await using server = await scriptedKonnect(() => script);
  using konnect = clientOf(server.urlTemplate, { nowMs: () => Date.parse('2026-01-01T00:00:00Z') });
  const error = await rejection(
    method === 'read'
      ? konnect.client.listDestinations('v3', signal)
      : konnect.client.createDestination('v3', body, signal),
  );
  expect(server.requests).toHaveLength(1);
  return { error, calls: konnect.calls };
}

test.each([200, 404, 429])('the limit of requests that an answer with %i states is reported', async (status) => {
  const headers = { 'ratelimit-limit': '3000', 'ratelimit-remaining': '2999' };
  await using server = await scriptedKonnect(() => ({ status, body: {}, headers }));
  const http = new KonnectHTTP({ userAgent: 'test' });
  const url = new URL('/v3/portals/x', server.urlTemplate.replace('{region}', 'us'));
  const limits: object[] = [];
  const onRateLimit = (limit: object) => limits.push(limit);
  const request = { operation: 'get portal', region: 'us', method: 'GET', url, token: 'kpat', signal } as const;
  await http.send({ ...request, onRateLimit }).catch(() => undefined);
  http.close();
  expect(limits).toEqual([{ limit: 3_000, remaining: 2_999 }]);
});

describe('an answer that is not a success', () => {
  test.each([
    [400, 'Refused', false],
    [401, 'Unauthorized', false],
    [403, 'Forbidden', false],
    [404, 'NotFound', false],
    [408, 'ServerError', true],
    [409, 'Conflict', false],
    [418, 'Refused', false],
    [429, 'RateLimited', false],
    [500, 'ServerError', true],
    [503, 'ServerError', true],
    [301, 'UnexpectedAnswer', true],
  ] as const)('%i is %s, and mayHaveHappened is %s for a write', async (status, kind, mayHaveHappened) => {
    const problem = { status, title: 'Title', instance: 'konnect:trace:42', detail: 'detail' };
    const written = await failureOf({ status, body: problem }, 'write');
    expect(written.error).toMatchObject({ kind, status, mayHaveHappened, instance: 'konnect:trace:42' });
    expect(written.calls).toMatchObject([{ operation: 'create destination', region: 'global', status, kind }]);
    const read = await failureOf({ status, body: problem });
    expect(read.error).toMatchObject({ kind, status, mayHaveHappened: false });
  });

  test.each(['kpat_Q7vZ0123456789', 'kong:trace:Q7vZ0123456789', '07ec3858-066b-4629-bdc5-d4aa893b424d', '12345'])(
    'keeps no instance that is not the number of a trace, since it may be anything that was sent: %s',
    async (instance) => {
      const { error } = await failureOf({ status: 500, body: { status: 500, instance } });
      expect(error).toHaveProperty('instance', undefined);
    },
  );

  test('names only refused fields that the operator sends', async () => {
    const { error } = await failureOf(
      {
        status: 400,
        body: {
          instance: 'not a trace id, with blanks',
          invalid_parameters: [
            { field: 'endpoint', reason: 'https://secret.example.com is not reachable' },
            { field: 'body.log_format', reason: 'x' },
            { field: 'https://secret.example.com', reason: 'x' },
            { field: 7 },
            null,
          ],
        },
      },
      'write',
    );
    expect(error).toMatchObject({ refusedFields: ['endpoint', 'log_format'], instance: undefined });
    expect(error).toHaveProperty(
      'message',
      'create destination: Konnect answered 400 (Refused), refusing endpoint, log_format',
    );
  });

  test('is an error without a body, and with a body that is not JSON', async () => {
    expect((await failureOf({ status: 502, body: '<html>bad gateway</html>' })).error).toMatchObject({
      kind: 'ServerError',
      status: 502,
    });
    expect((await failureOf({ status: 403 })).error).toMatchObject({ kind: 'Forbidden' });
  });

  test.each([
    ['77', 77_000],
    ['0', 0],
    ['999999', 3_600_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['soon', undefined],
  ])('Retry-After %s', async (header, expected) => {
    const { error } = await failureOf({ status: 429, headers: { 'retry-after': header } });
    expect(error).toHaveProperty('retryAfterMs', expected);
  });

  test('a 404 of a gateway proves nothing', async () => {
    for (const answer of ['<html>not here</html>', { message: 'no Route matched with those values' }]) {
      const { error } = await failureOf({ status: 404, body: answer }, 'write');
      expect(error).toMatchObject({ kind: 'UnexpectedAnswer', status: 404, mayHaveHappened: false });
    }
  });
});

describe('an unreadable answer', () => {
  test.each<[string, Script]>([
    ['HTML', { status: 200, body: '<html>please log in</html>' }],
    ['nothing', { status: 200 }],
    ['a list instead of an object', { status: 200, body: [] }],
    ['half a JSON text', { status: 200, body: '{"data": [' }],
    ['wrong types', { status: 200, body: { data: [{ id: 5 }], meta: {} } }],
    ['an id that is no UUID', { status: 200, body: { data: [{ id: '../../v3/portals' }] } }],
    ['a page without data', { status: 200, body: { meta: { next: null } } }],
    ['more than 4 MiB', { status: 200, body: `{"data": [], "x": "${'x'.repeat(5 * 1024 * 1024)}"}` }],
    [
      'more than 4 MiB, compressed',
      (answer) => {
        answer.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`{"data": [], "x": "${'x'.repeat(5e6)}"}`));
      },
    ],
    [
      'a body that breaks off',
      (answer) => {
        answer.writeHead(200, { 'content-length': '1000' });
        answer.write('{"data": []', () => answer.destroy());
      },
    ],
  ])('%s', async (_, script) => {
    const { error } = await failureOf(script);
    expect(error).toMatchObject({ kind: 'UnexpectedAnswer', status: 200, mayHaveHappened: false });
    expect((await failureOf(script, 'write')).error).toMatchObject({ kind: 'UnexpectedAnswer', mayHaveHappened: true });
  });

  test('a redirect is not followed', async () => {
    await using elsewhere = await scriptedKonnect(() => ({ status: 200, body: { data: [], meta: {} } }));
    const { error } = await failureOf({ status: 307, headers: { location: `http://127.0.0.1:${elsewhere.port}/` } });
    expect(error).toMatchObject({ kind: 'UnexpectedAnswer', status: 307 });
    expect(elsewhere.requests).toHaveLength(0);
  });
});

describe('no answer', () => {
  const timeoutMs = 15_000;
  // On a busy machine, a short timeout could pass before the request is sent.
  const useManualTimeouts = () => jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  const passTimeout = () => {
    jest.advanceTimersByTime(timeoutMs);
  };
  afterEach(() => {
    jest.useRealTimers();
  });

  test('a refused connection: the write did not happen', async () => {
    const server = createTCPServer();
    const port = await listening(server);
    await closed(server);
    using konnect = clientOf(`http://127.0.0.1:${port}/{region}`);
    const error = await rejection(konnect.client.createDestination('v3', body, signal));
    expect(error).toMatchObject({
      kind: 'Unreachable',
      code: 'ECONNREFUSED',
      status: undefined,
      mayHaveHappened: false,
    });
    expect(konnect.calls).toMatchObject([{ status: undefined, kind: 'Unreachable' }]);
  });

  test('an untrusted certificate: the write did not happen', async () => {
    const authority = await createAuthority('nobody trusts this');
    const { certificate, key } = await authority.issue({
      commonName: 'konnect',
      hosts: ['127.0.0.1'],
      usage: 'server',
    });
    const server = createTLSServer({ cert: certificate, key });
    const port = await listening(server);
    using konnect = clientOf(`https://127.0.0.1:${port}/{region}`);
    const error = await rejection(konnect.client.createDestination('v3', body, signal));
    expect(error).toMatchObject({
      kind: 'Unreachable',
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      mayHaveHappened: false,
    });
    await closed(server);
  });

  test.each<[string, Script]>([
    ['a connection that is reset', (answer) => answer.destroy()],
    ['silence', passTimeout],
  ])('%s: the write may have happened', async (_, script) => {
    useManualTimeouts();
    await using server = await scriptedKonnect(() => script);
    using konnect = clientOf(server.urlTemplate, { timeoutMs });
    expect(await rejection(konnect.client.createDestination('v3', body, signal))).toMatchObject({
      kind: 'Unreachable',
      code: expect.stringMatching(/^(ECONNRESET|ETIMEDOUT)$/),
      mayHaveHappened: true,
    });
    expect(await rejection(konnect.client.getDestination('v3', id, signal))).toMatchObject({
      kind: 'Unreachable',
      mayHaveHappened: false,
    });
    expect(server.requests).toHaveLength(2);
  });

  test('a body that never ends is given up after the timeout', async () => {
    useManualTimeouts();
    await using server = await scriptedKonnect(() => (answer) => {
      answer.writeHead(200);
      // Two turns of the event loop later the client has read it.
      answer.write('{', () => setImmediate(() => setImmediate(passTimeout)));
    });
    using konnect = clientOf(server.urlTemplate, { timeoutMs });
    expect(await rejection(konnect.client.getDestination('v3', id, signal))).toMatchObject({
      kind: 'UnexpectedAnswer',
    });
  });

  test('the caller aborts', async () => {
    const abort = new AbortController();
    await using server = await scriptedKonnect(() => () => abort.abort());
    using konnect = clientOf(server.urlTemplate);
    expect(await rejection(konnect.client.createDestination('v3', body, abort.signal))).toMatchObject({
      kind: 'Unreachable',
      code: 'ABORT_ERR',
      mayHaveHappened: true,
    });
    expect(await rejection(konnect.client.createDestination('v3', body, abort.signal))).toMatchObject({
      code: 'ABORT_ERR',
      mayHaveHappened: false,
    });
    expect(server.requests).toHaveLength(1);
  });

  test('a token with characters that a header cannot contain is not sent', async () => {
    await using server = await scriptedKonnect(() => ({ status: 200, body: { id } }));
    using konnect = clientOf(server.urlTemplate, { token: 'kpat_a\r\nx-evil: 1' });
    const error = await rejection(konnect.client.organization(signal));
    expect(error).toMatchObject({ kind: 'Unauthorized', status: undefined });
    expect(String(error)).not.toContain('evil');
    expect(server.requests).toHaveLength(0);
  });
});

describe('requests', () => {
  test('share kept connections, up to the limit', async () => {
    await using server = await scriptedKonnect(() => ({ status: 200, body: { id } }));
    using konnect = clientOf(server.urlTemplate, { maxSockets: 2 });
    await Promise.all(Array.from({ length: 20 }, () => konnect.client.organization(signal)));
    await konnect.client.organization(signal);
    expect(server.requests).toHaveLength(21);
    expect(server.connections()).toBe(2);
  });

  test('contain the token, a user agent and JSON', async () => {
    await using server = await scriptedKonnect(() => ({ status: 201, body: { id } }));
    using konnect = clientOf(server.urlTemplate);
    await konnect.client.createDestination('v3', body, signal);
    expect(server.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer kpat_token',
      'user-agent': 'konnect-audit-log-operator/test',
      'content-type': 'application/json',
    });
    expect(konnect.calls).toMatchObject([{ operation: 'create destination', status: 201, kind: undefined }]);
    expect(konnect.calls[0]?.durationMs).toBeGreaterThan(0);
  });
});
