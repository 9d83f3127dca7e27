/** Builds the validators, which are Go programs, into the cache of the sandbox. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cacheFolder, type Machine, thisMachine } from '../../sandbox/control-plane/binaries.ts';
import { findGo, minimalGo } from '../../sandbox/control-plane/go-build.ts';
import { withLock } from '../../sandbox/control-plane/lock.ts';

export interface EnsureOptions {
  /** Is called with a line for each slow step, and every few seconds during that step. */
  readonly progress: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The environment variable by which `npm test` tells jest that Go is missing. Tests outside this folder then do without the executable. */
export const withoutValidatorsVariable = 'TEST_WITHOUT_VALIDATORS';

type BuildMachine = Pick<Machine, 'env' | 'platform' | 'arch'>;

export interface GoProgram {
  /** The name of its executable. */
  readonly name: string;
  /** The folder that contains `go.mod`. */
  readonly module: string;
  readonly package: string;
  /** The build tags. */
  readonly tags?: string;
  /** For the linker, besides those that leave out symbols. */
  readonly linkerFlags?: string;
  /** The expected duration, which the message at the start of the build contains. */
  readonly duration: string;
}

/** The program that runs the code of Argo CD, Flux and kstatus on Kubernetes objects. */
export const objectValidators: GoProgram = {
  name: 'object-validators',
  module: fileURLToPath(new URL('./go/', import.meta.url)),
  package: '.',
  duration: 'a few minutes, once; before that, the modules are downloaded (up to 1.5 GB on disk)',
};

/** The linter of GitHub workflows. */
export const actionlint: GoProgram = {
  name: 'actionlint',
  module: fileURLToPath(new URL('./actionlint/', import.meta.url)),
  package: 'github.com/rhysd/actionlint/cmd/actionlint',
  duration: 'less than a minute, once',
};

/** The program that checks metrics, rules and the tests of rules. */
export const promtool: GoProgram = {
  name: 'promtool',
  module: fileURLToPath(new URL('./prometheus/', import.meta.url)),
  package: 'github.com/prometheus/prometheus/cmd/promtool',
  // Without the clients of all clouds.
  tags: 'remove_all_sd',
  duration: 'a few minutes, once',
};

/** The server of Prometheus, without its page. */
export const prometheus: GoProgram = {
  ...promtool,
  name: 'prometheus',
  package: 'github.com/prometheus/prometheus/cmd/prometheus',
};

/** The server that sends alerts. */
export const alertmanager: GoProgram = {
  name: 'alertmanager',
  module: fileURLToPath(new URL('./alertmanager/', import.meta.url)),
  package: 'github.com/prometheus/alertmanager/cmd/alertmanager',
  duration: 'a minute, once',
};

/** The validator of krew's manifests. */
export const krewValidator: GoProgram = {
  name: 'validate-krew-manifest',
  module: fileURLToPath(new URL('./krew/', import.meta.url)),
  package: 'sigs.k8s.io/krew/cmd/validate-krew-manifest',
  duration: 'less than a minute, once',
};

/** The program that runs the validators of bundles for the Operator Lifecycle Manager. */
export const bundleValidator: GoProgram = {
  name: 'bundle-validator',
  module: fileURLToPath(new URL('./bundle/', import.meta.url)),
  package: '.',
  duration: 'a minute, once',
};

/** The program that runs the notifications engine of Argo CD. */
export const notifications: GoProgram = {
  name: 'notifications',
  module: fileURLToPath(new URL('./notifications/', import.meta.url)),
  package: '.',
  duration: 'a few minutes, once',
};

/** What the tests of `npm test` need. */
export const programs = [
  objectValidators,
  actionlint,
  promtool,
  krewValidator,
  bundleValidator,
  notifications,
] as const;

const reportEveryMs = 10_000;
const lastLines = 20;

/**
 * Resolves with the path of the executable. Builds it once for each version of its source, and takes it from the cache later. Several processes may
 * call it at once. Rejects with one message that names the solutions.
 */
export async function ensureProgram(
  program: GoProgram,
  options: EnsureOptions,
  machine: BuildMachine = thisMachine(),
): Promise<string> {
  const cache = cacheFolder(machine);
  const path = await cachedPath(program, machine);
  if (await exists(path)) return path;
  await mkdir(cache, { recursive: true });
  await withLock(join(cache, 'validators.lock'), options, async () => {
    if (await exists(path)) return;
    const go = await findGo(machine.env);
    if (go.kind === 'unusable') throw new Error(missingGo(go.reason));
    await removeLeftovers(cache);
    const temporary = await mkdtemp(join(cache, temporaryPrefix));
    try {
      await build(program, join(temporary, program.name), go.version, machine, options);
      await mkdir(dirname(path), { recursive: true });
      await rename(join(temporary, program.name), path);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  });
  return path;
}

/** Resolves with true if the cache has all programs. */
export async function areProgramsCached(machine: BuildMachine): Promise<boolean> {
  const paths = await Promise.all(programs.map((program) => cachedPath(program, machine)));
  return (await Promise.all(paths.map(exists))).every(Boolean);
}

/** Resolves with the path of the executable in the cache, whether or not it exists. */
export async function cachedPath(program: GoProgram, machine: BuildMachine): Promise<string> {
  const folder = `${program.name}-${await digestOfSource(program)}-${machine.platform}-${machine.arch}`;
  return join(cacheFolder(machine), folder, program.name);
}

async function digestOfSource({ module, tags }: GoProgram): Promise<string> {
  const names = (await readdir(module)).filter((name) => /\.(go|mod|sum)$/.test(name)).toSorted();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\0`).update(await readFile(join(module, name)));
  if (tags !== undefined) hash.update(`tags\0${tags}`);
  return hash.digest('hex').slice(0, 12);
}

const temporaryPrefix = 'validators-build-';

/** Removes the folders of interrupted builds. The caller holds the lock. */
async function removeLeftovers(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.startsWith(temporaryPrefix)) await rm(join(cache, name), { recursive: true, force: true });
  }
}

async function build(
  program: GoProgram,
  output: string,
  version: string,
  machine: BuildMachine,
  options: EnsureOptions,
): Promise<void> {
  options.progress(`building ${program.name} from Go modules with ${version}: ${program.duration}`);
  const startedMs = performance.now();
  let lastMs = startedMs;
  let downloaded = 0;
  let compiled = 0;
  await runGo(program, output, machine, options.signal, (line) => {
    if (line.startsWith('go: downloading')) downloaded += 1;
    else compiled += 1;
    if (performance.now() - lastMs < reportEveryMs) return;
    lastMs = performance.now();
    const seconds = String(Math.round((lastMs - startedMs) / 1_000));
    options.progress(
      compiled === 0
        ? `downloading Go modules: ${String(downloaded)}`
        : `building: ${String(compiled)} packages, ${seconds} s`,
    );
  });
  options.progress(`built in ${String(Math.round((performance.now() - startedMs) / 1_000))} s`);
}

async function runGo(
  program: GoProgram,
  output: string,
  machine: BuildMachine,
  signal: AbortSignal | undefined,
  onLine: (line: string) => void,
): Promise<void> {
  const linkerFlags = `-s -w ${program.linkerFlags ?? ''}`.trim();
  const flags = ['-v', '-trimpath', '-buildvcs=false', '-gcflags=all=-dwarf=false', '-ldflags', linkerFlags];
  const tags = program.tags === undefined ? [] : ['-tags', program.tags];
  const child = spawn('go', ['build', ...flags, ...tags, '-o', output, program.package], {
    cwd: program.module,
    env: {
      ...machine.env,
      CGO_ENABLED: '0',
      GOFLAGS: '-mod=readonly',
      GOGC: totalmem() >= 8 * 2 ** 30 ? '1200' : '400',
      GOOS: '',
      GOARCH: '',
      GOWORK: 'off',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  });
  const tail: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    tail.push(line);
    if (tail.length > lastLines) tail.shift();
    onLine(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`go build failed:\n${tail.join('\n')}`);
}

function missingGo(reason: string): string {
  return [
    `These tests need validators that have to be built with Go, and this is not possible: ${reason}.`,
    'Either of these helps:',
    `  - install Go ${minimalGo} or newer (https://go.dev/dl/), then run the same command again;`,
    '  - copy the cache of a machine that has built it and name it in KONNECT_AUDIT_LOG_CACHE.',
  ].join('\n');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
