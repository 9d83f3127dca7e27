/** No write is sent after the fence was closed, at whatever stage it was. */
import { once } from 'node:events';
import { createServer as createTLSServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { createAuthority } from '../../../sandbox/certificates.ts';
import { FencedError } from '../../../src/runtime/write-fence.ts';
import { closed, listening } from './listening.ts';
import { clientOf, rejection, scriptedKonnect } from './scripted-konnect.ts';

const signal = new AbortController().signal;
const id = '07ec3858-066b-4629-bdc5-d4aa893b424d';
const refused = new FencedError('not led');

/** Returns a fence that allows this many writes. */
function fenceAfter(times: number): () => void {
  let left = times;
  return () => {
    left -= 1;
    if (left < 0) throw refused;
  };
}

test('a closed fence stops every write before it is sent, but no read', async () => {
  await using server = await scriptedKonnect(() => ({ status: 200, body: { id } }));
  using konnect = clientOf(server.urlTemplate, { fence: fenceAfter(0) });
  await konnect.client.organization(signal);
  const writes = [
    konnect.client.deletePortalWebhook('us', id, signal),
    konnect.client.updatePortalWebhook('us', id, { destinationID: id, enabled: true }, signal),
    konnect.client.deleteDestination('v3', id, signal),
    konnect.client.disableInlineWebhook('us', signal),
  ];
  for (const write of writes) expect(await rejection(write)).toBe(refused);
  expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  expect(konnect.calls).toHaveLength(1);
});

describe('a fence that closes while a write', () => {
  test('waits for its new connection stops it', async () => {
    await using server = await scriptedKonnect(() => ({ status: 204 }));
    using konnect = clientOf(server.urlTemplate, { fence: fenceAfter(1) });
    expect(await rejection(konnect.client.deletePortalWebhook('us', id, signal))).toBe(refused);
    expect(server.connections()).toBe(1);
    expect(server.requests).toEqual([]);
  });

  test('waits for a kept connection that is busy stops it', async () => {
    const busy = Promise.withResolvers<void>();
    await using server = await scriptedKonnect(async ({ method }) => {
      if (method === 'GET') await busy.promise;
      return { status: 200, body: { id } };
    });
    using konnect = clientOf(server.urlTemplate, { maxSockets: 1, fence: fenceAfter(1) });
    const read = konnect.client.organization(signal);
    const write = rejection(konnect.client.deletePortalWebhook('us', id, signal));
    busy.resolve();
    await read;
    expect(await write).toBe(refused);
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  test('is in its TLS handshake stops it', async () => {
    const authority = await createAuthority('A test');
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, authority.certificate]);
    const { certificate, key } = await authority.issue({ commonName: 'server', hosts: ['127.0.0.1'], usage: 'server' });
    let requests = 0;
    const server = createTLSServer({ cert: certificate, key }, (_request, response) => {
      requests += 1;
      response.end('{}');
    });
    const port = await listening(server);
    try {
      const reached = once(server, 'connection');
      using konnect = clientOf(`https://127.0.0.1:${String(port)}/{region}`, { fence: fenceAfter(1) });
      expect(await rejection(konnect.client.deletePortalWebhook('us', id, signal))).toBe(refused);
      await reached;
      using open = clientOf(`https://127.0.0.1:${String(port)}/{region}`, { fence: fenceAfter(2) });
      await open.client.deletePortalWebhook('us', id, signal);
      expect(requests).toBe(1);
    } finally {
      setDefaultCACertificates(trusted);
      server.closeAllConnections();
      await closed(server);
    }
  });
});
