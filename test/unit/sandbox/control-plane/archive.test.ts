import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { officialArchive, unpackArchive } from '../../../../sandbox/control-plane/archive.ts';

test.each([
  ['does not answer', 0, /did not answer within 0\.05 s/],
  ['begins and does not end', 1, /took longer than 0\.1 s/],
])('a server that %s is given up', async (_, bytes, message) => {
  const server = createServer((__, response) => {
    if (bytes > 0) response.write(Buffer.alloc(bytes));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
  const progress = () => undefined;
  const unpacking = unpackArchive({ version: 'v1', url, sha512: '' }, tmpdir(), {
    progress,
    answerTimeoutMs: 50,
    downloadTimeoutMs: 100,
  });
  await expect(unpacking).rejects.toThrow(message);
  server.closeAllConnections();
  server.close();
});

test.each(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'])('an archive is pinned for %s', (name) => {
  const [platform = '', arch = ''] = name.split('-');
  const archive = officialArchive(platform, arch);
  expect(archive?.url).toMatch(/^https:\/\/github\.com\/kubernetes-sigs\/controller-tools\/.*\.tar\.gz$/);
  expect(archive?.sha512).toMatch(/^[0-9a-f]{128}$/);
});

test('no archive is made up for other machines', () => {
  expect(officialArchive('sunos', 'x64')).toBeUndefined();
});
