import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import {
  accessCluster,
  type ClusterAccess,
  type KubectlOptions,
  type KubectlResult,
} from '../../sandbox/control-plane/access.ts';
import { type KubeAPI, kubeAPI } from './kube-api.ts';

/** The environment variable by which the setup of a run passes the connection to the tests. */
export const factsVariable = 'TEST_CONTROL_PLANE';

const Facts = z.object({
  url: z.string(),
  folder: z.string(),
  adminKubeconfig: z.string(),
  certificateAuthority: z.string(),
  auditLog: z.string(),
  kubectlPath: z.string(),
});

/** The control plane that all tests of a run share, with kube-controller-manager, an audit log and the CRD of `crds/`. */
export interface TestCluster extends Omit<ClusterAccess, 'kubectl'> {
  readonly auditLog: string;
  /** Sends requests as a cluster administrator. */
  readonly api: KubeAPI;
  /** Runs kubectl. Rejects with standard error on failure, unless `allowFailure` is set. */
  kubectl: (args: readonly string[], options?: KubectlOptions & { allowFailure?: boolean }) => Promise<KubectlResult>;
  /** Creates a namespace with a unique name that begins with `prefix`. */
  createNamespace: (prefix: string) => Promise<string>;
}

export function cluster(): TestCluster {
  const facts = Facts.parse(JSON.parse(process.env[factsVariable] ?? '{}'));
  const access = accessCluster(facts);
  const api = kubeAPI(facts.adminKubeconfig);

  async function kubectl(
    args: readonly string[],
    { allowFailure = false, ...options }: KubectlOptions & { allowFailure?: boolean } = {},
  ): Promise<KubectlResult> {
    const result = await access.kubectl(args, options);
    if (result.code === 0 || allowFailure) return result;
    throw new Error(`kubectl ${args.join(' ')} ended with ${result.code}: ${result.stderr.trim()}`);
  }

  async function createNamespace(prefix: string): Promise<string> {
    const name = `${prefix}-${randomUUID().slice(0, 8)}`;
    await api.send('POST', '/api/v1/namespaces', { metadata: { name } });
    return name;
  }

  return { ...access, auditLog: facts.auditLog, api, kubectl, createNamespace };
}
