/** The Kubernetes of a run: one control plane with an audit log, used by the operators one after the other. */
import { open, readFile, stat } from 'node:fs/promises';
import { runKubectl } from '../../../sandbox/control-plane/access.ts';
import { ensureBinaries } from '../../../sandbox/control-plane/binaries.ts';
import { startControlPlane } from '../../../sandbox/control-plane/control-plane.ts';
import { install, serviceAccount } from '../../../sandbox/sandbox.ts';
import { KubeClient } from '../../../src/kube/kube-client.ts';
import { loadKubeConfig } from '../../../src/kube/kube-config.ts';
import { forwardingsPath } from '../../../src/resources/forwarding-resource.ts';
import { eventually } from '../../support/eventually.ts';
import { type KubeAPI, kubeAPI } from '../../support/kube-api.ts';
import type { Bench } from '../row.ts';
import type { OperatorKind } from './operators.ts';

export interface KubernetesWrites {
  readonly status: number;
  /** Writes of the forwardings themselves: the finalizer. */
  readonly finalizer: number;
  readonly events: number;
  readonly other: number;
}

export interface Lab {
  readonly api: KubeAPI;
  readonly kube: KubeClient;
  /** The operators' kubeconfig. They have all permissions, so that no operator needs rules of its own. */
  readonly kubeconfig: string;
  /** Makes the API server serve the CRD of this operator. There must be no forwarding. */
  use(kind: OperatorKind): Promise<void>;
  /** Resolves with the end of the audit log, for {@link writesSince}. */
  mark(): Promise<number>;
  /** Resolves with the writes of the operator that the API server accepted after a mark. */
  writesSince(mark: number): Promise<KubernetesWrites>;
}

const labs = new WeakMap<Bench, Promise<Lab>>();

/** Resolves with the control plane of the run. The first call starts it. */
export function labOf(bench: Bench): Promise<Lab> {
  const lab = labs.get(bench) ?? start(bench);
  labs.set(bench, lab);
  return lab;
}

async function start({ progress, onEnd }: Bench): Promise<Lab> {
  const controlPlane = await startControlPlane({
    binaries: await ensureBinaries({ progress }),
    auditLog: true,
    progress,
  });
  onEnd(() => controlPlane.stop());
  await install(controlPlane);
  const { namespace, name } = serviceAccount;
  const account = `${namespace}:${name}`;
  const role = '--clusterrole=cluster-admin';
  await runKubectl(controlPlane, ['create', 'clusterrolebinding', 'bench', role, `--serviceaccount=${account}`]);
  const auditLog = controlPlane.auditLog ?? '';
  const api = kubeAPI(controlPlane.adminKubeconfig);
  return {
    api,
    kube: new KubeClient({ config: loadKubeConfig({ kubeconfig: controlPlane.adminKubeconfig }), userAgent: 'bench' }),
    kubeconfig: await controlPlane.serviceAccountKubeconfig(namespace, name),
    async use({ definition }) {
      await runKubectl(controlPlane, ['replace', '-f', definition]);
      const serves = (await readFile(definition, 'utf8')).includes('gapRecovery');
      await eventually(async () => {
        if ((await servesGapRecovery(api)) !== serves)
          throw new Error(`the API server does not serve ${definition} yet`);
      });
    },
    mark: async () => (await stat(auditLog)).size,
    writesSince: async (mark) => countWrites(await tail(auditLog, mark), `system:serviceaccount:${account}`),
  };
}

/** Resolves with whether the served CRD has a field that only ours has. */
async function servesGapRecovery(api: KubeAPI): Promise<boolean> {
  const forwarding = {
    apiVersion: 'konnect-audit-log.io/v1alpha1',
    kind: 'AuditLogForwarding',
    metadata: { name: 'probe' },
    spec: {
      konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
      destination: { secretRef: { name: 'siem' } },
      organization: { enabled: true },
      gapRecovery: { mode: 'None' },
    },
  };
  try {
    await api.send('POST', `${forwardingsPath('default')}?dryRun=All&fieldValidation=Strict`, forwarding);
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes('unknown field')) return false;
    throw error;
  }
}

async function tail(file: string, from: number): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await handle.close();
  }
}

/** Returns the accepted writes of a user in an audit log. */
export function countWrites(log: string, user: string): KubernetesWrites {
  const counts = { status: 0, finalizer: 0, events: 0, other: 0 };
  for (const line of log.split('\n')) {
    if (!line.includes(user)) continue;
    const { verb, stage, user: who, objectRef = {}, responseStatus = {} } = JSON.parse(line);
    const isWrite = ['create', 'update', 'patch', 'delete'].includes(verb) && stage === 'ResponseComplete';
    if (!isWrite || who?.username !== user || responseStatus.code > 299) continue;
    if (objectRef.resource === 'events') counts.events += 1;
    else if (objectRef.resource !== 'auditlogforwardings') counts.other += 1;
    else if (objectRef.subresource === 'status') counts.status += 1;
    else counts.finalizer += 1;
  }
  return counts;
}
