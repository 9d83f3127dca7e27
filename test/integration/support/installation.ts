/** A control plane on which tests install and remove the operator with its CRD. */
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import * as z from 'zod';
import { runKubectl } from '../../../sandbox/control-plane/access.ts';
import { ensureBinaries } from '../../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../../sandbox/control-plane/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { type Helm, prepareHelm } from '../../support/helm.ts';

export const crd = 'auditlogforwardings.konnect-audit-log.io';
export const release = 'konnect-audit-log-operator';

const Deployment = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ containers: z.tuple([z.looseObject({ args: z.array(z.string()) })]) }),
    }),
  }),
});

/** Starts the control plane before the tests of a file. After each test, it removes all releases and the CRD. */
export function useInstallation({ auditLog = false }: { auditLog?: boolean } = {}) {
  let controlPlane: ControlPlane;
  let prepared: Helm;
  const helm: Helm = (...args) => prepared(...args);

  beforeAll(async () => {
    const binaries = await ensureBinaries({ controllerManager: true, progress: () => undefined });
    controlPlane = await startControlPlane({ binaries, controllerManager: true, auditLog });
    prepared = await prepareHelm({ folder: controlPlane.folder, kubeconfig: controlPlane.adminKubeconfig });
  });

  afterAll(() => controlPlane.stop());

  afterEach(async () => {
    const Releases = z.array(z.object({ name: z.string(), namespace: z.string() }));
    const { stdout } = await helm(['list', '-A', '-o', 'json']);
    for (const { name, namespace } of Releases.parse(JSON.parse(stdout)))
      await helm(['uninstall', name, '-n', namespace]);
    await removeDefinition();
  });

  /** Deletes the CRD. Sometimes the API server does not finish the deletion of a new CRD until the CRD changes, so this function annotates it. */
  async function removeDefinition(): Promise<void> {
    const exists = async () => (await kubectl(['get', 'crd', crd, '--ignore-not-found', '-o', 'name'])) !== '';
    if (!(await exists())) return;
    await established();
    await kubectl(['delete', 'crd', crd, '--wait=false']);
    const waitForAbsence = (timeoutMs: number) =>
      eventually(async () => expect(await exists()).toBe(false), { timeoutMs });
    await waitForAbsence(30_000).catch(async () => {
      await controlPlane.kubectl(['annotate', 'crd', crd, 'reminder=true']);
      await waitForAbsence(120_000);
    });
  }

  const kubectl = (args: readonly string[], input = '') => runKubectl(controlPlane, args, { input });

  const apply = (namespace: string, ...items: readonly object[]) =>
    kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));

  const established = () => kubectl(['wait', '--for=condition=Established', '--timeout=90s', `crd/${crd}`]);

  /** Resolves with `kind/name` of every object that has the label of the release, except the CRD. */
  async function installed(name = release): Promise<string[]> {
    const kinds = 'deployments,services,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings';
    const selector = `-l=app.kubernetes.io/instance=${name}`;
    const text = await kubectl(['get', kinds, '-A', selector, '-o', 'name']);
    return text.split('\n').filter(Boolean).toSorted();
  }

  async function argumentsOf(namespace: string): Promise<string[]> {
    const text = await kubectl(['get', 'deployment', release, '-n', namespace, '-o', 'json']);
    return Deployment.parse(JSON.parse(text)).spec.template.spec.containers[0].args;
  }

  return { controlPlane: () => controlPlane, helm, kubectl, apply, established, installed, argumentsOf };
}
