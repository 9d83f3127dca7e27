import { type OperatorProcess, startOperator } from '../../../sandbox/operator-process.ts';
import { serviceAccount } from '../../../sandbox/sandbox.ts';
import { cluster } from '../../support/cluster.ts';
import type { Output } from './leaks.ts';

/** The operators of an environment, one after another, and their output. */
export class Operators {
  readonly #konnectURL: string;
  readonly #flags: readonly string[];
  readonly #stored: Output[] = [];
  #running: OperatorProcess | undefined;
  #count = 0;

  constructor(konnectURL: string, flags: readonly string[]) {
    this.#konnectURL = konnectURL;
    this.#flags = flags;
  }

  /** Returns the operator that runs. */
  get current(): OperatorProcess {
    if (this.#running === undefined) throw new Error('no operator runs');
    return this.#running;
  }

  /** Resolves when it is ready. `flags` win over those of the constructor. */
  async start(flags: readonly string[] = []): Promise<void> {
    const { serviceAccountKubeconfig } = cluster();
    const kubeconfig = await serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name);
    this.#running = await startOperator({
      kubeconfig,
      konnectURL: this.#konnectURL,
      flags: [...this.#flags, ...flags],
    });
    this.#count += 1;
  }

  /** Stops the operator. Resolves with how it ended. Rejects unless it was killed or exited with code 0. */
  async stop({ kill = false }: { kill?: boolean } = {}): Promise<string> {
    const operator = this.#running;
    if (operator === undefined) return 'does not run';
    const metrics = await textOf(operator);
    this.#running = undefined;
    const how = kill ? await operator.kill().then(() => 'was killed') : await operator.stop();
    const output = await operator.output();
    this.#stored.push(...this.#outputsOf(metrics, output));
    if (kill || how === 'exited with code 0') return how;
    throw new Error(`the operator ${how}; its last lines:\n${output.split('\n').slice(-30).join('\n')}`);
  }

  async outputs(): Promise<Output[]> {
    if (this.#running === undefined) return [...this.#stored];
    return [...this.#stored, ...this.#outputsOf(await textOf(this.#running), await this.#running.output())];
  }

  #outputsOf(metrics: string, output: string): Output[] {
    const which = `operator ${String(this.#count)}`;
    return [
      { source: `the output of ${which}`, text: output },
      { source: `the metrics of ${which}`, text: metrics },
    ];
  }
}

/** Resolves with its metrics. Empty if the operator has already ended. */
async function textOf({ metricsURL }: OperatorProcess): Promise<string> {
  try {
    return await (await fetch(metricsURL)).text();
  } catch {
    return '';
  }
}
