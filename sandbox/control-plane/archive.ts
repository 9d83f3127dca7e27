import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify, types } from 'node:util';
import { gunzip } from 'node:zlib';

/** A gzipped tar archive that contains etcd, kube-apiserver and kubectl. */
export interface Archive {
  version: string;
  url: string;
  /** Hexadecimal. */
  sha512: string;
}

export interface UnpackOptions {
  progress: (line: string) => void;
  signal?: AbortSignal | undefined;
  /** Timeout until the first byte of the answer. Default 5 s. */
  answerTimeoutMs?: number;
  /** Timeout of the whole download. Default 5 min. */
  downloadTimeoutMs?: number;
}

const version = 'v1.37.0';

/** Keyed by Node's platform and architecture. Source: `envtest-releases.yaml` of kubernetes-sigs/controller-tools. */
const archives: Readonly<Record<string, { name: string; sha512: string }>> = {
  'linux-x64': {
    name: 'linux-amd64',
    sha512:
      '1d1c453633b72c161a5d5a886cde7ac850be1a2ac796a9e1d4ffacacc64868295bdd2d57aa66cd0c158f5ce510f5dfe3fbc61ac21bd3dcfb875bd70658aa663a',
  },
  'linux-arm64': {
    name: 'linux-arm64',
    sha512:
      'ae6a670502988200b0131c943758cfd3d3a58cf4e6247ef7f0e6a6467f1cd9a333c802e86101f0446b1b92a0e327387224e1e44fe1a4693da0929c6e529cfe9a',
  },
  'darwin-x64': {
    name: 'darwin-amd64',
    sha512:
      '19a2a5376a8aa57a7b25ec5198834db29bf2ba0d6ff572d7f45ba683b13fb14c3ebec8069e92db66c39f1c7a9cff1bc2be879e2aacdc9fa8b8a7e861959bdf7b',
  },
  'darwin-arm64': {
    name: 'darwin-arm64',
    sha512:
      'fb38cfacdd71b5e97a4d4cceac861af5f55069cf783f0e49cf181bfc32eb3e557c2091a534dc5d38f1b92c5ba142bc1979f215a5385b3630ea6a661be6fa161b',
  },
};

/** Returns the pinned envtest archive for a platform and an architecture, both in Node's names. Undefined if there is none. */
export function officialArchive(platform: string, arch: string): Archive | undefined {
  const archive = archives[`${platform}-${arch}`];
  if (archive === undefined) return undefined;
  const file = `envtest-${version}-${archive.name}.tar.gz`;
  return {
    version,
    url: `https://github.com/kubernetes-sigs/controller-tools/releases/download/envtest-${version}/${file}`,
    sha512: archive.sha512,
  };
}

/**
 * Downloads an archive, verifies its checksum and then writes its executables into `folder`. Rejects with a message of one line if the server
 * does not answer in time, or answers with something else.
 */
export async function unpackArchive(archive: Archive, folder: string, options: UnpackOptions): Promise<void> {
  options.progress(`downloading etcd, kube-apiserver and kubectl ${archive.version} (about 70 MB, once)`);
  const packed = await download(archive.url, options);
  const sha512 = createHash('sha512').update(packed).digest('hex');
  if (sha512 !== archive.sha512) {
    throw new Error(
      `${archive.url} has the SHA-512 ${sha512}, not the pinned ${archive.sha512}; the archive was not used`,
    );
  }
  const wanted = new Set(['etcd', 'kube-apiserver', 'kubectl']);
  for (const { path, content } of tarFiles(await promisify(gunzip)(packed))) {
    const name = basename(path);
    if (!wanted.delete(name)) continue;
    await writeFile(join(folder, name), content, { mode: 0o755 });
  }
  if (wanted.size > 0) throw new Error(`${archive.url} does not contain ${[...wanted].join(', ')}`);
}

async function download(url: string, options: UnpackOptions): Promise<Buffer> {
  const { answerTimeoutMs = 5_000, downloadTimeoutMs = 300_000 } = options;
  const { host } = new URL(url);
  const limit = new AbortController();
  const noAnswer = setTimeout(
    () => limit.abort(new Error(`${host} did not answer within ${answerTimeoutMs / 1000} s`)),
    answerTimeoutMs,
  );
  const tooSlow = setTimeout(
    () => limit.abort(new Error(`the download from ${host} took longer than ${downloadTimeoutMs / 1000} s`)),
    downloadTimeoutMs,
  );
  try {
    const signal = options.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, options.signal]);
    const response = await fetch(url, { signal });
    clearTimeout(noAnswer);
    if (!response.ok) throw new Error(`${host} answered ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    if (types.isNativeError(error) && error.name === 'TypeError')
      throw new Error(`${host} cannot be reached`, { cause: error });
    throw error;
  } finally {
    clearTimeout(noAnswer);
    clearTimeout(tooSlow);
  }
}

const blockSize = 512;

/** Yields the regular files of a tar archive (ustar: 512-byte headers, name at 0, size in octal at 124, type at 156). */
export function* tarFiles(tar: Buffer): Generator<{ path: string; content: Buffer }> {
  let offset = 0;
  while (offset + blockSize <= tar.length && tar[offset] !== 0) {
    const size = Number.parseInt(text(tar, offset + 124, 12), 8);
    const start = offset + blockSize;
    if (!Number.isSafeInteger(size) || start + size > tar.length) throw new Error('the archive is damaged');
    const type = text(tar, offset + 156, 1);
    if (type === '0' || type === '') yield { path: text(tar, offset, 100), content: tar.subarray(start, start + size) };
    offset = start + Math.ceil(size / blockSize) * blockSize;
  }
}

function text(tar: Buffer, start: number, length: number): string {
  const field = tar.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}
