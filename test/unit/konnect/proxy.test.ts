import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { KonnectHTTP } from '../../../src/konnect/http.ts';
import { Konnect } from '../../../src/konnect/session/konnect.ts';

const servers: Server[] = [];
const organizationID = '998db3e4-5cb7-4dd5-b51c-9878096a6999';

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A proxy that answers plain requests itself and opens tunnels. It records the requests. */
async function startProxy(asked: string[]): Promise<string> {
  const proxy = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: organizationID }));
  });
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url ?? ''}`);
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  return `http://user:secret@127.0.0.1:${String(await listen(proxy))}`;
}

function organizationThrough(proxies: object, urlTemplate: string): Promise<unknown> {
  const http = new KonnectHTTP({ userAgent: 'test', timeoutMs: 2_000, proxies });
  const { signal } = new AbortController();
  return new Konnect({ http, urlTemplate })
    .forToken('kpat_test')
    .organization(signal)
    .finally(() => http.close());
}

describe('proxies', () => {
  test('plain requests go to HTTP_PROXY, with the credentials in its URL', async () => {
    const asked: string[] = [];
    const proxy = await startProxy(asked);
    await expect(organizationThrough({ HTTP_PROXY: proxy }, 'http://127.0.0.1:9/{region}')).resolves.toEqual({
      id: organizationID,
    });
    const credentials = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    expect(asked).toEqual([`GET http://127.0.0.1:9/global/v3/organizations/me ${credentials}`]);
  });

  test('https goes through a tunnel of HTTPS_PROXY, and TLS is verified at its end', async () => {
    const asked: string[] = [];
    const proxy = await startProxy(asked);
    const port = await listen(createServer());
    const refused = organizationThrough({ HTTPS_PROXY: proxy }, `https://127.0.0.1:${String(port)}/{region}`);
    await expect(refused).rejects.toMatchObject({ kind: 'Unreachable' });
    expect(asked).toEqual([`CONNECT 127.0.0.1:${String(port)}`]);
  });

  test('hosts in NO_PROXY are reached directly', async () => {
    const asked: string[] = [];
    const proxy = await startProxy(asked);
    const direct = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: organizationID }));
    });
    const port = await listen(direct);
    const template = `http://127.0.0.1:${String(port)}/{region}`;
    await organizationThrough({ HTTP_PROXY: proxy, NO_PROXY: '127.0.0.1' }, template);
    expect(asked).toEqual([]);
  });

  test('the error for a missing proxy does not contain its password', async () => {
    const failed = organizationThrough({ HTTP_PROXY: 'http://user:secret@127.0.0.1:9' }, 'http://127.0.0.1:8/{region}');
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'Unreachable', code: 'ECONNREFUSED' });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  });
});
