import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Archive, unpackArchive } from './archive.ts';
import { messageOf } from './failure.ts';
import { type BinaryName, buildWithGo, findGo, kubernetesVersion, minimalGo } from './go-build.ts';
import { withLock } from './lock.ts';
import { controlPlaneArchives } from './releases.ts';

/** Paths of executables. */
export interface Binaries {
  etcd: string;
  kubeApiserver: string;
  kubectl: string;
  kubeControllerManager?: string;
}

export interface EnsureBinariesOptions {
  /** Whether kube-controller-manager is needed too. It deletes namespaces, collects garbage and creates default ServiceAccounts. */
  controllerManager?: boolean;
  /** Called with one line before each slow step, and every few seconds during it. */
  progress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** The environment of the search. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>;
  platform: string;
  arch: string;
  /** Archives of official releases for this platform. */
  archives: readonly Archive[];
}

/**
 * Resolves with the executables of a control plane. Looks in `KUBEBUILDER_ASSETS`, then in the cache (`KONNECT_AUDIT_LOG_CACHE`, else
 * `konnect-audit-log-operator` in `XDG_CACHE_HOME` or `~/.cache`). Downloads the archives of official releases, else builds from Go modules.
 * Several processes may call it at the same time. The cache never contains a partial file, even after an interruption. Rejects with one
 * message that lists the remedies.
 */
export async function ensureBinaries(options: EnsureBinariesOptions, machine = thisMachine()): Promise<Binaries> {
  const wanted = wantedNames(options);
  const folders = await foldersOf(machine);
  let found = await findAll(wanted, folders);
  if (found.size < wanted.length) {
    const cache = cacheFolder(machine);
    await mkdir(cache, { recursive: true });
    await withLock(join(cache, 'lock'), options, async () => {
      found = await findAll(wanted, folders);
      await removeLeftovers(cache);
      await provide(missing(wanted, found), cache, options, machine);
      found = await findAll(wanted, folders);
    });
  }
  return toBinaries(found);
}

/** Resolves with the names of executables that only a build with Go provides, because they are in no folder and in no archive of a release. */
export async function onlyBuiltWithGo(
  options: Pick<EnsureBinariesOptions, 'controllerManager'>,
  machine = thisMachine(),
): Promise<BinaryName[]> {
  const wanted = wantedNames(options);
  const absent = missing(wanted, await findAll(wanted, await foldersOf(machine)));
  return absent.filter((name) => !machine.archives.some(({ executables }) => executables.includes(name)));
}

function wantedNames({ controllerManager }: Pick<EnsureBinariesOptions, 'controllerManager'>): BinaryName[] {
  return [...basicNames, ...(controllerManager === true ? (['kube-controller-manager'] as const) : [])];
}

const basicNames: readonly BinaryName[] = ['etcd', 'kube-apiserver', 'kubectl'];

/** Returns the folders that may contain executables, in the order of the search. */
async function foldersOf(machine: Machine): Promise<string[]> {
  const folders = [builtFolder(machine), ...machine.archives.map((archive) => downloadedFolder(archive, machine))];
  const assets = machine.env['KUBEBUILDER_ASSETS'];
  if (assets === undefined || assets === '') return folders;
  await checkAssets(assets);
  return [assets, ...folders];
}

/** Returns the folder of the cache. */
export function cacheFolder({ env }: Pick<Machine, 'env'>): string {
  const own = env['KONNECT_AUDIT_LOG_CACHE'];
  if (own !== undefined && own !== '') return own;
  const xdg = env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'konnect-audit-log-operator');
}

export function thisMachine(): Machine {
  const { env, platform, arch } = process;
  return { env, platform, arch, archives: controlPlaneArchives(platform, arch) };
}

/** Downloads or builds `names` into the cache. */
async function provide(
  names: BinaryName[],
  cache: string,
  options: EnsureBinariesOptions,
  machine: Machine,
): Promise<void> {
  let toBuild = names;
  const failures: string[] = [];
  for (const archive of machine.archives) {
    const { executables } = archive;
    if (!toBuild.some((name) => executables.includes(name))) continue;
    try {
      await intoPlace(cache, downloadedFolder(archive, machine), (folder) => unpackArchive(archive, folder, options));
      toBuild = toBuild.filter((name) => !executables.includes(name));
    } catch (error) {
      options.signal?.throwIfAborted();
      failures.push(messageOf(error));
      options.progress(`cannot download ${executables.join(', ')}: ${messageOf(error)}`);
    }
  }
  if (toBuild.length === 0) return;
  const go = await findGo(machine.env);
  if (go.kind === 'unusable') throw new Error(remedies(toBuild, failures, go.reason));
  await intoPlace(cache, builtFolder(machine), (folder) =>
    buildWithGo(toBuild, { folder, version: go.version, env: machine.env, ...options }),
  );
}

/** Calls `fill` with a temporary folder, then moves each file to `target` atomically. */
export async function intoPlace(cache: string, target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(cache, temporaryPrefix));
  try {
    await fill(folder);
    await mkdir(target, { recursive: true });
    for (const name of await readdir(folder)) await rename(join(folder, name), join(target, name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const temporaryPrefix = 'making-';

/** Removes the temporary folders of interrupted runs. The caller must hold the lock. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.startsWith(temporaryPrefix)) await rm(join(cache, name), { recursive: true, force: true });
  }
}

function builtFolder(machine: Machine): string {
  return join(cacheFolder(machine), `kubernetes-${kubernetesVersion}-${machine.platform}-${machine.arch}`);
}

function downloadedFolder({ name, version }: Archive, machine: Machine): string {
  return join(cacheFolder(machine), `${name}-${version}-${machine.platform}-${machine.arch}`);
}

async function findAll(names: readonly BinaryName[], folders: readonly string[]): Promise<Map<BinaryName, string>> {
  const found = new Map<BinaryName, string>();
  for (const name of names) {
    for (const folder of folders) {
      if (!found.has(name) && (await isExecutable(join(folder, name)))) found.set(name, join(folder, name));
    }
  }
  return found;
}

async function checkAssets(folder: string): Promise<void> {
  const absent = missing(basicNames, await findAll(basicNames, [folder]));
  if (absent.length > 0) {
    throw new Error(
      `KUBEBUILDER_ASSETS is ${folder}, which has no executable ${absent.join(', ')}. Correct it, or unset it to download ` +
        'or build them.',
    );
  }
}

function missing(names: readonly BinaryName[], found: ReadonlyMap<BinaryName, string>): BinaryName[] {
  return names.filter((name) => !found.has(name));
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function toBinaries(found: ReadonlyMap<BinaryName, string>): Binaries {
  const controllerManager = found.get('kube-controller-manager');
  return {
    etcd: get(found, 'etcd'),
    kubeApiserver: get(found, 'kube-apiserver'),
    kubectl: get(found, 'kubectl'),
    ...(controllerManager === undefined ? {} : { kubeControllerManager: controllerManager }),
  };
}

function get(found: ReadonlyMap<BinaryName, string>, name: BinaryName): string {
  const path = found.get(name);
  if (path === undefined) throw new Error(`${name} was installed but cannot be found or executed`);
  return path;
}

function remedies(names: readonly BinaryName[], failures: readonly string[], goFailure: string): string {
  const noDownload = failures.length === 0 ? 'no official release contains it for this platform' : failures.join('; ');
  return [
    `The Kubernetes control plane needs ${names.join(', ')}, but there is no way to get ${names.length === 1 ? 'it' : 'them'}:`,
    `  - download: ${noDownload}`,
    `  - build: ${goFailure}`,
    'Use one of these remedies:',
    `  - install Go ${minimalGo} or newer (https://go.dev/dl/), then run the same command again;`,
    `  - set KUBEBUILDER_ASSETS to a folder that has ${names.join(', ')}${names.includes('kube-apiserver') ? ' (setup-envtest creates one)' : ''};`,
    '  - run the same command where github.com and dl.k8s.io can be reached;',
    '  - copy the cache of another machine, and set KONNECT_AUDIT_LOG_CACHE to its folder.',
  ].join('\n');
}
