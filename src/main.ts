/** The process: configuration, signals, exit code. */
import { parseConfig, version } from './config/config.ts';
import { loadKubeConfig } from './kube/kube-config.ts';
import { runOperator } from './operator/operator.ts';
import { FencedError } from './runtime/write-fence.ts';
import { createLog } from './telemetry/log.ts';

const exitWrongUsage = 2;

async function main(): Promise<number> {
  const parsed = parseConfig(process.argv.slice(2), process.env);
  switch (parsed.kind) {
    case 'help':
    case 'version':
      process.stdout.write(`${parsed.text}\n`);
      return 0;
    case 'error':
      process.stderr.write(`${parsed.message}\n`);
      return exitWrongUsage;
    case 'config':
      return operate(parsed.config);
  }
}

async function operate(config: Parameters<typeof runOperator>[0]['config']): Promise<number> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping: no new work, work in flight may end');
      stop.abort(new Error('the operator is stopping'));
    });
  }
  process.on('unhandledRejection', (err) => {
    log.error({ err }, 'a promise was rejected and nobody listened: this is a bug');
    process.exit(1);
  });
  try {
    const kubeConfig = loadKubeConfig({ kubeconfig: config.kubeconfig, home: config.home });
    await runOperator({ config, kubeConfig, log, version, signal: stop.signal });
    return 0;
  } catch (err) {
    // Whose lease is lost has said so.
    if (!(err instanceof FencedError)) log.error({ err }, 'operator cannot go on');
    // Whatever may still be open must not keep the process.
    process.exit(1);
  }
}

process.exitCode = await main();
