import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Authority, createAuthority, createSigningKeys } from '../../../sandbox/certificates.ts';

describe('an authority of the sandbox', () => {
  let authority: Authority;
  let port: number;
  let close: () => Promise<void>;
  const clients: string[] = [];

  beforeAll(async () => {
    authority = await createAuthority('a test');
    const { certificate, key } = await authority.issue({
      commonName: 'server',
      hosts: ['127.0.0.1', 'localhost'],
      usage: 'server',
    });
    const server = createServer({ cert: certificate, key, ca: authority.certificate, requestCert: true }, (socket) => {
      const subject = new X509Certificate(socket.getPeerCertificate().raw).subject;
      clients.push(subject);
      socket.end(subject);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
    close = () => new Promise((resolve) => server.close(() => resolve()));
  });

  afterAll(() => close());

  async function greet(options: { ca: string; host?: string; servername?: string; cert?: string; key?: string }) {
    const socket: TLSSocket = connect({ port, host: '127.0.0.1', ...options });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  }

  test('lets a client and a server verify each other, by address and by name', async () => {
    const { certificate: cert, key } = await authority.issue({
      commonName: 'admin',
      organizations: ['system:masters'],
      usage: 'client',
    });
    const ca = authority.certificate;
    await expect(greet({ ca, cert, key })).resolves.toBe('O=system:masters\nCN=admin');
    await expect(greet({ ca, cert, key, servername: 'localhost' })).resolves.toBe('O=system:masters\nCN=admin');
  });

  test('issues certificates that are valid for no other name', async () => {
    await expect(greet({ ca: authority.certificate, servername: 'example.com' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  test('is not trusted in place of another authority of the same name', async () => {
    const other = await createAuthority('a test');
    await expect(greet({ ca: other.certificate })).rejects.toThrow(/certificate/);
  });

  test('issues client certificates that a server refuses when another authority made them', async () => {
    const other = await createAuthority('a test');
    const { certificate: cert, key } = await other.issue({ commonName: 'admin', usage: 'client' });
    const before = clients.length;
    await expect(greet({ ca: authority.certificate, cert, key }).catch(() => '')).resolves.toBe('');
    expect(clients).toHaveLength(before);
  });

  test('names addresses as addresses', async () => {
    const { certificate } = await authority.issue({ commonName: 's', hosts: ['127.0.0.1', 'a.test'], usage: 'server' });
    expect(new X509Certificate(certificate).subjectAltName).toBe('IP Address:127.0.0.1, DNS:a.test');
  });
});

test('signing keys belong together', async () => {
  const { privateKey, publicKey } = await createSigningKeys();
  const signature = sign('sha256', Buffer.from('a token'), createPrivateKey(privateKey));
  expect(verify('sha256', Buffer.from('a token'), createPublicKey(publicKey), signature)).toBe(true);
});
