import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import { join } from 'node:path';
import { createAuthority } from '../../sandbox/certificates.ts';

/** Konnect's public hosts on loopback, for a client that connects only to `https://{region}.api.konghq.com`. */
export interface PublicHosts {
  /** Value for HTTPS_PROXY. The proxy opens tunnels only to these hosts, and they end in the local Konnect. */
  readonly proxyURL: string;
  /** PEM file of the only trusted authority, for SSL_CERT_FILE. */
  readonly authorityFile: string;
  /** Tunnels that the proxy refused. */
  readonly refused: readonly string[];
  stop(): Promise<void>;
}

const publicHost = /^[a-z]+\.api\.konghq\.com:443$/;

/** Starts the hosts. `konnectURL` is that of the local Konnect, which takes the region from the first label of the Host header. */
export async function startPublicHosts(konnectURL: string, folder: string): Promise<PublicHosts> {
  const authority = await createAuthority('Public hosts, played locally');
  const authorityFile = join(folder, 'authority.pem');
  await writeFile(authorityFile, authority.certificate);
  const { certificate, key } = await authority.issue({
    commonName: 'api.konghq.com',
    hosts: ['*.api.konghq.com'],
    usage: 'server',
  });
  const front = createTLSServer({ cert: certificate, key }, (incoming, response) =>
    passOn(konnectURL, incoming, response),
  );
  const refused: string[] = [];
  const proxy = createServer((incoming, response) => {
    refused.push(incoming.url ?? '');
    response.writeHead(403).end();
  });
  proxy.on('connect', ({ url = '' }: IncomingMessage, socket) => {
    socket.on('error', () => socket.destroy());
    if (publicHost.test(url)) {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      front.emit('connection', socket);
    } else {
      refused.push(url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new TypeError('the proxy has no port');
  return {
    proxyURL: `http://127.0.0.1:${address.port}`,
    authorityFile,
    refused,
    async stop() {
      front.closeAllConnections();
      proxy.close();
      proxy.closeAllConnections();
      await once(proxy, 'close');
    },
  };
}

function passOn(konnectURL: string, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = incoming;
  const onward = request(`${konnectURL}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  incoming.pipe(onward);
}
