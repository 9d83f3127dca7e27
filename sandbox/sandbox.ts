/** A complete environment for the operator: a real control plane, a local Konnect and SumoLogic. The built operator uses its ServiceAccount. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runKubectl } from './control-plane/access.ts';
import { ensureBinaries } from './control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from './control-plane/control-plane.ts';
import type { KonnectSeed } from './konnect/seed.ts';
import { type OperatorProcess, startOperator } from './operator-process.ts';
import { type Services, startServices } from './services.ts';

/** What an operator needs. */
export interface SandboxWithoutOperator {
  readonly controlPlane: ControlPlane;
  readonly services: Services;
  /** Path of the operator's kubeconfig. */
  readonly kubeconfig: string;
  /** Folder that is removed when the sandbox stops. */
  readonly folder: string;
  stop(): Promise<void>;
}

export interface Sandbox extends SandboxWithoutOperator {
  readonly operator: OperatorProcess;
}

/** Namespace of the sandbox's forwarding. */
export const namespace = 'platform';

export const deployFolder = fileURLToPath(new URL('../deploy/', import.meta.url));
export const serviceAccount = { namespace: 'konnect-audit-log', name: 'konnect-audit-log-operator' };

/** IDs, tokens and passwords that exist only in the sandbox. */
export const sandboxData = {
  token: 'kpat_sandboxTokenThatOpensNothingElse',
  sourceCode: 'ZaVnC4dhaV1sandboxCodeThatOpensNothingElse==',
  authorization: 'Bearer sandbox-authorization-that-opens-nothing-else',
  accessKey: { id: 'suSandboxAccess', key: 'sandboxAccessKeyThatOpensNothingElse' },
  organizationID: '998db3e4-5cb7-4dd5-b51c-9878096a6999',
  portals: { developers: '3e551b39-227d-4297-b911-e68fd5d77c17', partners: 'b3f0a1de-6c0f-4b52-9a53-3b0f5f1f2c77' },
  developer: { email: 'dev@example.com', password: 'sandbox-password' },
} as const;

export const sandboxSeed: KonnectSeed = {
  regions: ['us', 'eu'],
  organizations: [
    {
      id: sandboxData.organizationID,
      name: 'Sandbox',
      tokens: [{ value: sandboxData.token, access: 'full' }],
      portals: [
        { id: sandboxData.portals.developers, name: 'developers', region: 'us', developers: [sandboxData.developer] },
        { id: sandboxData.portals.partners, name: 'partners', region: 'us', developers: [sandboxData.developer] },
      ],
      controlPlanes: [{ id: '0d4f2a53-51a5-4a0c-8f0e-0a5d8a9b1c11', name: 'default' }],
    },
  ],
};

export interface SandboxOptions {
  /** Resolves with the path of the operator's kubeconfig. Default: one for its ServiceAccount. */
  readonly kubeconfigFor?: (controlPlane: ControlPlane) => Promise<string>;
}

/** Starts the sandbox. Calls `progress` with a line for each step. If a part does not start, stops the others and rejects. */
export async function startSandbox(progress: (line: string) => void, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandboxWithoutOperator(progress, options);
  try {
    const konnectURL = sandbox.services.konnect.urlTemplate;
    const flags = verificationFlags(sandbox.services);
    const operator = await startOperator({ kubeconfig: sandbox.kubeconfig, konnectURL, flags });
    progress('the operator runs with this ServiceAccount and is ready');
    return {
      ...sandbox,
      operator,
      async stop() {
        await operator.stop();
        await sandbox.stop();
      },
    };
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
}

/** Returns the flags with which an operator searches in the local SumoLogic, which has each line at once. */
export function verificationFlags({ sumologic }: Pick<Services, 'sumologic'>): string[] {
  return [`--sumologic-url=${sumologic.plainURL}`, '--verification-delay=2s'];
}

/** Starts everything that an operator needs, like {@link startSandbox}. */
export async function startSandboxWithoutOperator(
  progress: (line: string) => void,
  { kubeconfigFor = serviceAccountKubeconfig }: SandboxOptions = {},
): Promise<SandboxWithoutOperator> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopOne of stops.splice(0).toReversed()) await stopOne();
  };
  try {
    const binaries = await ensureBinaries({ progress });
    progress('starting kube-apiserver and etcd');
    const controlPlane = await startControlPlane({ binaries });
    stops.push(() => controlPlane.stop());
    progress(`kube-apiserver is ready at ${controlPlane.url}`);

    const services = await startServices({ ...sandboxData, seed: sandboxSeed });
    stops.push(() => services.stop());
    progress(
      `started a local Konnect at ${services.konnect.urlTemplate}, a local SumoLogic at ${services.sumologic.url}`,
    );

    progress('installing the CRD, the ServiceAccount and RBAC from deploy/');
    await install(controlPlane);
    const kubeconfig = await kubeconfigFor(controlPlane);
    await runKubectl(controlPlane, ['create', 'namespace', namespace]);
    return { controlPlane, services, kubeconfig, folder: controlPlane.folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function serviceAccountKubeconfig(controlPlane: ControlPlane): Promise<string> {
  return controlPlane.serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name);
}

/** Runs `kubectl apply -k deploy/` and waits until the CRD is established. Rejects with kubectl's error. */
export async function install(controlPlane: Pick<ControlPlane, 'kubectl'>): Promise<void> {
  for (const args of [
    ['apply', '--server-side', '-k', deployFolder],
    ['wait', '--for=condition=Established', '--timeout=30s', 'crd/auditlogforwardings.konnect-audit-log.io'],
  ]) {
    await runKubectl(controlPlane, args);
  }
}

/** Writes `forwarding.yaml` with the sandbox's credentials. Resolves with its path. */
export async function writeForwarding({
  folder,
  services,
}: Pick<SandboxWithoutOperator, 'folder' | 'services'>): Promise<string> {
  const example = await readFile(new URL('./forwarding.yaml', import.meta.url), 'utf8');
  const file = join(folder, 'forwarding.yaml');
  const filled = example.replace('$ENDPOINT', services.endpoint).replace('$AUTHORIZATION', sandboxData.authorization);
  await writeFile(file, filled.replace('$TOKEN', sandboxData.token), { mode: 0o600 });
  return file;
}

/** An operator, and where its log is if not in this terminal. */
type UsedOperator = Pick<OperatorProcess, 'metricsURL' | 'healthURL'> & Partial<Pick<OperatorProcess, 'logFile'>>;

/** Returns instructions for using the sandbox from another terminal. docs/develop/sandbox.md builds on the variables. */
export function usage(
  { controlPlane, services }: SandboxWithoutOperator,
  { metricsURL, healthURL, logFile }: UsedOperator,
  forwarding: string,
): string {
  const { konnect, sumologic } = services;
  return `
The sandbox is running. Press Ctrl-C to stop it. In another terminal:

  export KUBECONFIG=${controlPlane.adminKubeconfig}
  export KONNECT=${konnect.url} SUMOLOGIC=${sumologic.url} FORWARDING=${forwarding}${logFile === undefined ? '' : ` LOG=${logFile}`}
  alias kubectl=${controlPlane.kubectlPath}
  kubectl apply -f $FORWARDING
  kubectl get auditlogforwarding -n ${namespace}

  Konnect     curl -H 'Authorization: Bearer ${sandboxData.token}' $KONNECT/global/v3/audit-log-destinations
              curl $KONNECT/__sandbox/calls lists the requests
  SumoLogic   curl -k $SUMOLOGIC/__sandbox/lines lists the received audit lines
  Operator    ${metricsURL}
              ${healthURL}/readyz?verbose

docs/develop/sandbox.md shows how to make them fail.
`;
}
