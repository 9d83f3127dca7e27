/** What a user does with a version of kubectl or Helm. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { createKonnectClient } from '../../sandbox/konnect-client.ts';
import { startOperator } from '../../sandbox/operator-process.ts';
import { deployFolder, namespace, serviceAccount, writeForwarding } from '../../sandbox/sandbox.ts';
import type { Services } from '../../sandbox/services.ts';
import { output } from '../../scripts/programs.ts';
import type { Executable } from './executables.ts';

export interface Used {
  readonly controlPlane: ControlPlane;
  readonly services: Services;
}

const chart = fileURLToPath(new URL('../../helm/konnect-audit-log-operator/', import.meta.url));
const crd = 'crd/auditlogforwardings.konnect-audit-log.io';
const withinMs = 120_000;

/** Installs the operator from manifests, and lets it forward and clean up. Leaves nothing in Konnect, and no CRD. The namespace must exist. */
export async function kubectlStory({ controlPlane, services }: Used, kubectlFile: string, node: string): Promise<void> {
  const konnect = createKonnectClient({ services });
  const kubectl = (...args: readonly string[]) =>
    output(
      kubectlFile,
      [
        `--kubeconfig=${controlPlane.adminKubeconfig}`,
        `--cache-dir=${controlPlane.folder}/discovery-${basename(dirname(kubectlFile))}`,
        ...args,
      ],
      withinMs,
    );
  await kubectl('apply', '-k', deployFolder);
  await kubectl('wait', '--for=condition=Established', '--timeout=60s', crd);
  const kubeconfig = await controlPlane.serviceAccountKubeconfig(serviceAccount.namespace, serviceAccount.name);
  const operator = await startOperator({ kubeconfig, node, konnectURL: services.konnect.urlTemplate });
  try {
    const file = await writeForwarding({ services, folder: controlPlane.folder });
    await kubectl('apply', '-f', file);
    const forwarding = ['auditlogforwarding/sumologic', `--namespace=${namespace}`];
    await kubectl('wait', '--for=condition=Ready', '--timeout=60s', ...forwarding);
    match(await kubectl('get', 'alf', `--namespace=${namespace}`), /^NAME +READY .*\nsumologic +True /);
    match(await kubectl('explain', 'auditlogforwarding.spec.konnect'), /region\s+<string>.*-required-/);
    deepEqual((await konnect.destinations()).length, 1);
    await kubectl('delete', '--timeout=60s', ...forwarding);
    deepEqual(await konnect.destinations(), []);
    await kubectl('delete', '--timeout=60s', crd);
  } finally {
    await operator.stop();
  }
}

/** Renders the chart, installs it into a namespace of its own, upgrades it and uninstalls it. Leaves no CRD. */
export async function helmStory({ controlPlane }: Used, { path, version }: Executable): Promise<void> {
  const { adminKubeconfig, kubectl } = controlPlane;
  const release = `helm-${version.replaceAll('.', '-')}`;
  const home = await mkdtemp(join(controlPlane.folder, 'helm-'));
  const helm = (...args: readonly string[]) =>
    output('env', [`HOME=${home}`, `KUBECONFIG=${adminKubeconfig}`, path, ...args, `--namespace=${release}`], withinMs);
  const read = async (...args: readonly string[]) => {
    const { code, stderr, stdout } = await kubectl([`--namespace=${release}`, ...args]);
    equal(code, 0, stderr);
    return stdout.trim();
  };
  const deployment = ['get', 'deployment', 'konnect-audit-log-operator', '--output=jsonpath={.spec.replicas}'];
  try {
    const values = join(home, 'values.yaml');
    await writeFile(values, 'replicas: 2\npodDisruptionBudget: {enabled: true}\nnetworkPolicy: {enabled: true}\n');
    match(await helm('template', 'konnect-audit-log-operator', chart), /^kind: Deployment$/m);
    await helm('install', 'konnect-audit-log-operator', chart, '--create-namespace');
    await read('wait', '--for=condition=Established', '--timeout=60s', crd);
    deepEqual(await read(...deployment), '1');
    await helm('upgrade', 'konnect-audit-log-operator', chart, `--values=${values}`);
    deepEqual(await read(...deployment), '2');
    await helm('uninstall', 'konnect-audit-log-operator');
    deepEqual(
      await read(
        'get',
        'deployment,clusterrole',
        '--selector=app.kubernetes.io/name=konnect-audit-log-operator',
        '--output=name',
      ),
      '',
    );
    match(await read('get', crd, '--output=name'), /auditlogforwardings/);
  } finally {
    await kubectl(['delete', '--ignore-not-found', '--timeout=60s', crd]);
    await kubectl(['delete', '--ignore-not-found', '--wait=false', 'namespace', release]);
    await rm(home, { recursive: true });
  }
}
