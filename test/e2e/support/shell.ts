import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { cluster } from '../../support/cluster.ts';

/**
 * Runs the commands of a document in a folder, as a cluster administrator. Resolves with standard output. Rejects with standard error if a
 * command ends with an exit code other than 0.
 */
export async function bash(script: string, folder: string): Promise<string> {
  const { adminKubeconfig, kubectlPath, folder: clusterFolder } = cluster();
  const child = spawn('bash', ['-c', `set -euo pipefail\n${script}`], {
    cwd: folder,
    env: {
      PATH: [dirname(kubectlPath), process.env['PATH']].join(delimiter),
      HOME: folder,
      KUBECONFIG: adminKubeconfig,
      KUBECACHEDIR: join(clusterFolder, 'kubectl-cache'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (exitCode !== 0) throw new Error(`ended with ${String(exitCode)}: ${stderr}\n${script}`);
  return stdout;
}
