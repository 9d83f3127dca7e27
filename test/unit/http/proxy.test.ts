import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { isExceptedFromProxy, parseProxyURL } from '../../../src/http/proxy.ts';
import { proxyAuthenticationCode } from '../../../src/konnect/errors.ts';
import { KonnectHTTP } from '../../../src/konnect/http.ts';
import { Konnect } from '../../../src/konnect/session/konnect.ts';

const servers: Server[] = [];
const organizationID = '998db3e4-5cb7-4dd5-b51c-9878096a6999';

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A proxy that answers plain requests itself and opens tunnels. It records the requests. */
async function startProxy(asked: string[]): Promise<string> {
  const proxy = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: organizationID }));
  });
  proxy.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url ?? ''}`);
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  return `http://user:secret@127.0.0.1:${String(await listen(proxy))}`;
}

function organizationThrough(proxies: object, urlTemplate: string): Promise<unknown> {
  const http = new KonnectHTTP({ userAgent: 'test', timeoutMs: 2_000, proxies });
  const { signal } = new AbortController();
  return new Konnect({ http, urlTemplate })
    .forToken('kpat_test')
    .organization(signal)
    .finally(() => http.close());
}

describe('proxies', () => {
  test('plain requests go to HTTP_PROXY, with the credentials in its URL', async () => {
    const asked: string[] = [];
    const proxy = await startProxy(asked);
    await expect(organizationThrough({ HTTP_PROXY: proxy }, 'http://127.0.0.1:9/{region}')).resolves.toEqual({
      id: organizationID,
    });
    const credentials = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    expect(asked).toEqual([`GET http://127.0.0.1:9/global/v3/organizations/me ${credentials}`]);
  });

  test('https goes through a tunnel of HTTPS_PROXY, and TLS is verified at its end', async () => {
    const asked: string[] = [];
    const proxy = await startProxy(asked);
    const port = await listen(createServer());
    const refused = organizationThrough({ HTTPS_PROXY: proxy }, `https://127.0.0.1:${String(port)}/{region}`);
    await expect(refused).rejects.toMatchObject({ kind: 'Unreachable' });
    expect(asked).toEqual([`CONNECT 127.0.0.1:${String(port)}`]);
  });

  test('hosts in NO_PROXY are reached directly', async () => {
    const asked: string[] = [];
    const proxy = await startProxy(asked);
    const direct = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: organizationID }));
    });
    const port = await listen(direct);
    const template = `http://127.0.0.1:${String(port)}/{region}`;
    await organizationThrough({ HTTP_PROXY: proxy, NO_PROXY: '127.0.0.0/8' }, template);
    expect(asked).toEqual([]);
  });

  test('the error for a missing proxy does not contain its password', async () => {
    const failed = organizationThrough({ HTTP_PROXY: 'http://user:secret@127.0.0.1:9' }, 'http://127.0.0.1:8/{region}');
    const error: unknown = await failed.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'Unreachable', code: 'ECONNREFUSED' });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  });

  test.each([
    ['https, by CONNECT', 'HTTPS_PROXY', 'https://127.0.0.1:9/{region}'],
    ['http', 'HTTP_PROXY', 'http://127.0.0.1:9/{region}'],
  ])(
    'a 407 of the proxy is told apart from other failures, without the password: %s',
    async (_what, name, template) => {
      const proxy = createServer((_request, response) => response.writeHead(407).end());
      proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
      const url = `http://user:secret@127.0.0.1:${String(await listen(proxy))}`;
      const error: unknown = await organizationThrough({ [name]: url }, template).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        kind: 'Unreachable',
        code: proxyAuthenticationCode,
        message: 'get organization: the proxy asks for another user or password (407)',
      });
      expect(JSON.stringify(error) + String(error)).not.toContain('secret');
    },
  );
});

describe('the URL of a proxy', () => {
  test.each([
    ['without a scheme', 'proxy.example.com:3128', 'http://proxy.example.com:3128'],
    ['without a scheme and port', 'proxy', 'http://proxy'],
    ['without a scheme, with a user', 'me:pw@proxy:1', 'http://me:pw@proxy:1'],
    ['in capitals', 'HTTP://PROXY.example.com:3128', 'http://proxy.example.com:3128'],
    ['with a line break from a Secret', 'http://proxy:3128\r\n', 'http://proxy:3128'],
    ['with spaces around', ' https://proxy:3128/ ', 'https://proxy:3128'],
    ['with a path, which has no meaning', 'http://proxy:3128/x', 'http://proxy:3128/x'],
    ['with an "@" in the password', 'http://me:p@w@proxy:1', 'http://me:p%40w@proxy:1'],
    ['with an IPv6 address', 'http://[::1]:3128', 'http://[::1]:3128'],
  ])('is accepted %s', (_what, text, url) => {
    expect(parseProxyURL(text)).toBe(url);
  });

  test.each([
    'socks5://proxy:1080',
    'SOCKS5H://proxy:1080',
    'ftp://proxy',
    '"http://proxy:3128"',
    "'proxy:3128'",
    'http://proxy a:3128',
    'http://pro\nxy:3128',
    'http://proxy:port',
    'http://proxy:99999',
    'http://me:100%@proxy:3128',
    'http://me:1#2@proxy:3128',
    'http://me:1?2@proxy:3128',
    'http://me:1/2@proxy:3128',
    'http://',
    'http:proxy:3128',
  ])('is refused: %j', (text) => {
    expect(parseProxyURL(text)).toBeUndefined();
  });
});

describe('NO_PROXY', () => {
  test.each([
    ['example.com', 'https://example.com/', true],
    ['example.com', 'https://us.api.example.com/', true],
    ['example.com', 'https://notexample.com/', false],
    ['.example.com', 'https://us.example.com/', true],
    ['.example.com', 'https://notexample.com/', false],
    ['*.example.com', 'https://us.example.com/', true],
    ['*.example.com', 'https://example.com/', false],
    ['EXAMPLE.com.', 'https://us.Example.com/', true],
    ['other, example.com\n', 'https://us.example.com/', true],
    ['other example.com', 'https://us.example.com/', true],
    ['example.com:443', 'https://us.example.com/', true],
    ['example.com:443', 'https://us.example.com:8443/', false],
    ['example.com:8443', 'https://us.example.com:8443/', true],
    ['example.com:80', 'http://us.example.com/', true],
    ['*', 'https://us.example.com/', true],
    ['', 'https://us.example.com/', false],
    [',.,', 'https://us.example.com/', false],
    ['10.0.0.0/8', 'https://10.1.2.3/', true],
    ['10.0.0.0/8', 'https://11.1.2.3/', false],
    ['10.0.0.0/99', 'https://10.1.2.3/', false],
    ['0.0.1', 'https://127.0.0.1/', false],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080/', true],
    ['127.0.0.1:8080', 'http://127.0.0.1:8081/', false],
    ['::1', 'https://[::1]/', true],
    ['[::1]:443', 'https://[::1]/', true],
    ['[::1]:444', 'https://[::1]/', false],
    ['fd00::/8', 'https://[fd12::1]/', true],
    ['fd00::/8', 'https://10.1.2.3/', false],
  ])('%j and %s: %s', (noProxy, url, isExcepted) => {
    expect(isExceptedFromProxy(new URL(url), noProxy)).toBe(isExcepted);
  });
});
