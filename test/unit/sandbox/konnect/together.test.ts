import { createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import { buffer, json } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { createAuthority } from '../../../../sandbox/certificates.ts';
import { createDelivery } from '../../../../sandbox/konnect/delivery/sender.ts';
import { eventually } from '../../../support/eventually.ts';
import { bench, full, itemsOf, portalID } from './support.ts';

/** A SIEM on loopback that stores the lines that it receives. */
async function receiver(): Promise<{ url: string; lines: string[]; authorizations: unknown[] } & AsyncDisposable> {
  const lines: string[] = [];
  const authorizations: unknown[] = [];
  async function take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    authorizations.push(incoming.headers.authorization);
    const body = await buffer(incoming);
    lines.push(...gunzipSync(body).toString().split('\n').filter(Boolean));
    response.end();
  }
  const server = createServer((incoming, response) => void take(incoming, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}/receiver/v1/http/c0de`,
    lines,
    authorizations,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('a login to a portal arrives at the SIEM, signed by a key of the JWKS, and the status says so', async () => {
  await using siem = await receiver();
  await using konnect = await bench({ deliver: createDelivery({ batchWindowMs: 5 }) });
  const id = await konnect.createDestination({ endpoint: siem.url });
  const webhook = `/us/v3/portals/${portalID}/audit-log-webhook`;
  await konnect.call('PATCH', webhook, { body: { audit_log_destination_id: id, enabled: true } });
  await konnect.call('POST', `/us/__portals/${portalID}/api/v2/developer/authenticate`, {
    token: null,
    body: { username: 'dev@example.com', password: 'secret' },
  });
  const line = await eventually(() => {
    expect(siem.lines).toHaveLength(1);
    return siem.lines.join('');
  });
  expect(siem.authorizations).toEqual(['Bearer siem-token']);
  expect(line).toMatch(
    / konghq\.com CEF:0\|KongInc\|Dev-Portal\|1\.0\|AUTHENTICATION_TYPE_BASIC\|AUTHENTICATION_OUTCOME_SUCCESS\|0\|rt=\d+ /,
  );

  const { body: jwks } = await konnect.call('GET', '/us/v2/audit-log-webhook/jwks.json');
  const [signed = '', signature = ''] = line.split(' sig=');
  const keys = itemsOf({ data: jwks['keys'] }).map((key) => createPublicKey({ key, format: 'jwk' }));
  expect(keys.map((key) => verify(null, Buffer.from(signed), key, Buffer.from(signature, 'base64url')))).toContain(
    true,
  );

  await eventually(async () => {
    const { body } = await konnect.call('GET', `${webhook}/status`);
    expect(body).toMatchObject({ webhook_status: 'active', last_response_code: 200 });
  });
});

test('TLS is served with the certificate given', async () => {
  const authority = await createAuthority('Sandbox');
  const { certificate, key } = await authority.issue({ commonName: 'konnect', hosts: ['127.0.0.1'], usage: 'server' });
  await using konnect = await bench({ tls: { cert: certificate, key } });
  expect(konnect.server.url).toMatch(/^https:/);
  const url = `${konnect.server.url}/global/v3/organizations/me`;
  const organization = await new Promise((resolve, reject) => {
    request(url, { ca: authority.certificate, headers: { authorization: `Bearer ${full}` } }, (response) => {
      json(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });
  expect(organization).toMatchObject({ name: 'Blue' });
});
