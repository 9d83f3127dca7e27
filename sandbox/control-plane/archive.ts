import { createReadStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Downloadable, type DownloadOptions, download } from './download.ts';
import { tarFiles } from './tar.ts';

/** A gzipped tar archive of a release. */
export interface Archive extends Pick<Downloadable, 'url' | 'checksum'> {
  readonly name: string;
  readonly version: string;
  /** File names of the executables that are used. The archive may contain others. */
  readonly executables: readonly string[];
}

/**
 * Downloads an archive, verifies its checksum and then writes its executables into `folder`. Rejects with a message of one line if the server
 * does not answer in time, or answers with something else.
 */
export async function unpackArchive(archive: Archive, folder: string, options: DownloadOptions): Promise<void> {
  const { url, checksum, executables, version } = archive;
  const packed = join(folder, 'archive.tar.gz');
  try {
    await download({ title: `${executables.join(', ')} ${version}`, url, checksum }, packed, options);
    const missing = new Set(executables);
    await pipeline(createReadStream(packed), createGunzip(), async (tar: AsyncIterable<Buffer>) => {
      for await (const { path, content } of tarFiles(tar)) {
        const name = basename(path);
        if (missing.delete(name)) await writeFile(join(folder, name), content, { mode: 0o755 });
      }
    });
    if (missing.size > 0) throw new Error(`${url} does not contain ${[...missing].join(', ')}`);
  } finally {
    await rm(packed, { force: true });
  }
}
