/** The built operator as a process of its own, which ends when this one does, however that ends. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './control-plane/ports.ts';
import { Supervised } from './control-plane/supervised.ts';

export interface OperatorProcessOptions {
  readonly kubeconfig: string;
  /** Template with `{region}`. */
  readonly konnectURL: string;
  /** More flags, which win over those set here. */
  readonly flags?: readonly string[];
  /** Of Node, before the operator's file. */
  readonly nodeOptions?: readonly string[];
}

export interface OperatorProcess {
  readonly metricsURL: string;
  readonly healthURL: string;
  /** Everything that it has written so far. */
  output(): Promise<string>;
  /** SIGTERM, then waits for the end; says how it ended. */
  stop(): Promise<string>;
  /** SIGKILL, then waits for the end. */
  kill(): Promise<void>;
  /** SIGSTOP stops it where it stands, SIGCONT lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Says how it ended, by itself or not, when it has. */
  exited(): Promise<string>;
}

const name = 'operator';
const stopGraceMs = 60_000;

export const operatorFile = fileURLToPath(new URL('../dist/operator.js', import.meta.url));

/** Resolves when the operator answers `/readyz`. */
export async function startOperator(options: OperatorProcessOptions): Promise<OperatorProcess> {
  const supervised = await Supervised.begin();
  const [metricsPort, healthPort] = [await freePort(), await freePort()];
  const healthURL = `http://127.0.0.1:${String(healthPort)}`;
  const output = () => readFile(join(supervised.folder, `${name}.log`), 'utf8');
  let ended: { how: string; output: string } | undefined;
  try {
    await supervised.start(name, process.execPath, [
      ...(options.nodeOptions ?? []),
      operatorFile,
      `--kubeconfig=${options.kubeconfig}`,
      `--konnect-url=${options.konnectURL}`,
      `--metrics-bind-address=127.0.0.1:${String(metricsPort)}`,
      `--health-probe-bind-address=127.0.0.1:${String(healthPort)}`,
      '--metrics-secure=false',
      ...(options.flags ?? []),
    ]);
    await ready(healthURL, supervised);
  } catch (error) {
    await supervised.end();
    throw error;
  }
  supervised.release();

  async function end(graceMs: number): Promise<string> {
    if (ended === undefined) {
      supervised.hold();
      const how = await supervised.stop(name, graceMs);
      ended = { how, output: await output() };
      await supervised.end();
    }
    return ended.how;
  }

  return {
    metricsURL: `http://127.0.0.1:${String(metricsPort)}/metrics`,
    healthURL,
    output: async () => ended?.output ?? output(),
    stop: () => end(stopGraceMs),
    async kill() {
      await end(0);
    },
    signal: (signal) => supervised.signal(name, signal),
    exited: () => supervised.exited(name),
  };
}

async function ready(healthURL: string, supervised: Supervised): Promise<void> {
  const deadline = performance.now() + 90_000;
  for (;;) {
    await supervised.check(name);
    const answer = await fetch(`${healthURL}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadline) {
      throw new Error(`the operator did not become ready; its log ends with:\n${await supervised.logTail(name)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
