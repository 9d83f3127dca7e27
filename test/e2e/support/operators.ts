import { type OperatorProcess, startOperator } from '../../../sandbox/operator-process.ts';
import { serviceAccount } from '../../../sandbox/sandbox.ts';
import { cluster } from '../../support/cluster.ts';
import type { Output } from './leaks.ts';

/** The operators of an environment, one after the other, and what they said. */
export class Operators {
  readonly #konnectURL: string;
  readonly #flags: readonly string[];
  readonly #said: Output[] = [];
  #running: OperatorProcess | undefined;
  #count = 0;

  constructor(konnectURL: string, flags: readonly string[]) {
    this.#konnectURL = konnectURL;
    this.#flags = flags;
  }

  /** The one that runs. */
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

  /** Says how it ended. Rejects where it was asked to end and did not in good order, or had ended before. */
  async stop({ kill = false }: { kill?: boolean } = {}): Promise<string> {
    const operator = this.#running;
    if (operator === undefined) return 'does not run';
    const metrics = await textOf(operator);
    this.#running = undefined;
    const how = kill ? await operator.kill().then(() => 'was killed') : await operator.stop();
    const output = await operator.output();
    this.#said.push(...this.#utterances(metrics, output));
    if (kill || how === 'exited with code 0') return how;
    throw new Error(`the operator ${how}; its last lines:\n${output.split('\n').slice(-30).join('\n')}`);
  }

  async outputs(): Promise<Output[]> {
    if (this.#running === undefined) return [...this.#said];
    return [...this.#said, ...this.#utterances(await textOf(this.#running), await this.#running.output())];
  }

  #utterances(metrics: string, output: string): Output[] {
    const which = `operator ${String(this.#count)}`;
    return [
      { source: `the output of ${which}`, text: output },
      { source: `the metrics of ${which}`, text: metrics },
    ];
  }
}

/** What it serves; empty where it has ended by itself. */
async function textOf({ metricsURL }: OperatorProcess): Promise<string> {
  try {
    return await (await fetch(metricsURL)).text();
  } catch {
    return '';
  }
}
