import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Authority, createAuthority } from '../../../../sandbox/certificates.ts';
import type { AuditEvent, DeliveryAttempt, DeliveryTarget } from '../../../../sandbox/konnect/audit-event.ts';
import { verifyLine } from '../../../../sandbox/konnect/delivery/audit-line.ts';
import {
  createDelivery,
  type DeliveryOptions,
  type RotatingDelivery,
} from '../../../../sandbox/konnect/delivery/sender.ts';
import { type SumoLogicServer, startSumoLogic } from '../../../../sandbox/sumologic/server.ts';
import { eventually } from '../../../support/eventually.ts';

const at = new Date('2025-06-18T21:02:36Z');
const stops: (() => Promise<unknown>)[] = [];
let authority: Authority;

beforeAll(async () => {
  authority = await createAuthority('test');
});

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

function auditEvent(name = 'Authz.control-planes'): AuditEvent {
  return { at, product: 'Konnect', eventClassID: 'konnect', name, severity: 1, extension: { rt: '1750280466889' } };
}

async function sumoLogic(): Promise<SumoLogicServer> {
  const server = await startSumoLogic({ authority, sources: [{ code: 'code', authorization: 'Bearer siem-token' }] });
  stops.push(() => server.stop());
  return server;
}

function target(endpoint: string, changes: Partial<DeliveryTarget> = {}): DeliveryTarget {
  return { endpoint, authorization: 'Bearer siem-token', logFormat: 'cef', skipSSLVerification: false, ...changes };
}

function delivery(options: DeliveryOptions = {}): RotatingDelivery {
  const created = createDelivery({
    authority: authority.certificate,
    clock: () => at,
    retryWaitsMs: [1, 2, 3, 4],
    batchWindowMs: 1,
    ...options,
  });
  stops.push(() => created.stop());
  return created;
}

/** Sends one event. Resolves with every attempt, after the event was delivered or given up. */
function attemptsAt(sender: RotatingDelivery, to: DeliveryTarget): Promise<DeliveryAttempt[]> {
  const attempts: DeliveryAttempt[] = [];
  sender.send(auditEvent(), to, (attempt) => attempts.push(attempt));
  return eventually(() => {
    expect(attempts.at(-1)).toMatchObject(attempts.at(-1)?.ok === true ? { ok: true } : { givenUp: true });
    return attempts;
  });
}

/** Starts a receiver without TLS. It gives these answers in order, repeats the last one, and counts the requests. */
async function plainReceiver(...statuses: number[]): Promise<{ url: string; count: () => number; server: Server }> {
  let count = 0;
  const server = createServer((incoming, response) => {
    const status = statuses[Math.min(count, statuses.length - 1)] ?? 200;
    count += 1;
    incoming.resume();
    if (status === 0) incoming.destroy();
    else response.writeHead(status, { location: '/elsewhere' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port ?? 0}/siem`, count: () => count, server };
}

describe('delivery', () => {
  test.each([
    { contentEncoding: 'gzip', logFormat: 'cef' },
    { contentEncoding: 'application/gzip', logFormat: 'json' },
    { contentEncoding: 'gzip', logFormat: 'cps' },
  ] as const)('posts signed $logFormat lines, packed with $contentEncoding', async ({ contentEncoding, logFormat }) => {
    const server = await sumoLogic();
    const sender = delivery({ contentEncoding });
    const endpoint = server.receiverURL('code');
    expect(await attemptsAt(sender, target(endpoint, { logFormat }))).toStrictEqual([
      { at, code: 200, message: `POST ${endpoint}: 200 OK`, ok: true, givenUp: false },
    ]);
    expect(server.requests()).toMatchObject([
      { status: 200, contentType: 'text/plain', contentEncoding, authorization: 'Bearer siem-token' },
    ]);
    const [stored] = server.lines('code');
    expect(stored?.line).toContain('Authz.control-planes');
    expect(verifyLine(stored?.line ?? '', sender.jwks())).toBe(true);
  });

  test('leaves the signature out while signing is off', async () => {
    const server = await sumoLogic();
    const sender = delivery();
    sender.setSigning(false);
    await attemptsAt(sender, target(server.receiverURL('code')));
    sender.setSigning(true);
    await attemptsAt(sender, target(server.receiverURL('code')));
    expect(server.lines().map(({ line }) => / sig=/.test(line))).toStrictEqual([false, true]);
  });

  test('sends simultaneous events in one request for each target, in order, and reports the result for each event', async () => {
    const server = await sumoLogic();
    const sender = delivery({ batchWindowMs: 20 });
    const told: string[] = [];
    for (const name of ['one', 'two', 'three']) {
      sender.send(auditEvent(name), target(server.receiverURL('code')), ({ ok }) => told.push(`${name} ${ok}`));
    }
    sender.send(auditEvent('json'), target(server.receiverURL('code'), { logFormat: 'json' }), () => told.push('json'));
    await eventually(() => expect(told).toHaveLength(4));
    expect(told.filter((name) => name !== 'json')).toStrictEqual(['one true', 'two true', 'three true']);
    expect(
      server
        .requests()
        .map(({ lines }) => lines)
        .sort((a, b) => a - b),
    ).toStrictEqual([1, 3]);
    const names = server.lines().map(({ line }) => /\|(one|two|three)\|/.exec(line)?.[1]);
    expect(names.filter((name) => name !== undefined)).toStrictEqual(['one', 'two', 'three']);
  });

  test('keeps the order of lines while earlier ones are being retried', async () => {
    const server = await sumoLogic();
    server.control.respond('code', 429, 1);
    const sender = delivery({ retryWaitsMs: [50] });
    const to = target(server.receiverURL('code'));
    sender.send(auditEvent('first'), to, () => sender.send(auditEvent('second'), to, () => undefined));
    await eventually(() => expect(server.lines()).toHaveLength(3));
    expect(server.lines().map(({ line }) => /\|(first|second)\|/.exec(line)?.[1])).toStrictEqual([
      'first',
      'second',
      'second',
    ]);
  });

  test('signs with a new key after a rotation, and lines of both verify while the JWKS holds both', async () => {
    const server = await sumoLogic();
    const sender = delivery({ keys: 2 });
    const former = sender.jwks();
    const to = target(server.receiverURL('code'));
    await attemptsAt(sender, to);
    sender.rotateKey();
    await attemptsAt(sender, to);
    const lines = server.lines().map(({ line }) => line);
    expect([former.keys.length, sender.jwks().keys.length]).toStrictEqual([2, 3]);
    expect(lines.map((line) => verifyLine(line, sender.jwks()))).toStrictEqual([true, true]);
    expect(lines.map((line) => verifyLine(line, former))).toStrictEqual([true, false]);
    sender.retireKeys();
    expect(lines.map((line) => verifyLine(line, sender.jwks()))).toStrictEqual([false, true]);
  });
});

describe('a failed delivery', () => {
  test.each([429, 500])('is retried after %i, at most four times', async (status) => {
    const receiver = await plainReceiver(status);
    const attempts = await attemptsAt(delivery(), target(receiver.url));
    expect(attempts.map(({ code, ok, givenUp }) => [code, ok, givenUp])).toStrictEqual([
      ...Array.from({ length: 4 }, () => [status, false, false]),
      [status, false, true],
    ]);
    expect(receiver.count()).toBe(5);
  });

  test('is retried when the connection breaks, and ends with success', async () => {
    const receiver = await plainReceiver(0, 0, 204);
    const attempts = await attemptsAt(delivery(), target(receiver.url));
    expect(attempts.map(({ code, ok }) => [code, ok])).toStrictEqual([
      [undefined, false],
      [undefined, false],
      [204, true],
    ]);
    expect(attempts[0]?.message).toContain(`POST ${receiver.url}: `);
  });

  test.each([301, 400, 401, 403, 408, 503, 504])('is given up at once after %i', async (status) => {
    const receiver = await plainReceiver(status, 200);
    expect(await attemptsAt(delivery(), target(receiver.url))).toMatchObject([
      { code: status, ok: false, givenUp: true },
    ]);
    expect(receiver.count()).toBe(1);
  });

  test('is dropped when the delivery is stopped, and the stop does not wait for a retry', async () => {
    const receiver = await plainReceiver(500);
    const sender = createDelivery({ batchWindowMs: 1 });
    const attempts: DeliveryAttempt[] = [];
    sender.send(auditEvent(), target(receiver.url), (attempt) => attempts.push(attempt));
    await eventually(() => expect(attempts).toHaveLength(1));
    const before = performance.now();
    await sender.stop();
    expect(performance.now() - before).toBeLessThan(900);
    sender.send(auditEvent(), target(receiver.url), (attempt) => attempts.push(attempt));
    expect(receiver.count()).toBe(1);
    expect(attempts).toHaveLength(1);
  });

  test('is reported if nothing listens or the endpoint is not a URL', async () => {
    const receiver = await plainReceiver(200);
    await new Promise((resolve) => receiver.server.close(resolve));
    for (const endpoint of [receiver.url, 'unconfigured']) {
      const attempts = await attemptsAt(delivery({ retryWaitsMs: [1] }), target(endpoint));
      expect(attempts).toHaveLength(2);
      expect(attempts[1]).toMatchObject({ ok: false, givenUp: true, message: expect.stringContaining(endpoint) });
    }
  });

  test('is not reported if the source answers 200 and drops the lines over its budget', async () => {
    const server = await sumoLogic();
    server.control.setSource({ code: 'code', budgetBytes: 0 });
    const attempts = await attemptsAt(delivery(), target(server.receiverURL('code')));
    expect(attempts).toMatchObject([{ code: 200, ok: true }]);
    expect(server.lines()).toStrictEqual([]);
    expect(server.control.droppedLines('code')).toBe(1);
  });

  test('is reported for a code that SumoLogic does not know', async () => {
    const server = await sumoLogic();
    const attempts = await attemptsAt(delivery(), target(server.receiverURL('nobody')));
    expect(attempts).toMatchObject([{ code: 401, ok: false, givenUp: true }]);
  });
});

describe('the certificate of a receiver', () => {
  test('is refused if its authority is not known, unless verification is skipped', async () => {
    const server = await sumoLogic();
    const stranger = await createAuthority('stranger');
    const sender = delivery({ authority: stranger.certificate, retryWaitsMs: [1] });
    const endpoint = server.receiverURL('code');

    const refused = await attemptsAt(sender, target(endpoint));
    expect(refused).toHaveLength(2);
    expect(refused[1]).toStrictEqual({ at, message: expect.stringContaining('certificate'), ok: false, givenUp: true });
    expect(server.requests()).toStrictEqual([]);

    const skipped = await attemptsAt(sender, target(endpoint, { skipSSLVerification: true }));
    expect(skipped).toMatchObject([{ code: 200, ok: true }]);
  });
});
