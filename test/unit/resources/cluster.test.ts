import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Cluster, PortalObject } from '../../../src/forwarding/ports.ts';
import { createCluster } from '../../../src/resources/cluster.ts';
import { ApiServer, json } from '../kube/api-server.ts';

const id = '3e551b39-227d-4297-b911-e68fd5d77c17';
const organizationID = '998db3e4-5cb7-4dd5-b51c-9878096a6999';
const serverURL = 'https://us.api.konghq.com';
let server: ApiServer;

beforeEach(async () => {
  server = new ApiServer();
  await server.start();
});

afterEach(() => server.stop());

function cluster(): Cluster {
  const silent = () => undefined;
  return createCluster({
    client: server.client({ timeoutMs: 1_000 }),
    recorder: { record: silent },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    onWritten: silent,
    onEvent: silent,
  });
}

const readPortal = (): Promise<PortalObject> => cluster().readPortal('platform', 'shop', new AbortController().signal);

function answer(body: unknown): void {
  server.otherwise = (_seen, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    return true;
  };
}

test('a Portal is read with one request, in the version of kong-operator', async () => {
  answer({ spec: {}, status: { id, organizationID, serverURL, conditions: [] } });
  expect(await readPortal()).toEqual({ kind: 'portal', id, organizationID, serverURL });
  expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /apis/konnect.konghq.com/v1alpha1/namespaces/platform/portals/shop',
  ]);
});

describe('an unexpected value counts as missing', () => {
  test.each([
    ['no status', {}, {}],
    ['an empty status', { status: {} }, {}],
    ['a status of another type', { status: 'ready' }, {}],
    ['an ID that is no UUID', { status: { id: '../destinations', organizationID } }, { organizationID }],
    ['an ID of another type', { status: { id: 7, serverURL } }, { serverURL }],
    ['an empty ID', { status: { id: '' } }, {}],
    ['a long serverURL', { status: { id, serverURL: 'x'.repeat(513) } }, { id }],
    ['an ID in capitals, which is valid', { status: { id: id.toUpperCase() } }, { id }],
    ['no object at all', 'text', {}],
  ])('%s', async (_title, body, expected) => {
    answer(body);
    expect(await readPortal()).toEqual({ kind: 'portal', ...expected });
  });
});

describe('failed reads are distinguished', () => {
  test.each([
    ['absent', 404, { reason: 'NotFound' }, {}],
    ['forbidden', 403, { reason: 'Forbidden' }, {}],
    ['unreadable', 500, { reason: 'InternalError' }, {}],
    ['unreadable', 429, { reason: 'TooManyRequests', details: { retryAfterSeconds: 2 } }, { retryAfterMs: 2_000 }],
  ])('%s: %i', async (kind, status, body, more) => {
    server.otherwise = (_seen, response) => {
      json(response, status, { kind: 'Status', ...body });
      return true;
    };
    expect(await readPortal()).toEqual({ kind, ...more });
  });

  test('an answer that is not a Status means that the kind is not served', async () => {
    server.otherwise = (_seen, response) => {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n');
      return true;
    };
    expect(await readPortal()).toEqual({ kind: 'unserved' });
  });

  test('an API server without answers, or without connections', async () => {
    server.otherwise = () => true;
    expect(await readPortal()).toEqual({ kind: 'unreadable' });
    await server.stop();
    expect(await readPortal()).toEqual({ kind: 'unreadable' });
    await server.start();
  });

  test('an error of the operator’s own credentials is not a state of the Portal', async () => {
    server.otherwise = (_seen, response) => {
      json(response, 401, { kind: 'Status', reason: 'Unauthorized' });
      return true;
    };
    await expect(readPortal()).rejects.toMatchObject({ kind: 'Unauthorized' });
  });
});

describe('a KonnectAPIAuthConfiguration', () => {
  const read = () => cluster().readAuthConfiguration('platform', 'kong', new AbortController().signal);

  test('is read with one request, in the version of kong-operator', async () => {
    answer({ spec: { type: 'token', token: 'kpat_x', serverURL }, status: { organizationID } });
    expect(await read()).toEqual({ kind: 'token', token: 'kpat_x', serverURL });
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /apis/konnect.konghq.com/v1alpha1/namespaces/platform/konnectapiauthconfigurations/kong',
    ]);
  });

  test.each([
    ['a Secret', { type: 'secretRef', secretRef: { name: 'a' } }, { kind: 'secret', name: 'a' }],
    [
      'a Secret elsewhere',
      { type: 'secretRef', secretRef: { name: 'a', namespace: 'b' } },
      { kind: 'secret', name: 'a', namespace: 'b' },
    ],
    ['a Secret without a name', { type: 'secretRef', secretRef: {} }, { kind: 'empty' }],
    ['a type that this operator does not know', { type: 'other', token: 'kpat_x' }, { kind: 'empty' }],
    ['values of other types', { type: 'token', token: 7, secretRef: 'x', serverURL: 7 }, { kind: 'empty' }],
    ['no spec', undefined, { kind: 'empty' }],
  ])('that has %s', async (_what, spec, expected) => {
    answer({ spec });
    expect(await read()).toEqual(expected);
  });

  test.each([
    ['absent', 404, { kind: 'Status', reason: 'NotFound' }],
    ['unserved', 404, {}],
    ['forbidden', 403, { kind: 'Status', reason: 'Forbidden' }],
  ])('that is %s', async (kind, status, body) => {
    server.otherwise = (_seen, response) => {
      json(response, status, body);
      return true;
    };
    expect(await read()).toEqual({ kind });
  });

  test('that the API server fails to return makes the reconciliation fail, as a Secret does', async () => {
    server.otherwise = (_seen, response) => {
      json(response, 500, { kind: 'Status', reason: 'InternalError' });
      return true;
    };
    await expect(read()).rejects.toMatchObject({ kind: 'Unavailable' });
  });
});
