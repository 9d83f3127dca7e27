import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';

export interface HelmResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** Runs helm. Rejects with standard error on failure, unless `allowFailure` is set. */
export type Helm = (args: readonly string[], options?: { allowFailure?: boolean }) => Promise<HelmResult>;

/** Returns the real helm, with its own home in `folder`, and with access to a cluster if a kubeconfig is given. */
export async function prepareHelm({ folder, kubeconfig }: { folder: string; kubeconfig?: string }): Promise<Helm> {
  const helm = await ensureHelm({ progress: (line) => process.stderr.write(`==> ${line}\n`) });
  const env = {
    PATH: process.env['PATH'],
    GOGC: process.env['GOGC'],
    HOME: folder,
    HELM_CACHE_HOME: join(folder, 'helm-cache'),
    HELM_CONFIG_HOME: join(folder, 'helm-config'),
    HELM_DATA_HOME: join(folder, 'helm-data'),
    KUBECONFIG: kubeconfig ?? join(folder, 'no-kubeconfig'),
  };
  return async (args, { allowFailure = false } = {}) => {
    const child = spawn(helm, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? 1));
    });
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    if (code !== 0 && !allowFailure) throw new Error(`helm ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
    return { stdout, stderr, code };
  };
}
