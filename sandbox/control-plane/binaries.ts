import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Archive, officialArchive, unpackArchive } from './archive.ts';
import { messageOf } from './failure.ts';
import { type BinaryName, buildWithGo, findGo, kubernetesVersion, minimalGo } from './go-build.ts';
import { withLock } from './lock.ts';

/** Paths of executables. */
export interface Binaries {
  etcd: string;
  kubeApiserver: string;
  kubectl: string;
  kubeControllerManager?: string;
}

export interface EnsureBinariesOptions {
  /** Whether kube-controller-manager is needed too: it deletes namespaces, collects garbage, makes default ServiceAccounts. */
  controllerManager?: boolean;
  /** Is called with a line for each step that takes time, and every few seconds while it lasts. */
  progress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** What the search depends on besides its options. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>;
  platform: string;
  arch: string;
  /** Undefined where no official archive exists for this machine. */
  archive: Archive | undefined;
}

/**
 * Finds the executables of a control plane, or makes them: those of `KUBEBUILDER_ASSETS`; the cache (`KONNECT_AUDIT_LOG_CACHE`, else
 * `konnect-audit-log-operator` in `XDG_CACHE_HOME` or `~/.cache`); the official envtest archive; built from Go modules. Safe to be called by
 * several processes at once, and to be interrupted: the cache never holds half a file. Rejects with one message that names the ways out.
 */
export async function ensureBinaries(options: EnsureBinariesOptions, machine = thisMachine()): Promise<Binaries> {
  const wanted: BinaryName[] = ['etcd', 'kube-apiserver', 'kubectl'];
  if (options.controllerManager === true) wanted.push('kube-controller-manager');
  const folders = [builtFolder(machine), downloadedFolder(machine)];
  const assets = machine.env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && assets !== '') {
    await checkAssets(assets);
    folders.unshift(assets);
  }

  let found = await findAll(wanted, folders);
  if (found.size < wanted.length) {
    const cache = cacheFolder(machine);
    await mkdir(cache, { recursive: true });
    await withLock(join(cache, 'lock'), options, async () => {
      found = await findAll(wanted, folders);
      await removeLeftovers(cache);
      await make(missing(wanted, found), cache, options, machine);
      found = await findAll(wanted, folders);
    });
  }
  return toBinaries(found);
}

/** The folder that everything is cached in. */
export function cacheFolder({ env }: Pick<Machine, 'env'>): string {
  const own = env['KONNECT_AUDIT_LOG_CACHE'];
  if (own !== undefined && own !== '') return own;
  const xdg = env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache'), 'konnect-audit-log-operator');
}

export function thisMachine(): Machine {
  const { env, platform, arch } = process;
  return { env, platform, arch, archive: officialArchive(platform, arch) };
}

async function make(
  names: BinaryName[],
  cache: string,
  options: EnsureBinariesOptions,
  machine: Machine,
): Promise<void> {
  const { archive } = machine;
  let left = names;
  let noDownload =
    archive === undefined ? 'no official archive exists for this machine' : 'no official archive holds it';
  if (archive !== undefined && names.some(isInArchive)) {
    try {
      await intoPlace(cache, downloadedFolder(machine), (folder) => unpackArchive(archive, folder, options));
      left = names.filter((name) => !isInArchive(name));
    } catch (error) {
      options.signal?.throwIfAborted();
      noDownload = messageOf(error);
      options.progress(`no official archive of Kubernetes: ${noDownload}`);
    }
  }
  if (left.length === 0) return;
  const go = await findGo(machine.env);
  if (go.kind === 'unusable') throw new Error(waysOut(left, noDownload, go.reason));
  await intoPlace(cache, builtFolder(machine), (folder) =>
    buildWithGo(left, { folder, version: go.version, env: machine.env, ...options }),
  );
}

/** Lets `fill` write into a new folder; what is complete then moves to its place file by file, each at one stroke. */
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

/** Removes what an interrupted run left behind. Only while holding the lock. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.startsWith(temporaryPrefix)) await rm(join(cache, name), { recursive: true, force: true });
  }
}

function builtFolder(machine: Machine): string {
  return join(cacheFolder(machine), `kubernetes-${kubernetesVersion}-${machine.platform}-${machine.arch}`);
}

function downloadedFolder(machine: Machine): string {
  const version = machine.archive?.version ?? 'none';
  return join(cacheFolder(machine), `envtest-${version}-${machine.platform}-${machine.arch}`);
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
  const needed: BinaryName[] = ['etcd', 'kube-apiserver', 'kubectl'];
  const lacking = missing(needed, await findAll(needed, [folder]));
  if (lacking.length > 0) {
    throw new Error(
      `KUBEBUILDER_ASSETS names ${folder}, which has no executable ${lacking.join(', ')}. Correct it, or unset it to have ` +
        'them downloaded or built.',
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

function isInArchive(name: BinaryName): boolean {
  return name !== 'kube-controller-manager';
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
  if (path === undefined) throw new Error(`${name} was made but cannot be found or executed`);
  return path;
}

function waysOut(names: readonly BinaryName[], noDownload: string, goFailure: string): string {
  return [
    `The Kubernetes control plane needs ${names.join(', ')}, and there is no way to get ${names.length === 1 ? 'it' : 'them'}:`,
    `  - download: ${noDownload}`,
    `  - build: ${goFailure}`,
    'Any one of these helps:',
    `  - install Go ${minimalGo} or newer (https://go.dev/dl/), then run the same command again;`,
    `  - set KUBEBUILDER_ASSETS to a folder that has ${names.join(', ')}${names.includes('kube-apiserver') ? ' (setup-envtest makes one)' : ''};`,
    '  - run it where github.com can be reached, or copy the cache of a machine that has one and name it in KONNECT_AUDIT_LOG_CACHE.',
  ].join('\n');
}
