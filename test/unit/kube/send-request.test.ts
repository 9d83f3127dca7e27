/** How requests use connections: when one opens too slowly, when it is kept, and when it was opened for another request. */
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { createAuthority } from '../../../sandbox/certificates.ts';
import { KubeClient } from '../../../src/kube/kube-client.ts';
import { sendRequest } from '../../../src/kube/send-request.ts';
import { eventually } from '../../support/eventually.ts';
import { ApiServer, WIDGETS, type Widget } from './api-server.ts';

const opened: { close: () => void }[] = [];

afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function listening(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => sockets.add(socket.on('error', () => undefined)));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no address');
  return address.port;
}

function request(url: string, agent: http.Agent, fence?: () => void): Promise<http.IncomingMessage> {
  const signal = new AbortController().signal;
  return sendRequest(new URL(url), { method: 'GET', headers: {}, body: undefined, agent, signal, fence });
}

test('a connection that does not open within the time of its agent is an error', async () => {
  const port = await listening(net.createServer());
  const agent = new https.Agent({ timeout: 30 });
  await expect(request(`https://127.0.0.1:${String(port)}`, agent)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
});

test('a watch may be silent for longer than that', async () => {
  const server = new ApiServer();
  await server.start();
  opened.push({ close: () => void server.stop() });
  const agent = new http.Agent({ keepAlive: true, timeout: 20 });
  const idle: number[] = [];
  agent.on('free', () => idle.push(1));
  const client = new KubeClient({
    config: {
      server: server.url,
      credentials: () => Promise.resolve({ headers: {}, execRound: 0, requests: agent, watches: agent }),
      isReplaced: () => false,
    },
    userAgent: 'test',
  });
  const watch = client.watch<Widget>(WIDGETS, { resourceVersion: 10 }, { signal: new AbortController().signal });
  const first = watch.next();
  await eventually(() => expect(server.openWatches).toBe(1));
  const [socket] = Object.values(agent.sockets).flatMap((each) => each ?? []);
  let silences = 0;
  socket?.on('timeout', () => {
    silences += 1;
  });
  await eventually(() => expect(silences).toBe(1));
  server.put('x', 1);
  expect((await first).value).toMatchObject({ type: 'ADDED' });
  await watch.return();
});

test.each([true, false])(
  'requests that wait for a connection over TLS use those of others, with verification %s',
  async (rejectUnauthorized) => {
    const authority = await createAuthority('test');
    const { certificate: cert, key } = await authority.issue({
      commonName: 'server',
      hosts: ['127.0.0.1'],
      usage: 'server',
    });
    let connections = 0;
    const server = https.createServer({ cert, key }, (_request, response) => response.end('{}'));
    server.on('secureConnection', () => {
      connections += 1;
    });
    const port = await listening(server);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 2, ca: authority.certificate, rejectUnauthorized });
    opened.push({ close: () => agent.destroy() });
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const answer = await request(`https://127.0.0.1:${String(port)}`, agent, () => undefined);
        answer.resume();
        return answer.statusCode;
      }),
    );
    expect([answers.length, new Set(answers), connections]).toEqual([10, new Set([200]), 2]);
  },
);
