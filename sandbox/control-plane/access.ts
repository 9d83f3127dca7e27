import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { writeKubeconfig } from './kubeconfig.ts';

/** How to reach a running control plane. Plain data, so that another process can use it. */
export interface ClusterConnection {
  readonly url: string;
  /** Folder of the control plane. Removed when it stops. */
  readonly folder: string;
  /** Path of a kubeconfig with all permissions. */
  readonly adminKubeconfig: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** Path of the audit log, one JSON object per line. */
  readonly auditLog: string | undefined;
  /** Path of the executable. */
  readonly kubectlPath: string;
}

export interface KubectlOptions {
  /** Sent to standard input. */
  input?: string;
  /** Default: {@link ClusterConnection.adminKubeconfig}. */
  kubeconfig?: string;
  signal?: AbortSignal | undefined;
}

export interface KubectlResult {
  stdout: string;
  stderr: string;
  code: number;
}

export interface ClusterAccess extends ClusterConnection {
  /** Runs kubectl. Resolves with any exit code. Rejects if it cannot be run or was aborted. */
  kubectl: (args: readonly string[], options?: KubectlOptions) => Promise<KubectlResult>;
  /**
   * Writes a kubeconfig with a token of an existing ServiceAccount, valid for a week. Its default namespace is that of the ServiceAccount.
   * Resolves with the path. Every call makes its own token and its own file.
   */
  serviceAccountKubeconfig: (namespace: string, name: string) => Promise<string>;
}

/** Runs kubectl. Resolves with its standard output. Rejects with its standard error if the exit code is not 0. */
export async function runKubectl(
  { kubectl }: Pick<ClusterAccess, 'kubectl'>,
  args: readonly string[],
  options?: KubectlOptions,
): Promise<string> {
  const { stdout, stderr, code } = await kubectl(args, options);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${String(code)}: ${stderr.trim()}`);
  return stdout;
}

export function accessCluster(connection: ClusterConnection): ClusterAccess {
  async function kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    const { input = '', kubeconfig = connection.adminKubeconfig, signal } = options;
    const child = spawn(connection.kubectlPath, args, {
      env: { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(connection.folder, 'kubectl-cache') },
      stdio: 'pipe',
      signal,
    });
    const ended = new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? 1));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { stdout, stderr, code };
  }

  async function serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
    const { stdout, stderr, code } = await kubectl(['create', 'token', name, '-n', namespace, '--duration=168h']);
    if (code !== 0) throw new Error(`no token for ServiceAccount ${namespace}/${name}: ${stderr.trim()}`);
    const folder = join(connection.folder, 'service-accounts');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${namespace}.${name}.${randomUUID()}.kubeconfig`);
    await writeKubeconfig(path, { ...connection, namespace, user: { name, token: stdout.trim() } });
    return path;
  }

  return { ...connection, kubectl, serviceAccountKubeconfig };
}
