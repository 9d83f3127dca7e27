import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isKubeError, type KubeError } from '../../../src/kube/errors.ts';
import { KubeClient } from '../../../src/kube/kube-client.ts';
import { addFinalizer } from '../../../src/kube/object-patch.ts';
import { eventually } from '../../support/eventually.ts';
import { ApiServer, configFor, json, refuse, WIDGETS, type Widget } from './api-server.ts';

const SECRET = '/api/v1/namespaces/a/secrets/s';
let server: ApiServer;

beforeEach(async () => {
  server = new ApiServer();
  await server.start();
});

afterEach(() => server.stop());

/** Returns the error that a promise was rejected with. */
async function failure(promise: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isKubeError(error)) throw new Error('not a KubeError', { cause: error });
  return error;
}

describe('requests', () => {
  test('contain credentials, user agent and body', async () => {
    server.otherwise = (seen, response) => {
      json(response, seen.method === 'POST' ? 201 : 200, { metadata: { name: 'x' } });
      return true;
    };
    const client = server.client({ userAgent: 'konnect-audit-log-operator/1.2.3' });
    const body = { metadata: { name: 'x' } };
    await client.get(SECRET, { isMetadataOnly: true });
    await client.create(WIDGETS, body);
    await client.patch(`${WIDGETS}/x`, { kind: 'json', operations: [{ op: 'remove', path: '/spec' }] });
    await client.patch(`${WIDGETS}/x/status`, { kind: 'merge', body });
    expect(
      server.seen.map(({ method, path, query, headers, body: sent }) => [
        `${method} ${path}?${query.toString()}`,
        headers['content-type'] ?? headers.accept,
        sent === '' ? undefined : JSON.parse(sent),
      ]),
    ).toEqual([
      [`GET ${SECRET}?`, 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1', undefined],
      [`POST ${WIDGETS}?`, 'application/json', body],
      [`PATCH ${WIDGETS}/x?`, 'application/json-patch+json', [{ op: 'remove', path: '/spec' }]],
      [`PATCH ${WIDGETS}/x/status?`, 'application/merge-patch+json', body],
    ]);
    for (const { headers } of server.seen) {
      expect(headers.authorization).toBe('Bearer test-token');
      expect(headers['user-agent']).toBe('konnect-audit-log-operator/1.2.3');
    }
  });

  test('contain each impersonated group in a header of its own', async () => {
    server.put('x', 1);
    const config = configFor(server.url);
    const client = server.client({
      config: {
        server: server.url,
        credentials: async () => ({ ...(await config.credentials()), headers: { 'Impersonate-Group': ['a', 'b c'] } }),
        isReplaced: () => false,
      },
    });
    await client.list(WIDGETS);
    // Node joins headers of one name with a comma.
    expect(server.seen[0]?.headers['impersonate-group']).toBe('a, b c');
  });

  test('a list is one page with the token of the next', async () => {
    for (const name of ['x', 'y', 'z']) server.put(name, 1);
    const client = server.client();
    const first = await client.list<Widget>(WIDGETS, { limit: 2 });
    const second = await client.list<Widget>(WIDGETS, { limit: 2, continue: first.metadata.continue });
    expect([...first.items, ...second.items].map(({ metadata }) => metadata.name)).toEqual(['x', 'y', 'z']);
    expect(second.metadata.continue).toBeUndefined();
  });
});

test('every answer is reported, and a request without one as an error, also when it is sent once more', async () => {
  const answers: string[] = [];
  const client = server.client({ onAnswer: (method, code) => answers.push(`${method} ${code}`) });
  await client.list(WIDGETS);
  server.otherwise = (_seen, response) => {
    json(response, 404, { kind: 'Status', code: 404 });
    return true;
  };
  await failure(client.get(SECRET));
  server.otherwise = (_seen, response) => {
    response.destroy();
    return true;
  };
  await failure(client.get(SECRET));
  expect(answers).toEqual(['GET 200', 'GET 404', 'GET <error>', 'GET <error>']);
});

describe('errors', () => {
  test.each([
    [400, 'BadRequest', 'Invalid'],
    [401, 'Unauthorized', 'Unauthorized'],
    [403, 'Forbidden', 'Forbidden'],
    [404, 'NotFound', 'NotFound'],
    [409, 'AlreadyExists', 'Conflict'],
    [410, 'Expired', 'Gone'],
    [418, 'Teapot', 'Other'],
    [422, 'Invalid', 'Invalid'],
    [429, 'TooManyRequests', 'TooManyRequests'],
    [500, 'InternalError', 'Unavailable'],
    [503, 'ServiceUnavailable', 'Unavailable'],
    [504, 'Timeout', 'Timeout'],
    [302, 'Found', 'Other'],
  ])('%i %s is of kind %s', async (status, reason, kind) => {
    server.otherwise = (_seen, response) => {
      refuse(response, status, reason, { location: 'http://127.0.0.1:1/' });
      return true;
    };
    const error = await failure(server.client().patch(`${WIDGETS}/x`, { kind: 'merge', body: {} }));
    expect(Object.fromEntries(Object.entries(error))).toEqual({ name: 'KubeError', kind, status, reason });
    expect(error.message).toBe(`PATCH ${WIDGETS}/x: ${status} ${reason}: refused as ${reason}`);
  });

  test.each([
    [{ 'retry-after': '77' }, {}, 77_000],
    [{}, { details: { retryAfterSeconds: 3 } }, 3000],
    [{ 'retry-after': 'soon' }, {}, undefined],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:00 GMT' }, {}, 0],
    // A clock that is years ahead, or behind.
    [{ 'retry-after': 'Thu, 01 Jan 2099 00:00:00 GMT' }, {}, 300_000],
    [{ 'retry-after': '86400' }, {}, 300_000],
    [{}, { details: { retryAfterSeconds: 86_400 } }, 300_000],
    [{}, {}, undefined],
  ])('contain how long to wait: %j %j', async (headers, body, retryAfterMs) => {
    server.otherwise = (_seen, response) => {
      json(response, 429, body, headers);
      return true;
    };
    expect((await failure(server.client().get(SECRET))).retryAfterMs).toBe(retryAfterMs);
  });

  test('contain at most 300 characters of the message of the server, and nothing of it for Secrets', async () => {
    server.otherwise = (_seen, response) => {
      json(response, 422, { message: 'hunter2'.repeat(100), reason: 'hunter2 with blanks', details: 'hunter2' });
      return true;
    };
    const client = server.client();
    const widget = await failure(client.patch(`${WIDGETS}/x`, { kind: 'merge', body: { a: 'hunter3' } }));
    expect(widget.message).toHaveLength(`PATCH ${WIDGETS}/x: 422: `.length + 301);
    const secret = await failure(client.create('/api/v1/namespaces/a/secrets', { stringData: { token: 'hunter3' } }));
    expect(secret.message).toBe('POST /api/v1/namespaces/a/secrets: 422');
    const list = await failure(client.list(WIDGETS, { continue: 'hunter4' }));
    expect([widget.reason, secret.reason, widget.cause]).toEqual([undefined, undefined, undefined]);
    for (const error of [secret, widget, list])
      expect(JSON.stringify([error, Object.entries(error)])).not.toMatch(/hunter|test-token/);
    expect(`${secret.stack}${secret.message}${list.message.split(': 422')[0]}`).not.toMatch(/hunter|test-token/);
  });

  test('do not quote an answer that is not JSON', async () => {
    server.otherwise = (_seen, response) => {
      response.end('hunter2 is not JSON');
      return true;
    };
    const error = await failure(server.client().get(SECRET));
    expect([error.kind, error.message]).toEqual(['Other', `GET ${SECRET}: the answer is not JSON`]);
  });

  test('an answer that is not a list is an error', async () => {
    server.otherwise = (_seen, response) => {
      json(response, 200, { items: [] });
      return true;
    };
    expect((await failure(server.client().list(WIDGETS))).message).toBe(`GET ${WIDGETS}: the answer is not a list`);
  });

  test('an empty list may be null', async () => {
    server.otherwise = (_seen, response) => {
      json(response, 200, { metadata: { resourceVersion: '1' }, items: null });
      return true;
    };
    expect((await server.client().list(WIDGETS)).items).toEqual([]);
  });

  test('unavailable credentials are an error without the words of the plugin', async () => {
    const client = new KubeClient({
      config: {
        server: server.url,
        credentials: () => Promise.reject(new Error('hunter2')),
        isReplaced: () => false,
      },
      userAgent: 'test',
    });
    const error = await failure(client.get(SECRET));
    expect([error.kind, error.message]).toEqual([
      'Unauthorized',
      `GET ${SECRET}: the credentials of the kubeconfig are not available`,
    ]);
  });
});

describe('limits', () => {
  test('an answer that is too long is an error', async () => {
    server.put('x', 1);
    expect((await failure(server.client({ maxAnswerBytes: 100 }).list(WIDGETS))).message).toBe(
      `GET ${WIDGETS}: an answer of more than 100 bytes`,
    );
  });

  test('a line of a watch that is too long is an error, in any number of chunks', async () => {
    server.watchFaults.push((_seen, response) => {
      for (let part = 0; part < 20; part += 1) response.write('x'.repeat(20));
      return true;
    });
    const watch = server
      .client({ maxLineBytes: 100 })
      .watch<Widget>(WIDGETS, {}, { signal: new AbortController().signal });
    expect((await failure(watch.next())).message).toBe(`WATCH ${WIDGETS}: a line of more than 100 bytes`);
    await eventually(() => expect(server.openConnections).toBe(0));
  });

  test('a request without a complete answer in time is an error, and its connection is closed', async () => {
    server.otherwise = (seen, response) => {
      if (seen.method === 'GET') response.write('{"half":');
      return true;
    };
    const client = server.client({ timeoutMs: 50 });
    const [half, none] = await Promise.all([failure(client.get(SECRET)), failure(client.create(WIDGETS, {}))]);
    expect([half.kind, none.kind, none.message]).toEqual([
      'Timeout',
      'Timeout',
      `POST ${WIDGETS}: no complete answer within 50 ms`,
    ]);
    await eventually(() => expect(server.openConnections).toBe(0));
  });

  test('a plugin that does not answer in time is an error', async () => {
    const client = new KubeClient({
      config: { server: server.url, credentials: () => new Promise(() => undefined), isReplaced: () => false },
      userAgent: 'test',
      timeoutMs: 30,
    });
    expect((await failure(client.get(SECRET))).kind).toBe('Timeout');
  });

  test('an aborted signal ends a request with its reason', async () => {
    server.otherwise = () => true;
    const stop = new AbortController();
    const reason = new Error('stopped');
    const waiting = server.client().get(SECRET, { signal: stop.signal });
    const ended = waiting.catch((error: unknown) => error);
    await eventually(() => expect(server.seen).toHaveLength(1));
    stop.abort(reason);
    expect(await ended).toBe(reason);
    await expect(server.client().get(SECRET, { signal: stop.signal })).rejects.toBe(reason);
    await expect(server.client({ signal: stop.signal }).get(SECRET)).rejects.toBe(reason);
    await eventually(() => expect(server.openConnections).toBe(0));
  });
});

describe('a connection that breaks', () => {
  test('leads to a second GET', async () => {
    let count = 0;
    server.otherwise = (_seen, response) => {
      count += 1;
      if (count === 1) response.destroy();
      else json(response, 200, { data: 1 });
      return true;
    };
    expect(await server.client().get(SECRET)).toEqual({ data: 1 });
  });

  test('does not lead to a third GET, nor to a second request of another kind', async () => {
    server.otherwise = (_seen, response) => {
      response.destroy();
      return true;
    };
    const client = server.client();
    const error = await failure(client.get(SECRET));
    expect([error.kind, server.seen.length]).toEqual(['Unavailable', 2]);
    await failure(client.create(WIDGETS, {}));
    await failure(client.patch(`${WIDGETS}/x`, { kind: 'json', operations: [] }));
    expect(server.seen).toHaveLength(4);
  });
});

describe('a token that is refused', () => {
  /** The server accepts only `good`. The client has `old` until that is refused, and `next` from then on. */
  function clientWith(next: string, { good }: { good: string }): { client: KubeClient; tokens: () => unknown[] } {
    let token = 'old';
    server.otherwise = ({ headers }, response) => {
      if (headers.authorization !== good) refuse(response, 401, 'Unauthorized');
      return headers.authorization !== good;
    };
    const config = configFor(server.url);
    const client = server.client({
      config: {
        server: server.url,
        credentials: async () => ({ ...(await config.credentials()), headers: { authorization: token } }),
        isReplaced({ headers }) {
          token = next;
          return headers['authorization'] !== next;
        },
      },
    });
    return { client, tokens: () => server.seen.map(({ headers }) => headers.authorization) };
  }

  test('leads to a second attempt with another one, for every kind of request', async () => {
    server.put('x', 1);
    const { client, tokens } = clientWith('new', { good: 'new' });
    expect((await client.list(WIDGETS)).items).toHaveLength(1);
    expect(tokens()).toEqual(['old', 'new']);
  });

  test('leads to one for a watch, too', async () => {
    const { client, tokens } = clientWith('new', { good: 'new' });
    const stop = new AbortController();
    const watch = client.watch(WIDGETS, { resourceVersion: '10' }, { signal: stop.signal });
    const first = watch.next();
    await eventually(() => expect(server.openWatches).toBe(1));
    server.put('x', 1);
    expect((await first).value).toMatchObject({ type: 'ADDED' });
    await watch.return();
    expect(tokens()).toEqual(['old', 'new']);
  });

  test('does not lead to a third attempt', async () => {
    const { client, tokens } = clientWith('new', { good: 'another' });
    expect((await failure(client.patch(`${WIDGETS}/x`, { kind: 'merge', body: {} }))).kind).toBe('Unauthorized');
    expect(tokens()).toEqual(['old', 'new']);
  });

  test('does not lead to a second attempt if there is no other token', async () => {
    const { client, tokens } = clientWith('old', { good: 'new' });
    expect((await failure(client.create(WIDGETS, {}))).kind).toBe('Unauthorized');
    expect(tokens()).toEqual(['old']);
  });
});

describe('a watch', () => {
  test('joins the chunks of a line, and skips empty lines', async () => {
    const text = ['ä', '漢', '🙂'].map((name, index) => ({
      type: 'ADDED',
      object: { metadata: { name, resourceVersion: String(index) } },
    }));
    const bytes = Buffer.from(text.map((event) => `${JSON.stringify(event)}\n\r\n`).join(''));
    server.watchFaults.push((_seen, response) => {
      response.socket?.setNoDelay(true);
      void (async () => {
        for (const byte of bytes) await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
        response.end();
      })();
      return true;
    });
    const names: string[] = [];
    for await (const { object } of server.client().watch<Widget>(WIDGETS, {}, { signal: new AbortController().signal }))
      names.push('name' in object.metadata ? object.metadata.name : '');
    expect(names).toEqual(['ä', '漢', '🙂']);
  });

  test('closes its connection when the loop is left', async () => {
    server.put('x', 1);
    for await (const event of server
      .client()
      .watch<Widget>(WIDGETS, { resourceVersion: 1 }, { signal: new AbortController().signal })) {
      expect(event.type).toBe('ADDED');
      break;
    }
    await eventually(() => expect(server.openConnections).toBe(0));
  });

  test('that is aborted ends with the reason, also while it waits for the answer', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    server.watchFaults.push(() => true);
    const waiting = server.client().watch<Widget>(WIDGETS, {}, { signal: stop.signal }).next();
    const ended = waiting.catch((error: unknown) => error);
    await eventually(() => expect(server.watches()).toHaveLength(1));
    stop.abort(reason);
    expect(await ended).toBe(reason);
    await eventually(() => expect(server.openConnections).toBe(0));
  });
});

test('a patch that adds a finalizer is sent as JSON Patch', async () => {
  const widget = server.put('x', 1);
  server.otherwise = (_seen, response) => {
    json(response, 200, {});
    return true;
  };
  await server.client().patch(`${WIDGETS}/x`, { kind: 'json', operations: addFinalizer(widget, 'example.io/f') ?? [] });
  expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual([
    { op: 'test', path: '/metadata/uid', value: widget.metadata.uid },
    { op: 'replace', path: '/metadata/resourceVersion', value: widget.metadata.resourceVersion },
    { op: 'add', path: '/metadata/finalizers', value: ['example.io/f'] },
  ]);
});
