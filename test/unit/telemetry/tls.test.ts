import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '../../../sandbox/certificates.ts';
import type { Log } from '../../../src/runtime/log.ts';
import type { Authorizer } from '../../../src/telemetry/authorizer.ts';
import { readCertificate } from '../../../src/telemetry/certificate.ts';
import { type Certificate, selfSigned } from '../../../src/telemetry/self-signed.ts';
import { plain, TelemetryServer } from '../../../src/telemetry/server.ts';
import { eventually } from '../../support/eventually.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(certificate: () => Certificate, authorizer?: Authorizer) {
  const logged: string[] = [];
  const write = (_: object, message: string) => logged.push(message);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const server = new TelemetryServer({
    address: { host: '127.0.0.1', port: 0 },
    routes: { '/metrics': () => plain(200, 'numbers') },
    log,
    certificate,
    certificateEveryMs: 5,
    ...(authorizer === undefined ? {} : { authorizer }),
  });
  const stop = new AbortController();
  const run = server.run(stop.signal);
  stops.push(async () => {
    stop.abort();
    await run;
  });
  return { port: await server.port, logged };
}

/** Returns status and body. Verifies the certificate if `ca` is given. */
async function ask(port: number, { ca, authorization }: { ca?: string; authorization?: string } = {}) {
  return new Promise<{ status: number; body: string; challenge: unknown }>((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization };
    const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
    request({ host: '127.0.0.1', port, path: '/metrics', agent: false, headers, ...trust }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += String(chunk);
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body, challenge: response.headers['www-authenticate'] });
      });
    })
      .on('error', reject)
      .end();
  });
}

async function shownBy(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('a self-signed certificate', () => {
  test('has the name, is for servers, is valid now and for ten years, and is signed by its own key', () => {
    const now = new Date('2026-01-02T03:04:05Z');
    const { cert, key } = selfSigned('operator-0', now);
    const read = new X509Certificate(cert);
    expect(read.subject).toBe('CN=operator-0');
    expect(read.issuer).toBe('CN=operator-0');
    expect(read.subjectAltName).toBe('DNS:operator-0');
    expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect([read.validFromDate, read.validToDate]).toEqual([
      new Date('2026-01-02T02:04:05Z'),
      new Date('2036-01-02T03:04:05Z'),
    ]);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  test.each(['2041-01-01T00:00:00Z', '2055-06-01T00:00:00Z'])('has valid times in %s', (now) => {
    const read = new X509Certificate(selfSigned('x'.repeat(63), new Date(now)).cert);
    expect(read.validToDate.getUTCFullYear()).toBe(new Date(now).getUTCFullYear() + 10);
  });

  test('is different each time', () => {
    const [one, other] = [selfSigned('a', new Date()), selfSigned('a', new Date())];
    expect(new X509Certificate(one.cert).serialNumber).not.toBe(new X509Certificate(other.cert).serialNumber);
    expect(one.key).not.toBe(other.key);
  });

  test('works with TLS', async () => {
    const { port } = await serve(() => selfSigned('operator', new Date()));
    expect(await ask(port)).toMatchObject({ status: 200, body: 'numbers\n' });
  });
});

describe('a certificate in files', () => {
  test('is verified by its authority and renewed while the server runs, and an invalid one changes nothing', async () => {
    const authority = await createAuthority('metrics');
    const folder = mkdtempSync(join(tmpdir(), 'tls-'));
    stops.push(async () => rmSync(folder, { recursive: true }));
    async function renew(): Promise<string> {
      const { certificate, key } = await authority.issue({ commonName: 'm', hosts: ['127.0.0.1'], usage: 'server' });
      writeFileSync(join(folder, 'tls.crt'), certificate);
      writeFileSync(join(folder, 'tls.key'), key);
      return new X509Certificate(certificate).fingerprint256;
    }
    const first = await renew();
    const { port, logged } = await serve(() => readCertificate(folder));
    expect(await shownBy(port)).toBe(first);
    const second = await renew();
    await eventually(async () => expect(await shownBy(port)).toBe(second));
    expect(await ask(port, { ca: authority.certificate })).toMatchObject({ status: 200 });

    writeFileSync(join(folder, 'tls.key'), 'no key');
    await eventually(() => expect(logged).toContain('certificate cannot be read again, the current one stays in use'));
    expect(await shownBy(port)).toBe(second);
  });

  test('that is missing is an error that names the folder and quotes nothing of its files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tls-'));
    stops.push(async () => rmSync(folder, { recursive: true }));
    const message = `no valid certificate and key in tls.crt and tls.key of ${folder}`;
    expect(() => readCertificate(folder)).toThrow(message);
    writeFileSync(join(folder, 'tls.crt'), 'secret');
    writeFileSync(join(folder, 'tls.key'), 'secret');
    expect(() => readCertificate(folder)).toThrow(message);
  });
});

test.each([
  ['allowed', 200, 'numbers\n', undefined],
  ['unauthenticated', 401, 'unauthenticated\n', 'Bearer'],
  ['forbidden', 403, 'forbidden\n', undefined],
  ['unknown', 503, 'access cannot be reviewed now\n', undefined],
] as const)('%s is answered %d', async (decision, status, body, challenge) => {
  const heard: unknown[] = [];
  const { port } = await serve(
    () => selfSigned('operator', new Date()),
    async (authorization) => {
      heard.push(authorization);
      return decision;
    },
  );
  expect(await ask(port, { authorization: 'Bearer mine' })).toEqual({ status, body, challenge });
  expect(heard).toEqual(['Bearer mine']);
});
