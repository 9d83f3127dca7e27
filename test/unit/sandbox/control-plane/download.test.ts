import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DownloadOptions, download } from '../../../../sandbox/control-plane/download.ts';
import { type HTTPServer, startHTTPServer } from '../../../support/http-server.ts';

const content = Buffer.alloc(3_000_000, 'helm');

let folder: string;
let file: string;
let said: string[];
let server: HTTPServer | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'download-'));
  file = join(folder, 'file');
  said = [];
});

afterEach(async () => {
  server?.stop();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function downloadFrom(listener: RequestListener, options: Partial<DownloadOptions> = {}): Promise<void> {
  server = await startHTTPServer(listener);
  const checksum = `sha256:${createHash('sha256').update(content).digest('hex')}` as const;
  const source = { title: 'helm v1', url: `${server.url}/helm`, checksum };
  await download(source, file, { progress: (line) => said.push(line), ...options });
}

test('content with the pinned checksum is written to the file', async () => {
  await downloadFrom((_, response) => response.writeHead(200, { 'content-length': content.length }).end(content));
  expect((await readFile(file)).equals(content)).toBe(true);
  expect(said).toEqual([expect.stringMatching(/^downloading helm v1 from 127\.0\.0\.1:\d+ \(3 MB, once\)$/)]);
});

test('a redirect is followed', async () => {
  await downloadFrom((request, response) => {
    if (request.url === '/helm') response.writeHead(302, { location: '/elsewhere' }).end();
    else response.end(content);
  });
  expect((await readFile(file)).equals(content)).toBe(true);
});

// Each case has at most one short limit, so that a slow machine does not reach another limit first.
test.each<[string, RequestListener, RegExp, Partial<DownloadOptions>?]>([
  ['does not answer', () => undefined, /^127\.0\.0\.1:\d+ did not answer within 0\.05 s$/, { answerTimeoutMs: 50 }],
  ['answers an error', (_, response) => void response.writeHead(503).end(), /^127\.0\.0\.1:\d+ answered 503$/],
  [
    'stalls',
    (_, response) => void response.write('h'),
    /^the download from 127\.0\.0\.1:\d+ stalled for 0\.1 s$/,
    { stallTimeoutMs: 100 },
  ],
  [
    'sends too slowly',
    (_, response) => {
      const timer = setInterval(() => response.write('h'), 10);
      response.on('close', () => clearInterval(timer));
    },
    /^the download from 127\.0\.0\.1:\d+ took longer than 0\.5 s$/,
    { downloadTimeoutMs: 500 },
  ],
  [
    'breaks off',
    (_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1_000), () => response.destroy());
    },
    /^the download from 127\.0\.0\.1:\d+ broke off$/,
  ],
  [
    'ends the file too early',
    (_, response) => response.writeHead(200, { connection: 'close' }).end(content.subarray(0, 1_000)),
    /^http:\/\/127\.0\.0\.1:\d+\/helm has the sha256 [0-9a-f]{64}, not the pinned [0-9a-f]{64}; the file was not used$/,
  ],
])('a server that %s fails the download with a message of one line', async (_, listener, message, limits = {}) => {
  await expect(downloadFrom(listener, limits)).rejects.toThrow(message);
});

test('the message names an unreachable server', async () => {
  const source = { title: 'helm v1', url: 'http://127.0.0.1:1/', checksum: 'sha256:0' } as const;
  await expect(download(source, file, { progress: () => undefined })).rejects.toThrow(
    /^127\.0\.0\.1:1 cannot be reached$/,
  );
});

test('an aborted download ends', async () => {
  const abort = new AbortController();
  const downloading = downloadFrom((_, response) => void response.write('h'), {
    signal: abort.signal,
    progress: () => abort.abort(),
  });
  await expect(downloading).rejects.toMatchObject({ name: 'AbortError' });
});
