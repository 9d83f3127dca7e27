import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { writeKubeconfig } from './kubeconfig.ts';

/** What it takes to reach a running control plane; plain data, so that it can be handed to another process. */
export interface ClusterFacts {
  readonly url: string;
  /** Of the control plane alone; gone when it stops. */
  readonly folder: string;
  /** Path of a kubeconfig that may do anything. */
  readonly adminKubeconfig: string;
  /** PEM. */
  readonly certificateAuthority: string;
  /** Path of the audit log, a JSON object a line. */
  readonly auditLog: string | undefined;
  /** Path of the executable. */
  readonly kubectlPath: string;
}

export interface KubectlOptions {
  /** Standard input. */
  input?: string;
  /** The admin's unless given. */
  kubeconfig?: string;
  signal?: AbortSignal | undefined;
}

export interface KubectlResult {
  stdout: string;
  stderr: string;
  code: number;
}

export interface ClusterAccess extends ClusterFacts {
  /** Runs kubectl; resolves whatever its exit code. Rejects when it cannot be run or was aborted. */
  kubectl: (args: readonly string[], options?: KubectlOptions) => Promise<KubectlResult>;
  /**
   * Writes a kubeconfig that holds a token of an existing ServiceAccount, good for a week, and is for its namespace. Resolves with its path;
   * the same for each call with the same names.
   */
  serviceAccountKubeconfig: (namespace: string, name: string) => Promise<string>;
}

export function accessCluster(facts: ClusterFacts): ClusterAccess {
  async function kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    const { input = '', kubeconfig = facts.adminKubeconfig, signal } = options;
    const child = spawn(facts.kubectlPath, args, {
      env: { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(facts.folder, 'kubectl-cache') },
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
    const folder = join(facts.folder, 'service-accounts');
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${namespace}.${name}.kubeconfig`);
    await writeKubeconfig(path, { ...facts, namespace, user: { name, token: stdout.trim() } });
    return path;
  }

  return { ...facts, kubectl, serviceAccountKubeconfig };
}
