import { spawn } from 'node:child_process';
import { rename } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hasCode, messageOf } from './failure.ts';
import { reporter } from './reporter.ts';

/** The version that the Go module in `build/` pins. */
export const kubernetesVersion = 'v1.37.2';
export const minimalGo = '1.26';

const moduleFolder = fileURLToPath(new URL('./build/', import.meta.url));
const maxTailLines = 20;

export type BinaryName = 'etcd' | 'kube-apiserver' | 'kubectl' | 'kube-controller-manager';

interface Source {
  package: string;
  /** File name that `go build` chooses. */
  output: string;
  /** Measured, without the packages that the Kubernetes servers share. */
  cpuSeconds: number;
}

const sources: Readonly<Record<BinaryName, Source>> = {
  etcd: { package: 'go.etcd.io/etcd/server/v3', output: 'server', cpuSeconds: 30 },
  'kube-apiserver': { package: 'k8s.io/kubernetes/cmd/kube-apiserver', output: 'kube-apiserver', cpuSeconds: 150 },
  kubectl: { package: 'k8s.io/kubernetes/cmd/kubectl', output: 'kubectl', cpuSeconds: 80 },
  'kube-controller-manager': {
    package: 'k8s.io/kubernetes/cmd/kube-controller-manager',
    output: 'kube-controller-manager',
    cpuSeconds: 240,
  },
};
const sharedCpuSeconds = 420;

type Env = Readonly<Record<string, string | undefined>>;

/** Returns the Go version that would build the module. An older Go may download a newer toolchain. */
export async function findGo(
  env: Env,
): Promise<{ kind: 'usable'; version: string } | { kind: 'unusable'; reason: string }> {
  try {
    const lines: string[] = [];
    await runGo(['env', 'GOVERSION'], { env, onStdout: (line) => lines.push(line) });
    const version = lines[0] ?? '';
    const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
    const [neededMajor, neededMinor] = minimalGo.split('.').map(Number);
    if (Number(major) === neededMajor && Number(minor) >= Number(neededMinor)) return { kind: 'usable', version };
    return { kind: 'unusable', reason: `found ${version}, but Go ${minimalGo} or newer is required` };
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return { kind: 'unusable', reason: 'Go is not installed (no "go" on the PATH)' };
    }
    return { kind: 'unusable', reason: messageOf(error) };
  }
}

export interface BuildOptions {
  folder: string;
  version: string;
  env: Env;
  progress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** Builds executables from the pinned Go modules into `folder`. Rejects with the last lines of the compiler's output. */
export async function buildWithGo(names: readonly BinaryName[], options: BuildOptions): Promise<void> {
  const { folder, env, progress, signal } = options;
  const packages = names.map((name) => sources[name].package);
  progress(
    `building ${names.join(', ')} ${kubernetesVersion} from Go modules with ${options.version}: about ${minutes(names)} min ` +
      'on this machine, once; the modules are downloaded first (up to 1.7 GB on disk)',
  );
  const startedMs = performance.now();

  const downloads = reporter(progress);
  const dependencies = new Set<string>();
  let downloaded = 0;
  await runGo(['list', '-deps', ...packages], {
    env,
    signal,
    onStdout: (line) => dependencies.add(line),
    onStderr: (line) => {
      if (line.startsWith('go: downloading')) downloads(() => `downloading Go modules: ${(downloaded += 1)}`);
    },
  });

  const builds = reporter(progress);
  let compiled = 0;
  const args = [
    'build',
    '-v',
    '-trimpath',
    '-buildvcs=false',
    '-gcflags=all=-dwarf=false',
    '-ldflags',
    `-s -w ${versionFlags(kubernetesVersion)}`,
  ];
  await runGo([...args, '-o', `${folder}/`, ...packages], {
    env,
    signal,
    onStderr: (line) => {
      if (!dependencies.has(line)) return;
      compiled += 1;
      const percent = Math.min(99, Math.floor((100 * compiled) / dependencies.size));
      builds(() => `building: ${percent} % (${compiled} of ${dependencies.size} packages), ${since(startedMs)}`);
    },
  });
  for (const name of names) {
    const { output } = sources[name];
    if (output !== name) await rename(join(folder, output), join(folder, name));
  }
  progress(`built ${names.join(', ')} in ${since(startedMs)}`);
}

/** Returns flags of the linker that set the version of a server. Without these flags it is v0.0.0, and clients would rely on that. */
export function versionFlags(version: string): string {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const variable = 'k8s.io/component-base/version';
  return `-X ${variable}.gitVersion=${version} -X ${variable}.gitMajor=${major} -X ${variable}.gitMinor=${minor}`;
}

function minutes(names: readonly BinaryName[]): number {
  const shared = names.some((name) => name === 'kube-apiserver' || name === 'kube-controller-manager');
  const cpuSeconds = names.reduce((sum, name) => sum + sources[name].cpuSeconds, shared ? sharedCpuSeconds : 0);
  return Math.max(1, Math.ceil(cpuSeconds / 60 / Math.min(8, availableParallelism())));
}

interface RunOptions {
  env: Env;
  signal?: AbortSignal | undefined;
  onStdout?: (line: string) => void;
  onStderr?: (line: string) => void;
}

async function runGo(args: readonly string[], options: RunOptions): Promise<void> {
  // Less garbage collection in the compiler takes more memory and a third of the time.
  const gogc = totalmem() >= 8 * 2 ** 30 ? '1200' : '400';
  const child = spawn('go', args, {
    cwd: moduleFolder,
    env: {
      ...options.env,
      CGO_ENABLED: '0',
      GOFLAGS: '-mod=readonly',
      GOGC: gogc,
      GOOS: '',
      GOARCH: '',
      GOWORK: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: options.signal,
  });
  const tail: string[] = [];
  createInterface(child.stdout).on('line', (line) => options.onStdout?.(line));
  createInterface(child.stderr).on('line', (line) => {
    tail.push(line);
    if (tail.length > maxTailLines) tail.shift();
    options.onStderr?.(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`go ${args[0]} failed${tail.length === 0 ? '' : `:\n${tail.join('\n')}`}`);
}

function since(startedMs: number): string {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
