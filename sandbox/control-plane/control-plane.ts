import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, createAuthority, createSigningKeys } from '../certificates.ts';
import { accessCluster, type ClusterAccess } from './access.ts';
import type { Binaries } from './binaries.ts';
import { compact } from './etcd.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { freePort } from './ports.ts';
import { type Connection, type WaitOptions, waitForCustomResources, waitForPath } from './readiness.ts';
import { type Supervised, startSupervised } from './supervised.ts';

export interface ControlPlaneOptions {
  binaries: Binaries;
  /** Needs `binaries.kubeControllerManager`. */
  controllerManager?: boolean;
  /** Logs every request, without bodies, to {@link ControlPlane.auditLog}. */
  auditLog?: boolean;
  progress?: (line: string) => void;
  /** Aborts the start. After the start, use `stop`. */
  signal?: AbortSignal | undefined;
}

/** A running kube-apiserver and etcd on 127.0.0.1, with their own folder. Ends when `stop` is called or when this process ends. */
export interface ControlPlane extends ClusterAccess {
  /** Restarts a server gracefully, with the same data, address and certificates. Resolves when the control plane is ready again. */
  restart: (part: 'kube-apiserver' | 'etcd') => Promise<void>;
  /** Suspends a server with its connections open, like a machine that hangs, or resumes it. */
  freeze: (part: 'kube-apiserver' | 'etcd', frozen: boolean) => void;
  /** Removes all earlier revisions from etcd, as kube-apiserver does every five minutes. */
  compact: () => Promise<void>;
  /** Kills the servers and removes the folder. Later calls do nothing. */
  stop: () => Promise<void>;
}

const startWithinMs = 180_000;
/** Short, because an API server with open watches takes a minute to end by itself. */
const stopGraceMs = 2_000;

/**
 * Starts a control plane. Resolves after a few seconds, when custom resources with CEL rules work. RBAC is on. There is no kubelet and no
 * scheduler. Without a controller manager, namespaces are not deleted and default ServiceAccounts are not created. Rejects with the last log
 * lines of the server that failed.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  if (options.controllerManager === true && options.binaries.kubeControllerManager === undefined) {
    throw new Error('options.binaries has no kube-controller-manager');
  }
  return startSupervised(async (supervised) => startServers(supervised, await freePort(), options), options.signal);
}

async function startServers(supervised: Supervised, port: number, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { binaries, progress, signal } = options;
  const { folder } = supervised;
  const startedMs = performance.now();
  const url = `https://127.0.0.1:${port}`;
  const authority = await createAuthority('sandbox of konnect-audit-log-operator');
  const admin = await authority.issue({ commonName: 'admin', organizations: ['system:masters'], usage: 'client' });
  const adminKubeconfig = join(folder, 'admin.kubeconfig');
  const auditLog = options.auditLog === true ? join(folder, 'audit.log') : undefined;
  await writeKubeconfig(adminKubeconfig, {
    url,
    certificateAuthority: authority.certificate,
    user: { name: 'admin', ...admin },
  });
  const servers = {
    etcd: { command: binaries.etcd, args: etcdArguments(folder) },
    'kube-apiserver': {
      command: binaries.kubeApiserver,
      args: await apiserverArguments(folder, { port, authority, auditLog }),
    },
  };
  const etcd = { url: 'http://etcd', socketPath: etcdSocket(folder) };
  const api: Connection = { url, ca: authority.certificate, cert: admin.certificate, key: admin.key };

  async function run(name: keyof typeof servers): Promise<void> {
    await supervised.start(name, servers[name].command, servers[name].args);
  }
  function waiting(...names: string[]): WaitOptions {
    return {
      check: async () => {
        for (const name of names) await supervised.check(name);
      },
      deadlineMs: performance.now() + startWithinMs,
      signal,
    };
  }
  async function waitUntilServing(): Promise<void> {
    await waitForPath(etcd, '/health', waiting('etcd'));
    await waitForPath(api, '/readyz', waiting('etcd', 'kube-apiserver'));
  }

  progress?.('starting etcd and kube-apiserver');
  await run('etcd');
  await waitForPath(etcd, '/health', waiting('etcd'));
  await run('kube-apiserver');
  await waitUntilServing();
  const controllerManager = options.controllerManager === true ? binaries.kubeControllerManager : undefined;
  if (controllerManager !== undefined) {
    progress?.('starting kube-controller-manager');
    const args = await controllerManagerArguments(folder, { url, authority });
    await supervised.start('kube-controller-manager', controllerManager, args);
  }
  const all = waiting(
    'etcd',
    'kube-apiserver',
    ...(controllerManager === undefined ? [] : ['kube-controller-manager']),
  );
  await waitForCustomResources(api, all);
  await waitForPath(api, '/api/v1/namespaces/default', all);
  if (controllerManager !== undefined)
    await waitForPath(api, '/api/v1/namespaces/default/serviceaccounts/default', all);
  progress?.(`the control plane is ready after ${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${url}`);

  async function restart(part: keyof typeof servers): Promise<void> {
    supervised.ref();
    try {
      await supervised.stop(part, stopGraceMs);
      await run(part);
      await waitUntilServing();
    } finally {
      supervised.unref();
    }
  }

  const access = accessCluster({
    url,
    folder,
    adminKubeconfig,
    certificateAuthority: authority.certificate,
    auditLog,
    kubectlPath: binaries.kubectl,
  });
  return {
    ...access,
    restart,
    freeze: (part, frozen) => supervised.signal(part, frozen ? 'SIGSTOP' : 'SIGCONT'),
    compact: () => compact(etcd),
    stop: () => supervised.end(),
  };
}

/** A Unix socket needs no port and no certificate: only the owner may enter the folder. */
function etcdSocket(folder: string): string {
  return join(folder, 'etcd.sock');
}

function etcdArguments(folder: string): string[] {
  const clients = `unix://${etcdSocket(folder)}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=unix://${join(folder, 'peer.sock')}`,
    '--unsafe-no-fsync',
  ];
}

async function apiserverArguments(
  folder: string,
  { port, authority, auditLog }: { port: number; authority: Authority; auditLog: string | undefined },
): Promise<string[]> {
  const serving = await authority.issue({
    commonName: 'kube-apiserver',
    hosts: ['127.0.0.1', 'localhost', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
    usage: 'server',
  });
  const tokens = await createSigningKeys();
  const file = fileWriter(join(folder, 'kube-apiserver'));
  return [
    `--etcd-servers=unix://${etcdSocket(folder)}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    // A loopback address is not accepted as the endpoint of the Service "kubernetes".
    '--endpoint-reconciler-type=none',
    `--cert-dir=${join(folder, 'kube-apiserver')}`,
    `--tls-cert-file=${await file('serving.crt', serving.certificate)}`,
    `--tls-private-key-file=${await file('serving.key', serving.key)}`,
    `--client-ca-file=${await file('ca.crt', authority.certificate)}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${await file('tokens.pub', tokens.publicKey)}`,
    `--service-account-signing-key-file=${await file('tokens.key', tokens.privateKey)}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--authorization-mode=RBAC',
    '--allow-privileged',
    ...(auditLog === undefined
      ? []
      : [`--audit-policy-file=${await file('audit-policy.yaml', auditPolicy)}`, `--audit-log-path=${auditLog}`]),
  ];
}

/** Logs metadata of all requests except those that the API server sends to itself. JSON is valid YAML. */
const auditPolicy = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', users: ['system:apiserver'] }, { level: 'Metadata' }],
});

async function controllerManagerArguments(
  folder: string,
  { url, authority }: { url: string; authority: Authority },
): Promise<string[]> {
  const name = 'system:kube-controller-manager';
  const home = join(folder, 'kube-controller-manager');
  const file = fileWriter(home);
  const rootCa = await file('ca.crt', authority.certificate);
  const kubeconfig = join(home, 'kubeconfig');
  await writeKubeconfig(kubeconfig, {
    url,
    certificateAuthority: authority.certificate,
    user: { name, ...(await authority.issue({ commonName: name, usage: 'client' })) },
  });
  return [
    `--kubeconfig=${kubeconfig}`,
    `--root-ca-file=${rootCa}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
    // It would only serve metrics and health checks.
    '--secure-port=0',
  ];
}

/** Returns a function that writes a file into `folder`, readable by its owner only, and resolves with its path. */
function fileWriter(folder: string): (name: string, content: string) => Promise<string> {
  return async (name, content) => {
    await mkdir(folder, { recursive: true });
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
}
