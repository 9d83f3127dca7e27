/** The image for two architectures: one layer of ours on the base image that the Dockerfile names. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { operatorFile } from '../../sandbox/operator-process.ts';
import { output } from '../programs.ts';
import { tarGz } from '../tar.ts';

/** Go's names of the architectures, which images use. */
export const architectures = ['amd64', 'arm64'] as const;

export interface ImageOptions {
  /** The path of the executable. */
  readonly crane: string;
  /** Where the image goes: registry and repository. */
  readonly image: string;
  readonly base: string;
  readonly version: string;
  readonly commit: string;
  readonly time: Date;
}

/** Each part equals that of the Dockerfile, which a test checks. */
export const user = '65532:65532';
export const entrypoint = ['/nodejs/bin/node', '--max-semi-space-size=1', '/app/operator.mjs'];
export function labels({
  version,
  commit,
}: Pick<ImageOptions, 'version' | 'commit'>): Readonly<Record<string, string>> {
  return {
    'org.opencontainers.image.title': 'konnect-audit-log-operator',
    'org.opencontainers.image.description':
      'Configures Kong Konnect to forward its audit logs to SumoLogic or to another SIEM',
    'org.opencontainers.image.licenses': 'Apache-2.0',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.revision': commit,
  };
}
const sources = {
  'app/LICENSE': fileURLToPath(new URL('../../LICENSE', import.meta.url)),
  'app/operator.js.LEGAL.txt': `${operatorFile}.LEGAL.txt`,
  'app/operator.mjs': operatorFile,
};
export const layerPaths = Object.keys(sources);

/** Returns the base image that the Dockerfile names. */
export async function baseImage(): Promise<string> {
  const dockerfile = await readFile(new URL('../../Dockerfile', import.meta.url), 'utf8');
  const [, base] = /^ARG BASE=(\S+@sha256:[0-9a-f]{64})$/m.exec(dockerfile) ?? [];
  if (base === undefined) throw new Error('the Dockerfile has no ARG BASE with a digest');
  return base;
}

/** Pushes the image of each architecture and an index of both. Runs nothing of an image. Resolves with the digest of the index. */
export async function pushImage(options: ImageOptions): Promise<string> {
  const { crane, image, base, version, time } = options;
  const folder = await mkdtemp(join(tmpdir(), 'layer-'));
  try {
    const layer = join(folder, 'layer.tar.gz');
    const files = Object.entries(sources).map(async ([path, source]) => ({ path, content: await readFile(source) }));
    await writeFile(layer, tarGz(await Promise.all(files), time));
    const references: string[] = [];
    for (const arch of architectures) {
      const reference = `${image}:${version}-${arch}`;
      await output(
        crane,
        ['append', `--platform=linux/${arch}`, `--base=${base}`, `--new_layer=${layer}`, `--new_tag=${reference}`],
        withinMs,
      );
      const given = Object.entries(labels(options)).flatMap(([name, value]) => ['--label', `${name}=${value}`]);
      await output(
        crane,
        ['mutate', `--user=${user}`, `--entrypoint=${entrypoint.join(',')}`, ...given, `--tag=${reference}`, reference],
        withinMs,
      );
      references.push(`--manifest=${reference}`);
    }
    await output(crane, ['index', 'append', ...references, `--tag=${image}:${version}`], withinMs);
    return await output(crane, ['digest', `${image}:${version}`]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const withinMs = 300_000;
