/**
 * The operator from its sources, which restarts when a source is saved. Node's own `--watch` is not enough: many editors and git replace a file by a
 * rename, and `--watch` misses the next changes of such a file.
 */
import { fileURLToPath } from 'node:url';
import { freePort } from './control-plane/ports.ts';
import { Supervised } from './control-plane/supervised.ts';
import { fileChanges } from './file-changes.ts';
import { type OperatorProcess, type OperatorProcessOptions, operatorFlags } from './operator-process.ts';

export type WatchedOperator = Pick<OperatorProcess, 'metricsURL' | 'healthURL'> & { stop(): Promise<void> };

const name = 'operator';
const pollEveryMs = 100;
/** How long work in flight delays a restart. */
const gracePeriod = '500ms';
const stopGraceMs = 5_000;

const sourceFolder = fileURLToPath(new URL('../src/', import.meta.url));
/** Halves the time that a start takes. */
const compileCache = {
  NODE_COMPILE_CACHE:
    process.env['NODE_COMPILE_CACHE'] ?? fileURLToPath(new URL('../node_modules/.cache/compile/', import.meta.url)),
};

/**
 * Starts the operator. It writes to standard error of this process, and exits when this process exits. Calls `progress` with a line for each
 * restart, and if the operator exits by itself.
 */
export async function watchOperator(
  options: OperatorProcessOptions,
  progress: (line: string) => void,
): Promise<WatchedOperator> {
  const supervised = await Supervised.create();
  const [metricsPort, healthPort] = [await freePort(), await freePort()];
  const flags = ['--log-format=text', `--grace-period=${gracePeriod}`, ...(options.flags ?? [])];
  const args = [
    '--disable-warning=ExperimentalWarning',
    ...(options.nodeOptions ?? []),
    fileURLToPath(new URL('../src/main.ts', import.meta.url)),
    ...operatorFlags({ ...options, flags }, { metricsPort, healthPort }),
  ];
  const stopping = new AbortController();
  const changes = await fileChanges(sourceFolder, { suffix: '.ts', everyMs: pollEveryMs, signal: stopping.signal });

  async function run(): Promise<void> {
    for (;;) {
      const started = supervised.start(name, process.execPath, args, { env: compileCache });
      // Rejects if the operator has exited already, which is reported below.
      await started.catch(() => undefined);
      const nextChange = changes.next();
      const first = await Promise.race([nextChange, supervised.exited(name)]);
      if (typeof first === 'string') progress(`the operator ${first}; it starts again when a source is saved`);
      const change = await nextChange;
      if (change.done !== true) progress(`src/${change.value} has changed: the operator restarts`);
      await supervised.stop(name, stopGraceMs);
      if (change.done === true) return;
    }
  }

  const running = run();
  return {
    metricsURL: `http://127.0.0.1:${String(metricsPort)}/metrics`,
    healthURL: `http://127.0.0.1:${String(healthPort)}`,
    async stop() {
      stopping.abort();
      await running;
      await supervised.end();
    },
  };
}
