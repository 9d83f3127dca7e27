import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createAuthority } from '../../../sandbox/certificates.ts';
import { KubeClient } from '../../../src/kube/kube-client.ts';
import { loadKubeConfig, type PooledKubeConfig } from '../../../src/kube/kube-config.ts';
import { eventually } from '../../support/eventually.ts';
import { ApiServer, json, WIDGETS, type Widget } from './api-server.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kube-config-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

interface Parts {
  user?: object;
  cluster?: object;
  currentContext?: string;
}

/** Writes a kubeconfig (JSON is YAML) with the same name for cluster, user and context. Returns its path. */
function kubeconfig(name: string, { user = {}, cluster = {}, currentContext = name }: Parts = {}): string {
  const file = path.join(folder, `${name}.yaml`);
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: `https://${name}.example:6443/`, ...cluster } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': currentContext,
  };
  writeFileSync(file, JSON.stringify(content));
  return file;
}

describe('the kubeconfig is found', () => {
  test('in ~/.kube/config', () => {
    mkdirSync(path.join(folder, '.kube'));
    writeFileSync(path.join(folder, '.kube', 'config'), '{}');
    expect(() => loadKubeConfig({ home: folder })).toThrow('kubeconfig: context "" or its cluster does not exist');
    kubeconfig('config');
    rmSync(path.join(folder, '.kube', 'config'));
    writeFileSync(
      path.join(folder, '.kube', 'config'),
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server: 'https://home.example/' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    expect(loadKubeConfig({ home: folder }).server).toBe('https://home.example');
  });

  test('in every file of a list: the first entry of a name counts, and missing files are skipped', () => {
    const files = [
      path.join(folder, 'missing'),
      kubeconfig('one', { currentContext: '' }),
      kubeconfig('two'),
      kubeconfig('three'),
    ];
    const config = loadKubeConfig({ kubeconfig: files.join(path.delimiter), home: '/nowhere' });
    expect(config.server).toBe('https://two.example:6443');
    expect(loadKubeConfig({ kubeconfig: files.join(path.delimiter), context: 'three' }).server).toBe(
      'https://three.example:6443',
    );
  });

  test.each([
    [{ kubeconfig: '/nowhere/config' }, 'kubeconfig not found: /nowhere/config'],
    [{ home: '/nowhere' }, 'no kubeconfig: set KUBECONFIG'],
  ])('nowhere: %j is an error with one message for users', (sources, message) => {
    expect(() => loadKubeConfig(sources)).toThrow(message);
  });

  test('nowhere: the error for a missing context or an invalid file does not quote the file', () => {
    const file = kubeconfig('one', { user: { token: 'hunter2' } });
    expect(() => loadKubeConfig({ kubeconfig: file, context: 'two' })).toThrow(
      'context "two" or its cluster does not exist',
    );
    writeFileSync(file, 'token: hunter2: [');
    expect(() => loadKubeConfig({ kubeconfig: file })).toThrow(`kubeconfig ${file} cannot be read or is not valid`);
  });
});

describe('credentials', () => {
  test.each([
    [{ token: 'abc' }, 'Bearer abc'],
    [{ username: 'u', password: 'p' }, 'Basic dTpw'],
    [{}, undefined],
  ])('%j', async (user, authorization) => {
    const { headers } = await loadKubeConfig({ kubeconfig: kubeconfig('c', { user }) }).credentials();
    expect(headers['Authorization']).toBe(authorization);
  });

  test('a token file, relative to the kubeconfig, takes precedence over a token and is read again after its token was refused', async () => {
    const write = (token: string) => writeFileSync(path.join(folder, 'token'), `${token}\n`);
    write('first');
    const config = loadKubeConfig({ kubeconfig: kubeconfig('c', { user: { tokenFile: 'token', token: 'never' } }) });
    const authorization = async () => (await config.credentials()).headers['Authorization'];
    const first = await config.credentials();
    expect(first.headers['Authorization']).toBe('Bearer first');
    expect(config.isReplaced(first)).toBe(false);
    write('second');
    expect(await authorization()).toBe('Bearer first');
    expect(config.isReplaced(first)).toBe(true);
    expect(await authorization()).toBe('Bearer second');
    expect(config.isReplaced(first)).toBe(true);
    expect(config.isReplaced(await config.credentials())).toBe(false);
  });

  test('a token in the kubeconfig is never replaced', async () => {
    const config = loadKubeConfig({ kubeconfig: kubeconfig('c', { user: { token: 'abc' } }) });
    expect(config.isReplaced(await config.credentials())).toBe(false);
  });

  test('without its token file no request is sent', async () => {
    const config = loadKubeConfig({ kubeconfig: kubeconfig('c', { user: { tokenFile: 'token' } }) });
    await expect(config.credentials()).rejects.toThrow('ENOENT');
    writeFileSync(path.join(folder, 'token'), 'first');
    expect((await config.credentials()).headers['Authorization']).toBe('Bearer first');
  });

  test('an exec plugin is called, and called again when its token has expired', async () => {
    const script = path.join(folder, 'plugin.mjs');
    writeFileSync(
      script,
      `
      import { appendFileSync, readFileSync } from 'node:fs';
      appendFileSync(process.argv[2], 'x');
      const token = 'token-' + readFileSync(process.argv[2], 'utf8').length;
      const expirationTimestamp = new Date(token === 'token-1' ? 0 : Date.now() + 60_000).toISOString();
      console.log(JSON.stringify({ status: { token, expirationTimestamp } }));
    `,
    );
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: [script, path.join(folder, 'count')],
    };
    const config = loadKubeConfig({ kubeconfig: kubeconfig('c', { user: { exec } }) });
    const tokens: unknown[] = [];
    for (let round = 0; round < 3; round += 1) tokens.push((await config.credentials()).headers['Authorization']);
    expect(tokens).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
  });

  test('an exec plugin is called again after its credentials were refused, once for all requests that had them', async () => {
    const count = path.join(folder, 'count');
    const script = path.join(folder, 'plugin.mjs');
    writeFileSync(
      script,
      `
      import { appendFileSync, readFileSync } from 'node:fs';
      appendFileSync(process.argv[2], 'x');
      console.log(JSON.stringify({ status: { token: 'token-' + readFileSync(process.argv[2], 'utf8').length } }));
    `,
    );
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script, count] };
    const config = loadKubeConfig({ kubeconfig: kubeconfig('c', { user: { exec } }) });
    const [first, other] = [await config.credentials(), await config.credentials()];
    expect(first.headers['Authorization']).toBe('Bearer token-1');
    expect([config.isReplaced(first), config.isReplaced(other)]).toEqual([true, true]);
    const second = await config.credentials();
    expect(second.headers['Authorization']).toBe('Bearer token-2');
    expect(config.isReplaced(first)).toBe(true);
    expect((await config.credentials()).headers['Authorization']).toBe('Bearer token-2');
  });

  test('impersonation has its groups, its UID and its extra fields', async () => {
    const user = {
      token: 'abc',
      as: 'jane',
      'as-uid': '7',
      'as-groups': ['audit', 'platform team'],
      'as-user-extra': { 'Example.com/scopes': ['view', 'edit'], empty: [] },
    };
    const { headers } = await loadKubeConfig({ kubeconfig: kubeconfig('c', { user }) }).credentials();
    expect(headers).toEqual({
      Authorization: 'Bearer abc',
      'Impersonate-User': 'jane',
      'Impersonate-Uid': ['7'],
      'Impersonate-Group': ['audit', 'platform team'],
      'Impersonate-Extra-example.com%2Fscopes': ['view', 'edit'],
    });
  });

  test.each([
    [
      'groups without a name',
      { 'as-groups': ['audit'] },
      'kubeconfig: user "c" has as-uid, as-groups or as-user-extra',
    ],
    ['groups that are no list', { as: 'jane', 'as-groups': 'audit' }, 'kubeconfig: as-groups has a value'],
    ['a group that is a number', { as: 'jane', 'as-groups': [1] }, 'kubeconfig: as-groups has a value'],
    ['a group with a line break', { as: 'jane', 'as-groups': ['a\r\nb: c'] }, 'kubeconfig: as-groups has a value'],
    ['an UID that is a number', { as: 'jane', 'as-uid': 1 }, 'kubeconfig: as-uid has a value'],
    ['extra fields that are a list', { as: 'jane', 'as-user-extra': ['a'] }, 'kubeconfig: as-user-extra must have'],
  ])('impersonation that cannot be sent is an error at start: %s', (_what, user, message) => {
    expect(() => loadKubeConfig({ kubeconfig: kubeconfig('c', { user }) })).toThrow(message);
  });

  test('plain http is only for the loopback', async () => {
    const local = kubeconfig('local', { cluster: { server: 'http://127.0.0.1:8001' } });
    const remote = kubeconfig('remote', { cluster: { server: 'http://10.0.0.1:8001' } });
    expect((await loadKubeConfig({ kubeconfig: local }).credentials()).headers).toEqual({});
    await expect(loadKubeConfig({ kubeconfig: remote }).credentials()).rejects.toThrow('HTTP protocol is not allowed');
  });
});

describe('connections', () => {
  let server: ApiServer;
  let config: PooledKubeConfig;

  beforeEach(async () => {
    server = new ApiServer();
    await server.start();
    config = loadKubeConfig({ kubeconfig: kubeconfig('local', { cluster: { server: server.url } }) });
  });

  afterEach(async () => {
    config.close();
    await server.stop();
  });

  test('are shared by two hundred concurrent GETs and ten watches', async () => {
    server.otherwise = (seen, response) => {
      if (!seen.query.has('watch')) json(response, 200, {});
      return !seen.query.has('watch');
    };
    const client = server.client({ config });
    const stop = new AbortController();
    const watches = Array.from({ length: 10 }, async () => {
      for await (const event of client.watch<Widget>(WIDGETS, {}, { signal: stop.signal })) expect(event).toBeDefined();
    });
    await eventually(() => expect(server.openWatches).toBe(10));
    await Promise.all(Array.from({ length: 200 }, () => client.get('/version')));
    expect(server.connections).toBe(18);
    for (let round = 0; round < 20; round += 1) await client.get('/version');
    expect(server.connections).toBe(18);
    stop.abort();
    await Promise.allSettled(watches);
    await eventually(() => expect(server.openWatches).toBe(0));
  });

  test('sequential requests need one connection, and so do short watches', async () => {
    server.watchFaults.push(
      ...Array.from({ length: 20 }, () => (_seen: unknown, response: { end(): void }) => {
        response.end();
        return true;
      }),
    );
    const client = server.client({ config });
    for (let round = 0; round < 20; round += 1) {
      await client.list(WIDGETS);
      for await (const event of client.watch<Widget>(WIDGETS, {}, { signal: new AbortController().signal }))
        expect(event).toBeDefined();
    }
    expect(server.connections).toBeLessThanOrEqual(3);
  });
});

test('over TLS, connections are kept, a new client certificate opens new ones, and the CA must have signed the certificate of the server', async () => {
  const authority = await createAuthority('test');
  const { certificate: cert, key } = await authority.issue({
    commonName: 'server',
    hosts: ['127.0.0.1'],
    usage: 'server',
  });
  const callers: string[] = [];
  let connections = 0;
  const server = https.createServer(
    { cert, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      if (request.socket instanceof TLSSocket) callers.push(String(request.socket.getPeerCertificate().subject.CN));
      response.end('{}');
    },
  );
  server.on('secureConnection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const identify = async (commonName: string) => {
      const issued = await authority.issue({ commonName, usage: 'client' });
      writeFileSync(path.join(folder, 'client.pem'), issued.certificate);
      writeFileSync(path.join(folder, 'client.key'), issued.key);
    };
    await identify('first');
    const file = kubeconfig('tls', {
      cluster: {
        server: `https://127.0.0.1:${port}`,
        'certificate-authority-data': Buffer.from(authority.certificate).toString('base64'),
      },
      user: { 'client-certificate': 'client.pem', 'client-key': 'client.key' },
    });
    const config = loadKubeConfig({ kubeconfig: file });
    const client = new KubeClient({ config, userAgent: 'test' });
    for (let round = 0; round < 20; round += 1) await client.get('/version');
    // An answer may end shortly before its connection counts as free, so there may be two.
    expect(connections).toBeLessThanOrEqual(2);
    expect(new Set(callers)).toEqual(new Set(['first']));
    await identify('second');
    for (let round = 0; round < 20; round += 1) await client.get('/version');
    expect(connections).toBeLessThanOrEqual(4);
    expect(new Set(callers.slice(20))).toEqual(new Set(['second']));
    const stranger = loadKubeConfig({
      kubeconfig: kubeconfig('other', { cluster: { server: `https://127.0.0.1:${port}` } }),
    });
    await expect(new KubeClient({ config: stranger, userAgent: 'test' }).get('/version')).rejects.toMatchObject({
      kind: 'Unavailable',
    });
    config.close();
    stranger.close();
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

describe('a valid file with invalid values is an error of one line that does not quote it', () => {
  test.each<[string, Parts, string]>([
    ['a path that is a number', { user: { tokenFile: 1.5 } }, 'cannot be read or is not valid'],
    ['a server that is a number', { cluster: { server: 7 } }, 'kubeconfig'],
    ['a server that is a list', { cluster: { server: ['https://x'] } }, 'kubeconfig'],
    ['a server that is no URL', { cluster: { server: 'CANARY' } }, 'not an http or https URL'],
    ['a server of another scheme', { cluster: { server: 'file:///CANARY' } }, 'not an http or https URL'],
  ])('%s', (_what, parts, line) => {
    const load = () => loadKubeConfig({ kubeconfig: kubeconfig('odd', parts) });
    expect(load).toThrow(line);
    expect(load).not.toThrow(/CANARY|\n/);
  });
});
