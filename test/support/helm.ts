import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';

export interface HelmResult {
  stdout: string;
  stderr: string;
  code: number;
}

/** Rejects with standard error when helm fails, unless `allowFailure`. */
export type Helm = (args: readonly string[], options?: { allowFailure?: boolean }) => Promise<HelmResult>;

/** The real helm, with a home of its own in `folder`, and with a cluster to reach if a kubeconfig is given. */
export async function prepareHelm({ folder, kubeconfig }: { folder: string; kubeconfig?: string }): Promise<Helm> {
  const helm = await ensureHelm({ progress: (line) => process.stderr.write(`==> ${line}\n`) });
  const env = {
    PATH: process.env['PATH'],
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
