/** The image of the bundle for the Operator Lifecycle Manager. It has files alone, so that one image serves every architecture. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleLabels, renderBundle } from '../bundle/bundle.ts';
import { output } from '../programs.ts';
import { tarGz } from '../tar.ts';
import type { Release } from './files.ts';

export interface BundleOptions extends Release {
  /** Paths of executables. */
  readonly crane: string;
  readonly helm: string;
  /** The digest of the operator's image, which the bundle names. */
  readonly digest: string;
}

/** Pushes the image of the bundle. Resolves with its reference by digest. Its content is that of the Dockerfile in `bundle/`. */
export async function pushBundle(options: BundleOptions): Promise<string> {
  const { crane, helm, image, digest, version, time } = options;
  const reference = `${image}-bundle:${version}`;
  const files = await renderBundle(helm, [`image.repository=${image}`, `image.digest=${digest}`]);
  const copied = [...files].filter(([path]) => path !== 'Dockerfile');
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  try {
    const layer = join(folder, 'layer.tar.gz');
    const content = copied.map(([path, text]) => ({ path, content: Buffer.from(text) }));
    await writeFile(layer, tarGz(content, time));
    await output(crane, ['append', `--new_layer=${layer}`, `--new_tag=${reference}`]);
    const labels = Object.entries(bundleLabels).flatMap(([name, value]) => ['--label', `${name}=${value}`]);
    await output(crane, ['mutate', '--set-platform=linux/amd64', ...labels, `--tag=${reference}`, reference]);
    return `${image}-bundle@${await output(crane, ['digest', reference])}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}
