/** The proxies of a kubeconfig: what `proxy-url` names is asked for a connection to the API server. */
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createAuthority } from '../../../sandbox/certificates.ts';
import { KubeClient } from '../../../src/kube/kube-client.ts';
import { PooledKubeConfig } from '../../../src/kube/kube-config.ts';

const servers: net.Server[] = [];
const sockets = new Set<Duplex>();
let ca: string;
let apiPort: number;

async function listening(server: net.Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: net.Socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no address');
  return address.port;
}

beforeEach(async () => {
  const authority = await createAuthority('test');
  const { certificate: cert, key } = await authority.issue({
    commonName: 'api',
    hosts: ['api.example'],
    usage: 'server',
  });
  ca = authority.certificate;
  apiPort = await listening(
    https.createServer({ cert, key }, (request, response) => response.end(JSON.stringify({ path: request.url }))),
  );
});

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  sockets.clear();
});

/** Connects a client to the API server, whatever host it asked for. */
function connect(client: Duplex, answer: string | Buffer): void {
  const upstream = net.connect(apiPort, '127.0.0.1', () => {
    client.write(answer);
    upstream.pipe(client).pipe(upstream);
  });
  sockets.add(upstream.on('error', () => undefined));
}

/** Starts an HTTP proxy. Returns its port and the hosts and passwords that it was given. */
async function httpProxy(status = 200): Promise<{ port: number; asked: unknown[] }> {
  const asked: unknown[] = [];
  const proxy = http.createServer();
  proxy.on('connect', (request: http.IncomingMessage, client: Duplex) => {
    asked.push([request.url, request.headers['proxy-authorization']]);
    if (status === 200) connect(client, 'HTTP/1.1 200 OK\r\n\r\n');
    else client.end(`HTTP/1.1 ${String(status)} Refused\r\n\r\n`);
  });
  return { port: await listening(proxy), asked };
}

/** Starts a SOCKS5 proxy (RFC 1928) without authentication. Returns its port and the hosts that it was given. */
async function socksProxy(): Promise<{ port: number; asked: unknown[] }> {
  const asked: unknown[] = [];
  const proxy = net.createServer((client) => {
    client.once('data', () => {
      client.write(Buffer.of(5, 0));
      client.once('data', (request) => {
        const length = request[4] ?? 0;
        asked.push(`${request.subarray(5, 5 + length).toString()}:${String(request.readUInt16BE(5 + length))}`);
        connect(client, Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
      });
    });
  });
  return { port: await listening(proxy), asked };
}

function configWith(proxyUrl: string): PooledKubeConfig {
  const config = new PooledKubeConfig();
  config.loadFromString(
    JSON.stringify({
      clusters: [
        {
          name: 'c',
          cluster: {
            server: 'https://api.example:6443',
            'certificate-authority-data': Buffer.from(ca).toString('base64'),
            'proxy-url': proxyUrl,
          },
        },
      ],
      users: [{ name: 'c', user: { token: 'abc' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
      'current-context': 'c',
    }),
  );
  return config;
}

test('an HTTP proxy gets the name of the API server and its own password, and its connection is kept', async () => {
  const { port, asked } = await httpProxy();
  const config = configWith(`http://user:p%40ss@127.0.0.1:${String(port)}`);
  const client = new KubeClient({ config, userAgent: 'test', fence: () => undefined });
  for (let round = 0; round < 3; round += 1) {
    expect(await client.get('/version')).toEqual({ path: '/version' });
    // The agent notices one turn later that the connection is free.
    await new Promise(setImmediate);
  }
  await client.create('/things', {});
  expect(asked).toEqual([['api.example:6443', `Basic ${Buffer.from('user:p@ss').toString('base64')}`]]);
  config.close();
});

test('a proxy that refuses is an error without an answer', async () => {
  const { port } = await httpProxy(407);
  const config = configWith(`http://127.0.0.1:${String(port)}`);
  await expect(new KubeClient({ config, userAgent: 'test' }).get('/version')).rejects.toMatchObject({
    kind: 'Unavailable',
    message: 'GET /version: no answer',
  });
  config.close();
});

test('a SOCKS proxy gets the name of the API server for each request', async () => {
  const { port, asked } = await socksProxy();
  const config = configWith(`socks5h://127.0.0.1:${String(port)}`);
  const client = new KubeClient({ config, userAgent: 'test', fence: () => undefined });
  for (let round = 0; round < 2; round += 1) expect(await client.get('/version')).toEqual({ path: '/version' });
  await client.create('/things', {});
  expect(asked).toEqual(Array.from({ length: 3 }, () => 'api.example:6443'));
  config.close();
});
