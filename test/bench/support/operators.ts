/** The operators that are compared, each as a process. */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../sandbox/control-plane/ports.ts';
import { startSupervised } from '../../../sandbox/control-plane/supervised.ts';
import { operatorFile } from '../../../sandbox/operator-process.ts';
import { type Bench, goOperator, ours } from '../row.ts';
import { type Usage, usageOf } from './usage.ts';

export interface OperatorKind {
  readonly name: string;
  /** Path of the CRD. */
  readonly definition: string;
  readonly command: readonly [file: string, ...args: string[]];
  readonly flags: readonly string[];
  /** Flags for a Konnect that allows 3,000 requests a minute. Otherwise there is no limit. */
  readonly flagsWithQuota: readonly string[];
}

export interface RunningOperator {
  /** Without TLS. */
  readonly metricsURL: string;
  /** When the process was started, in milliseconds of the epoch. */
  readonly startedAt: number;
  usage(): Promise<Usage>;
  /** Sends SIGTERM, and resolves when the process has ended. */
  stop(): Promise<void>;
}

export interface OperatorTarget {
  readonly kubeconfig: string;
  /** Template with `{region}`. */
  readonly konnectURL: string;
  readonly hasQuota: boolean;
}

const workers = '--max-concurrent-reconciles=16';

/** Resolves with the built operator as the image starts it, then with the Go operator if its sources are given. */
export async function operatorsOf(bench: Bench): Promise<OperatorKind[]> {
  const root = fileURLToPath(new URL('../../../', import.meta.url));
  const nodeOptions = nodeOptionsOf(await readFile(join(root, 'Dockerfile'), 'utf8'));
  const profiling = bench.profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${bench.profiles}`];
  const own: OperatorKind = {
    name: ours,
    definition: join(root, 'crds/konnect-audit-log.io_auditlogforwardings.yaml'),
    command: [process.execPath, ...nodeOptions, ...profiling, operatorFile],
    flags: [workers, '--metrics-secure=false', '--konnect-qps=1000', '--konnect-burst=10000'],
    flagsWithQuota: [workers, '--metrics-secure=false', '--konnect-qps=48', '--konnect-burst=100'],
  };
  const { goOperator: sources } = bench.peers;
  if (sources === undefined) return [own];
  for (const [name, version] of versionsOf(await readFile(join(sources, 'go.mod'), 'utf8')))
    bench.versions.set(name, version);
  const [definition] = globSync('crds/*.yaml', { cwd: sources });
  if (definition === undefined) throw new Error(`${sources} has no CRD in crds/`);
  const other: OperatorKind = {
    name: goOperator,
    definition: join(sources, definition),
    command: [await build(bench, sources)],
    flags: [workers],
    flagsWithQuota: [workers],
  };
  return [own, other];
}

/** Returns the versions of Go and of controller-runtime in a `go.mod`. */
export function versionsOf(module: string): [name: string, version: string][] {
  const found = [...module.matchAll(/^(go) (\S+)$|^\s*sigs\.k8s\.io\/(controller-runtime) (\S+)/gm)];
  return found.map(([, go, version = '', other = go ?? '', otherVersion = version]) => [other, otherVersion]);
}

/** Returns the options that the image gives to Node, from the text of the Dockerfile. */
export function nodeOptionsOf(dockerfile: string): string[] {
  const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]';
  const [, ...args]: string[] = JSON.parse(entrypoint);
  return args.filter((argument) => argument.startsWith('--'));
}

const builds = new Map<string, Promise<string>>();

/** Builds the sources once in a run. Resolves with the path of the executable. */
async function build({ folder, progress }: Bench, sources: string): Promise<string> {
  const file = join(folder, 'go-operator');
  const building = builds.get(file) ?? runGo(sources, file, progress);
  builds.set(file, building);
  return building;
}

async function runGo(sources: string, file: string, progress: Bench['progress']): Promise<string> {
  progress('building the Go operator');
  const go = spawn('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', file, '.'], {
    cwd: sources,
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    go.on('error', reject);
    go.on('close', resolve);
  });
  const [said, code] = await Promise.all([text(go.stderr), ended]);
  if (code !== 0) throw new Error(`go build failed in ${sources}:\n${said}`);
  return file;
}

/** Resolves when `/readyz` answers 200. */
export async function startOperator(kind: OperatorKind, target: OperatorTarget): Promise<RunningOperator> {
  return startSupervised(async (supervised) => {
    const [metrics, health] = [`127.0.0.1:${String(await freePort())}`, `127.0.0.1:${String(await freePort())}`];
    const [file, ...args] = kind.command;
    const startedAt = Date.now();
    const pid = await supervised.start(kind.name, file, [
      ...args,
      `--kubeconfig=${target.kubeconfig}`,
      `--konnect-url=${target.konnectURL}`,
      `--metrics-bind-address=${metrics}`,
      `--health-probe-bind-address=${health}`,
      ...(target.hasQuota ? kind.flagsWithQuota : kind.flags),
    ]);
    await supervised.waitUntilOK(kind.name, `http://${health}/readyz`, 120_000);
    return {
      metricsURL: `http://${metrics}/metrics`,
      startedAt,
      usage: () => usageOf(pid),
      async stop() {
        await supervised.stop(kind.name, 60_000);
        await supervised.end();
      },
    };
  });
}
