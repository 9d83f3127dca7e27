/** Bytes instead of an answer of Konnect: invalid HTTP, compression bombs, slow answers, and an additional answer. */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { KonnectError } from '../../src/konnect/errors.ts';
import { type KonnectCall, KonnectHTTP } from '../../src/konnect/http.ts';
import { Konnect } from '../../src/konnect/session/konnect.ts';
import { closed, listening } from '../unit/konnect/listening.ts';
import { everyPrintOf, leaksIn, secrets } from './leaks.ts';
import type { Part } from './part.ts';

const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';
const timeoutMs = 400;
const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20, ' '));
const echo = `${secrets.endpoint} ${secrets.authorization} ${secrets.token}`;
const kinds: ReadonlySet<string> = new Set([
  'Unauthorized',
  'Forbidden',
  'NotFound',
  'Conflict',
  'Refused',
  'RateLimited',
  'ServerError',
  'Unreachable',
  'UnexpectedAnswer',
]);

const status = fc.constantFrom(
  '200 OK',
  '200',
  '299 x',
  '201 Created',
  '204 No Content',
  '000 x',
  '099 x',
  '100 Continue',
  '101 Switching Protocols',
  '103 Early Hints',
  '304 Not Modified',
  '302 Found',
  '400 x',
  '401 x',
  '403 x',
  '404 x',
  '409 x',
  '418 x',
  '429 x',
  '503 x',
  '599 x',
  '999 x',
  '1000 x',
  '-1 x',
  'abc x',
  `200 ${echo}`,
);

const header = fc.oneof(
  fc.constantFrom(
    'Content-Type: text/html',
    'Content-Encoding: gzip',
    'Content-Encoding: br',
    'Content-Encoding: x',
    'Transfer-Encoding: chunked',
    'Content-Length: 5',
    'Content-Length: 99999999999999999999',
    'Content-Length: -1',
    'Content-Length: 3\r\nContent-Length: 4',
    'Connection: close',
    'Connection: upgrade',
    'Upgrade: x',
    `Location: ${secrets.endpoint}`,
    `Set-Cookie: ${echo}`,
    'No colon',
    ': x',
    'A\0: b',
    'X: \xff',
  ),
  fc
    .constantFrom(
      '0',
      '-1',
      '1e9',
      '1e999',
      'NaN',
      '99999999999',
      'Wed, 21 Oct 2099 07:28:00 GMT',
      'soon',
      '',
      ' 5 ',
      '5, 6',
      secrets.token,
    )
    .map((after) => `Retry-After: ${after}`),
  fc.constantFrom(100, 20_000).map((length) => `X-Long: ${'x'.repeat(length)}`),
  fc
    .constantFrom(10, 3_000)
    .map((count) => Array.from({ length: count }, (_, index) => `X-${String(index)}: y`).join('\r\n')),
);

const body = fc.oneof(
  fc
    .constantFrom(
      '',
      ' ',
      'null',
      '[]',
      '"x"',
      '{',
      '{}',
      `{"id":"${id}"}`,
      `{"id":"${id}"`,
      `{"id":"${id}"}{"id":"${id}"}`,
      '{"data":[]}',
      `{"data":[{"id":"${id}"}],"meta":{"next":"/x?page%5Bafter%5D=a"}}`,
      `<html>${echo}</html>`,
      JSON.stringify({ id: echo, instance: secrets.token, detail: echo, message: echo }),
      `${'{"data":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
    )
    .map((text) => Buffer.from(text)),
  fc.constantFrom(
    bomb,
    gzipSync('{}'),
    Buffer.from([0xff, 0xfe, 0x7b, 0x7d]),
    Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]),
    Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]),
    Buffer.alloc(5 * 2 ** 20, '['),
  ),
  fc
    .constantFrom('2\r\n{}\r\n0\r\n\r\n', 'ffffffff\r\n{}', 'x\r\n', '2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n', '-1\r\n')
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
);

const wire = fc.record({
  whole: fc.option(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    { nil: undefined, freq: 12 },
  ),
  before: fc.constantFrom(
    '',
    '',
    '',
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(50),
    '\r\n\r\n',
  ),
  status,
  headers: fc.array(header, { maxLength: 4 }),
  framed: fc.boolean(),
  body,
  after: fc.constantFrom(
    '',
    '',
    '',
    `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`,
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n{"id":"ffffffff-066b-4629-bdc5-d4aa893b424d"}`,
  ),
  end: fc.constantFrom('keep', 'keep', 'end', 'reset', 'cut', 'drip', 'silence' as const),
});
type Wire = typeof wire extends fc.Arbitrary<infer T> ? T : never;

const operation = fc.constantFrom(
  'organization',
  'list',
  'get',
  'create',
  'update',
  'delete',
  'portal webhook',
  'inline' as const,
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ whole, before, status: line, headers, framed, body: content, after }: Wire): Buffer {
  if (whole !== undefined) return whole;
  const length = framed ? [`Content-Length: ${String(content.length)}`] : [];
  const head = `${before}HTTP/1.1 ${line}\r\n${[...headers, ...length].join('\r\n')}${headers.length + length.length > 0 ? '\r\n' : ''}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), content, Buffer.from(after)]);
}

function answer(socket: Socket, one: Wire, timers: Set<NodeJS.Timeout>): void {
  const bytes = bytesOf(one);
  switch (one.end) {
    case 'silence':
      return;
    case 'keep':
      return void socket.write(bytes);
    case 'end':
      return void socket.end(bytes);
    case 'cut':
      return void socket.end(bytes.subarray(0, bytes.length / 2));
    case 'reset':
      return void socket.write(bytes, () => socket.resetAndDestroy());
    case 'drip': {
      let from = 0;
      const timer = setInterval(() => {
        socket.write(bytes.subarray(from, from + 1));
        from += 1;
      }, 10);
      timers.add(timer);
    }
  }
}

const faithful = JSON.stringify({ id, name: 'faithful', endpoint: 'https://h.example/' });

async function open() {
  const at: { wire: Wire | undefined } = { wire: undefined };
  const timers = new Set<NodeJS.Timeout>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let seen = '';
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      const [, length = '0'] = /content-length: (\d+)/i.exec(seen) ?? [];
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0 || seen.length < end + 4 + Number(length)) return;
      seen = '';
      if (at.wire !== undefined) answer(socket, at.wire, timers);
      else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${String(faithful.length)}\r\n\r\n${faithful}`);
    });
  });
  const port = await listening(server);
  const calls: KonnectCall[] = [];
  const http = new KonnectHTTP({ userAgent: 'fuzz', timeoutMs, onCall: (call) => calls.push(call) });
  const konnect = new Konnect({ http, urlTemplate: `http://127.0.0.1:${String(port)}/{region}` });
  const { client } = konnect.forToken(secrets.token, 'new', 'eu');
  const signal = new AbortController().signal;
  const settings = {
    name: 'n',
    endpoint: secrets.endpoint,
    authorization: secrets.authorization,
    logFormat: 'cef',
    skipSSLVerification: false,
  } as const;

  function send(what: Operation): Promise<unknown> {
    switch (what) {
      case 'organization':
        return client.organization(signal);
      case 'list':
        return client.listDestinations('v3', signal);
      case 'get':
        return client.getDestination('v3', id, signal);
      case 'create':
        return client.createDestination('v3', settings, signal);
      case 'update':
        return client.updateDestination('v3', id, settings, signal);
      case 'delete':
        return client.deleteDestination('v3', id, signal);
      case 'portal webhook':
        return client.getPortalWebhook('us', id, signal);
      case 'inline':
        return client.updateInlineWebhook('us', { ...settings, enabled: true }, signal);
    }
  }

  async function play(what: Operation, one: Wire): Promise<boolean> {
    at.wire = one;
    calls.length = 0;
    const startedMs = performance.now();
    const result = await send(what).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    // A list has at most two pages here. The rest is for a busy machine.
    assert.ok(performance.now() - startedMs < 2 * timeoutMs + 4_000, 'takes too long');
    if ('error' in result) {
      const { error } = result;
      assert.ok(error instanceof KonnectError, String(error));
      assert.ok(kinds.has(error.kind));
      assert.ok((error.retryAfterMs ?? 0) >= 0 && (error.retryAfterMs ?? 0) <= 3_600_000);
      if (['create', 'update', 'delete', 'inline'].includes(what) && (error.status ?? 0) >= 500)
        assert.ok(error.mayHaveHappened);
      assert.deepEqual(leaksIn(everyPrintOf(error) + everyPrintOf(calls)), [], 'a secret came out');
    }
    for (const timer of timers) clearInterval(timer);
    timers.clear();
    // Additional bytes of an answer do not become the next answer.
    at.wire = undefined;
    const next = await client.getDestination('v3', id, signal).catch((error: unknown) => {
      // A kept connection may break when it is used again.
      if (error instanceof KonnectError && error.kind === 'Unreachable') return client.getDestination('v3', id, signal);
      throw error;
    });
    assert.equal(next?.name, 'faithful');
    return true;
  }

  return {
    property: fc.asyncProperty(operation, wire, play),
    async [Symbol.asyncDispose]() {
      http.close();
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await closed(server);
    },
  };
}

export const konnectBytes: Part = { name: 'konnect-bytes', runsInTest: 60, open };
