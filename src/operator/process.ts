/** The operator as a process: configuration, signals, exit code. */
import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';
import { parseConfig, version } from '../config/config.ts';
import { loadKubeConfig } from '../kube/kube-config.ts';
import { FencedError } from '../runtime/write-fence.ts';
import { createLog } from '../telemetry/log.ts';
import { runOperator } from './operator.ts';

const exitInvalidUsage = 2;

/** How long one address of a host may take to accept a connection, before the next one is tried. Node's 250 ms are too short for slow networks. */
const connectAttemptMs = 5_000;

/** Runs the operator until a signal stops it. Takes the arguments without the name of the program. Returns the exit code. */
export async function operatorProcess(
  argv: readonly string[],
  env: Parameters<typeof parseConfig>[1],
): Promise<number> {
  setDefaultAutoSelectFamilyAttemptTimeout(connectAttemptMs);
  const parsed = parseConfig(argv, env);
  switch (parsed.kind) {
    case 'help':
    case 'version':
      process.stdout.write(`${parsed.text}\n`);
      return 0;
    case 'error':
      process.stderr.write(`${parsed.message}\n`);
      return exitInvalidUsage;
    case 'config':
      return operate(parsed.config);
  }
}

async function operate(config: Parameters<typeof runOperator>[0]['config']): Promise<number> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping: no new work is taken, work in progress may end');
      stop.abort(new Error('the operator is stopping'));
    });
  }
  process.on('unhandledRejection', (err) => {
    log.error({ err }, 'unhandled rejection of a promise: this is a bug');
    process.exit(1);
  });
  try {
    const kubeConfig = loadKubeConfig({ kubeconfig: config.kubeconfig, home: config.home });
    await runOperator({ config, kubeConfig, log, version, signal: stop.signal });
    return 0;
  } catch (err) {
    // Losing the lease was logged already.
    if (!(err instanceof FencedError)) log.error({ err }, 'operator failed');
    // Open connections must not keep the process from ending.
    process.exit(1);
  }
}
