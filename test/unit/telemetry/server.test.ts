import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { Log } from '../../../src/runtime/log.ts';
import { parseBindAddress } from '../../../src/telemetry/bind-address.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { type Check, metricsPage, probe } from '../../../src/telemetry/routes.ts';
import { type Route, TelemetryServer } from '../../../src/telemetry/server.ts';
import { eventually } from '../../support/eventually.ts';

async function running(routes: Record<string, Route>) {
  const logged: string[] = [];
  const write = (_: object, message: string) => logged.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const server = new TelemetryServer({ address: { host: '127.0.0.1', port: 0 }, routes, log });
  const stop = new AbortController();
  const run = server.run(stop.signal);
  const port = await server.port;
  return {
    port,
    logged,
    stop,
    run,
    ask: (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await run;
    },
  };
}

/** Sends bytes and returns everything that comes back until the connection ends. */
async function rawly(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

describe('a probe', () => {
  const fine: Check = () => undefined;
  const broken: Check = () => {
    throw new Error('secret');
  };
  test.each<[string, Record<string, Check>, number, string]>([
    ['', {}, 200, 'ok\n'],
    ['', { queue: fine }, 200, 'ok\n'],
    ['?verbose', { queue: fine }, 200, '[+]queue ok\nreadyz check passed\n'],
    ['', { queue: () => ({ note: 'but' }) }, 200, 'ok\n'],
    ['?verbose', { queue: () => ({ note: 'but' }) }, 200, '[+]queue ok: but\nreadyz check passed\n'],
    [
      '',
      { queue: fine, informer: () => 'has not listed yet' },
      503,
      '[-]informer failed: has not listed yet\nreadyz check failed\n',
    ],
    [
      '?verbose',
      { queue: fine, informer: () => 'x' },
      503,
      '[+]queue ok\n[-]informer failed: x\nreadyz check failed\n',
    ],
    ['', { queue: broken }, 503, '[-]queue failed: the check itself failed\nreadyz check failed\n'],
  ])('/readyz%s with %j', async (query, checks, status, body) => {
    await using server = await running({ '/readyz': probe('readyz', checks) });
    const answer = await server.ask(`/readyz${query}`);
    expect([answer.status, await answer.text()]).toEqual([status, body]);
  });
});

describe('the server', () => {
  test('serves metrics in the format of Prometheus', async () => {
    const metrics = createMetrics({ version: '1.2.3', nodeVersion: 'v24.0.0', hasProcessMetrics: false });
    await using server = await running({ '/metrics': metricsPage(metrics) });
    const answer = await server.ask('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toContain('konnect_audit_log_build_info{version="1.2.3"');
  });

  test('answers only GET and HEAD of its paths', async () => {
    await using server = await running({ '/healthz': probe('healthz', {}) });
    const head = await server.ask('/healthz', 'HEAD');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '3', '']);
    expect((await server.ask('/healthz', 'POST')).status).toBe(405);
    expect((await server.ask('/healthz/../secret')).status).toBe(404);
    expect((await server.ask('/constructor')).status).toBe(404);
  });

  test('answers 500 when a page fails, without the reason', async () => {
    await using server = await running({
      '/metrics': () => {
        throw new Error('secret');
      },
    });
    const answer = await server.ask('/metrics');
    expect([answer.status, await answer.text()]).toEqual([500, 'internal error\n']);
    expect(server.logged).toEqual(['telemetry page failed']);
  });

  test('refuses endless headers, and does not wait for a body', async () => {
    await using server = await running({ '/healthz': probe('healthz', {}) });
    const huge = `GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`;
    expect(await rawly(server.port, huge)).toMatch(/^HTTP\/1.1 431 /);
    const body = 'GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n';
    expect(await rawly(server.port, body)).toMatch(/^HTTP\/1.1 200 /);
  });

  test('stays reachable while other clients keep idle connections open', async () => {
    await using server = await running({ '/healthz': probe('healthz', {}) });
    const silent = Array.from({ length: 200 }, () => connect(server.port, '127.0.0.1'));
    for (const socket of silent) socket.on('error', () => undefined);
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    const answers = await Promise.all(Array.from({ length: 5 }, () => server.ask('/healthz')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await eventually(() => expect(silent.filter(({ destroyed }) => destroyed).length).toBeGreaterThanOrEqual(136));
    for (const socket of silent) socket.destroy();
  });

  test('rejects with a code when the port is taken', async () => {
    await using server = await running({});
    const { log } = { log: { debug() {}, info() {}, warn() {}, error() {} } };
    const second = new TelemetryServer({ address: { host: '127.0.0.1', port: server.port }, routes: {}, log });
    await expect(second.run(new AbortController().signal)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(second.port).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('ends when it is stopped, although a client keeps its connection', async () => {
    await using server = await running({ '/healthz': probe('healthz', {}) });
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    server.stop.abort();
    await server.run;
    socket.destroy();
    await expect(server.ask('/healthz')).rejects.toThrow('fetch failed');
  });
});

describe('a bind address', () => {
  test.each([
    [':8080', { host: undefined, port: 8080 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65535 }],
    ['[::1]:8081', { host: '::1', port: 8081 }],
    ['0', 'off'],
    ['', undefined],
    ['8080', undefined],
    [':65536', undefined],
    ['::1:80', undefined],
    ['http://localhost:80', undefined],
    [':http', undefined],
    [' :80', undefined],
  ])('%j', (text, expected) => {
    expect(parseBindAddress(text)).toEqual(expected);
  });
});
