/** The built operator as a separate process that ends when this process ends. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './control-plane/ports.ts';
import { type Supervised, startSupervised } from './control-plane/supervised.ts';

export interface OperatorProcessOptions {
  readonly kubeconfig: string;
  /** Template with `{region}`. */
  readonly konnectURL: string;
  /** More flags. They override the flags set here. */
  readonly flags?: readonly string[];
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
  /** The path of Node's executable. Default: that of this process. */
  readonly node?: string;
}

export interface OperatorProcess {
  readonly metricsURL: string;
  readonly healthURL: string;
  /** Path of the log, which is removed when the operator has exited. */
  readonly logFile: string;
  /** Resolves with everything that the operator has written so far. */
  output(): Promise<string>;
  /** Sends SIGTERM. Resolves with how the operator exited. */
  stop(): Promise<string>;
  /** Sends SIGKILL. Resolves when the operator has exited. */
  kill(): Promise<void>;
  /** SIGSTOP suspends the operator, SIGCONT resumes it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves with how the operator exited, when it has exited. */
  exited(): Promise<string>;
}

const name = 'operator';
const readyTimeoutMs = 90_000;
const stopGraceMs = 60_000;

export const operatorFile = fileURLToPath(new URL('../dist/operator.js', import.meta.url));

/** Resolves when `/readyz` answers 200. Rejects after 90 seconds, with the last lines of the log. */
export async function startOperator(options: OperatorProcessOptions): Promise<OperatorProcess> {
  return startSupervised(async (supervised) => {
    const [metricsPort, healthPort] = [await freePort(), await freePort()];
    const healthURL = `http://127.0.0.1:${String(healthPort)}`;
    await supervised.start(name, options.node ?? process.execPath, [
      ...(options.nodeOptions ?? []),
      operatorFile,
      ...operatorFlags(options, { metricsPort, healthPort }),
    ]);
    await supervised.waitUntilOK(name, `${healthURL}/readyz`, readyTimeoutMs);
    return controlled(supervised, { metricsURL: `http://127.0.0.1:${String(metricsPort)}/metrics`, healthURL });
  });
}

function controlled(supervised: Supervised, urls: Pick<OperatorProcess, 'metricsURL' | 'healthURL'>): OperatorProcess {
  const logFile = join(supervised.folder, `${name}.log`);
  const output = () => readFile(logFile, 'utf8');
  let ended: { how: string; output: string } | undefined;

  async function end(graceMs: number): Promise<string> {
    if (ended === undefined) {
      supervised.ref();
      const how = await supervised.stop(name, graceMs);
      ended = { how, output: await output() };
      await supervised.end();
    }
    return ended.how;
  }

  return {
    ...urls,
    logFile,
    output: async () => ended?.output ?? output(),
    stop: () => end(stopGraceMs),
    async kill() {
      await end(0);
    },
    signal: (signal) => supervised.signal(name, signal),
    exited: () => supervised.exited(name),
  };
}

/** The flags that every operator of the sandbox gets, then those of `options`. */
export function operatorFlags(
  { kubeconfig, konnectURL, flags = [] }: OperatorProcessOptions,
  { metricsPort, healthPort }: { metricsPort: number; healthPort: number },
): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--konnect-url=${konnectURL}`,
    `--metrics-bind-address=127.0.0.1:${String(metricsPort)}`,
    `--health-probe-bind-address=127.0.0.1:${String(healthPort)}`,
    '--metrics-secure=false',
    ...flags,
  ];
}
