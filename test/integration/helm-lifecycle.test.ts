/** Checks what Helm does with forwardings, as docs/use/helm.md says, and two releases of the operator in one cluster. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { runKubectl } from '../../sandbox/control-plane/access.ts';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { chartFolder } from '../../scripts/render.ts';
import { finalizer } from '../../src/api/v1alpha1.ts';
import { document, root } from '../docs/documents.ts';
import { eventually } from '../support/eventually.ts';
import { type Helm, prepareHelm } from '../support/helm.ts';

/** These tests install and remove the CRD, so they have their own control plane. */
let controlPlane: ControlPlane;
let helm: Helm;

beforeAll(async () => {
  controlPlane = await startControlPlane({ binaries: await ensureBinaries({ progress: () => undefined }) });
  helm = await prepareHelm({ folder: controlPlane.folder, kubeconfig: controlPlane.adminKubeconfig });
});

afterAll(() => controlPlane?.stop());

const kubectl = (args: readonly string[], input = '') => runKubectl(controlPlane, args, { input });

const portals = {
  first: '3e551b39-227d-4297-b911-e68fd5d77c17',
  second: 'b3f0a1de-6c0f-4b52-9a53-3b0f5f1f2c77',
};

function forwarding(namespace: string, ids: readonly string[]) {
  return {
    apiVersion: 'konnect-audit-log.io/v1alpha1',
    kind: 'AuditLogForwarding',
    metadata: { name: 'sumologic', namespace },
    spec: {
      konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
      destination: { secretRef: { name: 'sumologic' } },
      portals: ids.map((id) => ({ id, enabled: true })),
    },
  };
}

/** Writes a user's chart with one forwarding, and with the operator as a dependency if `values` are given. Resolves with its folder. */
async function userChart(name: string, namespace: string, values?: object): Promise<string> {
  const folder = join(controlPlane.folder, 'charts', name);
  await mkdir(join(folder, 'templates'), { recursive: true });
  await writeFile(join(folder, 'Chart.yaml'), stringify({ apiVersion: 'v2', name, version: '0.1.0' }));
  await writeFile(join(folder, 'values.yaml'), stringify(values ?? {}));
  await writeFile(join(folder, 'templates', 'forwarding.yaml'), stringify(forwarding(namespace, [portals.first])));
  if (values !== undefined) {
    await cp(chartFolder, join(folder, 'charts', 'konnect-audit-log-operator'), { recursive: true });
  }
  return folder;
}

const namesIn = async (namespace: string) =>
  (await kubectl(['get', 'alf', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}'])).trim();

const setFinalizer = (namespace: string, present: boolean) =>
  kubectl([
    'patch',
    'alf',
    'sumologic',
    '-n',
    namespace,
    '--type=merge',
    '-p',
    JSON.stringify({ metadata: { finalizers: present ? [finalizer] : null } }),
  ]);

const block = (path: string, section: string, language: string) => {
  const [, text = ''] = document(path).split(`\n## ${section}\n`);
  return new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1] ?? '';
};

test('a chart with a forwarding and the operator needs a CRD that the user applies first', async () => {
  const values = block('docs/use/helm.md', 'With the operator as a dependency', 'yml');
  const chart = await userChart('parent', 'parent', {});
  await writeFile(join(chart, 'values.yaml'), values);
  const install = ['install', 'parent', chart, '-n', 'parent', '--create-namespace'];
  const refused = await helm(install, { allowFailure: true });
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no matches for kind "AuditLogForwarding"'),
  });

  const commands = block('docs/use/helm.md', 'With the operator as a dependency', 'sh');
  for (const command of commands.trim().split('\n')) {
    const [program, ...args] = command.split(' ');
    expect(program).toBe('kubectl');
    await kubectl(args.map((arg) => (arg === 'crds/' ? join(root, arg) : arg)));
  }
  await helm(install);
  expect(await namesIn('parent')).toBe('sumologic');
  expect(await kubectl(['get', 'deployment', '-n', 'parent', '-o', 'name'])).toContain('konnect-audit-log-operator');
  await helm(['uninstall', 'parent', '-n', 'parent', '--wait']);
  expect(await namesIn('parent')).toBe('');
});

describe('a release with a forwarding that has a finalizer', () => {
  test('is uninstalled with --wait only after the finalizer is removed', async () => {
    const chart = await userChart('waits', 'waits');
    const where = ['-n', 'waits'];
    await helm(['install', 'waits', chart, ...where, '--create-namespace']);
    await setFinalizer('waits', true);
    const uninstall = ['uninstall', 'waits', ...where, '--wait', '--timeout=2s'];
    expect((await helm(uninstall, { allowFailure: true })).code).toBe(1);
    expect(await namesIn('waits')).toBe('sumologic');
    await setFinalizer('waits', false);
    await helm([...uninstall, '--ignore-not-found']);
    expect(await namesIn('waits')).toBe('');
  });

  test('is installed again without an object if the uninstall did not wait', async () => {
    const chart = await userChart('hurries', 'hurries');
    const where = ['-n', 'hurries'];
    await helm(['install', 'hurries', chart, ...where, '--create-namespace']);
    await setFinalizer('hurries', true);
    await helm(['uninstall', 'hurries', ...where]);
    const again = await helm(['install', 'hurries', chart, ...where]);
    expect(again.stdout).toContain('STATUS: deployed');
    await setFinalizer('hurries', false);
    await eventually(async () => expect(await namesIn('hurries')).toBe(''));
    expect((await helm(['list', ...where, '-o', 'json'])).stdout).toContain('"status":"deployed"');
  });
});

test('--take-ownership keeps a portal that kubectl applied and the chart does not list', async () => {
  await kubectl(['create', 'namespace', 'adopted']);
  await kubectl(['apply', '-f', '-'], JSON.stringify(forwarding('adopted', Object.values(portals))));
  const chart = await userChart('adopted', 'adopted');
  await helm(['install', 'adopted', chart, '-n', 'adopted', '--take-ownership']);
  const ids = await kubectl(['get', 'alf', 'sumologic', '-n', 'adopted', '-o', 'jsonpath={.spec.portals[*].id}']);
  expect(ids.split(' ').toSorted()).toEqual(Object.values(portals).toSorted());
});

test('two releases share a cluster if only one installs the CRD', async () => {
  await kubectl(['delete', 'crd', 'auditlogforwardings.konnect-audit-log.io']);
  for (const name of ['platform', 'security']) await kubectl(['create', 'namespace', name]);
  const first = ['konnect-audit-log-operator', chartFolder, '--namespace=konnect-audit-log'];
  await helm(['install', ...first, '--create-namespace']);
  const commands = block('docs/install/helm.md', 'Two releases in one cluster', 'sh').replaceAll(' \\\n', '');
  const lines = commands
    .trim()
    .split('\n')
    .map((line) => line.replaceAll("'", '').split(/ +/));
  expect(lines.map(([program]) => program)).toEqual(['helm', 'helm']);
  const [upgrade = [], install = []] = lines.map(([, ...args]) =>
    args.map((arg) => (arg === 'helm/konnect-audit-log-operator' ? chartFolder : arg)),
  );
  await helm(upgrade);
  const withCRD = install.map((arg) => arg.replace('crds.install=false', 'crds.install=true'));
  expect(await helm(withCRD, { allowFailure: true })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('CustomResourceDefinition'),
  });
  await helm(install);
  const leases = await kubectl(['get', 'deployments', '-A', '-o', 'yaml']);
  const names = [...leases.matchAll(/--leader-elect-resource-name=(\S+)/g)].map(([, name]) => name);
  expect(new Set(names).size).toBe(2);
  expect(names).toHaveLength(2);
});
