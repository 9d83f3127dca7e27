import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTLS } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { full, organizationID, seed } from '../unit/sandbox/konnect/support.ts';
import { readArguments } from './arguments.ts';
import { type PublicHosts, startPublicHosts } from './public-hosts.ts';

let folder: string;
let konnect: KonnectServer;
let hosts: PublicHosts;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'public-hosts-'));
  konnect = await startKonnect({ seed });
  hosts = await startPublicHosts(konnect.url, folder);
});

afterEach(async () => {
  await hosts.stop();
  await konnect.stop();
  await rm(folder, { recursive: true });
});

/** Resolves with the proxy's answer to CONNECT, and with the answer through the tunnel if it opens one. */
async function throughTunnel(host: string, path: string): Promise<{ opened: number; text: string }> {
  const ca = await readFile(hosts.authorityFile, 'utf8');
  return new Promise((resolve, reject) => {
    const asking = request(hosts.proxyURL, { method: 'CONNECT', path: `${host}:443`, agent: false });
    asking.on('error', reject).on('connect', ({ statusCode: opened = 0 }, socket) => {
      if (opened !== 200) {
        socket.destroy();
        resolve({ opened, text: '' });
        return;
      }
      const secure = connectTLS({ socket, servername: host, ca });
      let text = '';
      secure.on('error', reject).on('close', () => resolve({ opened, text }));
      secure.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const headers = `Host: ${host}\r\nAuthorization: Bearer ${full}\r\nConnection: close\r\n`;
      secure.write(`GET ${path} HTTP/1.1\r\n${headers}\r\n`);
    });
    asking.end();
  });
}

describe('the local replacement of the public hosts', () => {
  test('leads to the local Konnect, each host to its region', async () => {
    const { text } = await throughTunnel('global.api.konghq.com', '/v3/organizations/me');
    expect(text).toContain(organizationID);
    await throughTunnel('eu.api.konghq.com', '/v2/control-planes');
    expect(konnect.control.calls()).toMatchObject([
      { region: 'global', path: '/v3/organizations/me', status: 200 },
      { region: 'eu', path: '/v2/control-planes', status: 200 },
    ]);
    expect(hosts.refused).toEqual([]);
  });

  test.each(['api.example.com', 'us.api.konghq.com.example.com', 'example.com/us.api.konghq.com'])(
    'open no tunnel to %s',
    async (host) => {
      expect(await throughTunnel(host, '/')).toEqual({ opened: 403, text: '' });
      expect(hosts.refused).toEqual([`${host}:443`]);
    },
  );
});

describe('the arguments', () => {
  test.each([
    [[], 'neither --terraform-provider nor --kongctl is given'],
    [['--kongctl', '/nowhere/kongctl'], '/nowhere/kongctl is not an executable file'],
    [['--kongtcl', 'x'], 'kongtcl'],
  ])('%j are refused', async (args, message) => {
    await expect(readArguments(args)).rejects.toThrow(message);
  });

  test('name one client or both', async () => {
    expect(await readArguments(['--kongctl', process.execPath])).toEqual({ kongctl: process.execPath });
    expect(await readArguments(['--terraform-provider', process.execPath])).toEqual({
      terraform: { terraform: 'terraform', provider: process.execPath },
    });
  });
});
