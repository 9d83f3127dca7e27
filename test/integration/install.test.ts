/** Installs the operator as its pages say: with kubectl and with helm, again, in another version, and back. */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';
import { deployFolder, sandboxData, serviceAccount } from '../../sandbox/sandbox.ts';
import { chartFolder } from '../../scripts/render.ts';
import { document, root } from '../docs/documents.ts';
import { scriptsOf } from '../docs/scripts.ts';
import { forwarding } from '../e2e/support/manifests.ts';
import { eventually } from '../support/eventually.ts';
import { standInDefinition } from '../support/stand-in-definition.ts';
import { crd, release, useInstallation } from './support/installation.ts';

const { controlPlane, helm, kubectl, apply, established, installed, argumentsOf } = useInstallation();

/** Resolves with the phases of the Pods. An admitted Pod stays `Pending`, because this cluster has no scheduler. */
async function podPhases(namespace: string): Promise<string> {
  return kubectl(['get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[*].status.phase}']);
}

async function columns(): Promise<string[]> {
  const path = 'jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}';
  return (await kubectl(['get', 'crd', crd, '-o', path])).split(' ');
}

const portals = [{ id: sandboxData.portals.developers }];

/** The commands in the sentences of the page, which remove the CRD in different ways. */
const removals = scriptsOf(document('docs/install/uninstall.md')).map(({ text }) => text);
const [deleteCRD = '', deleteOperator = '', deleteCRDs = ''] = removals;

/** Returns the arguments of a command of kubectl, with other values for some of them. */
function argumentsIn(command: string, values: Readonly<Record<string, string>> = {}): string[] {
  return command
    .split(' ')
    .slice(1)
    .map((argument) => values[argument] ?? argument);
}

test('the page on uninstalling has these commands in its sentences', () => {
  expect(removals).toEqual([`kubectl delete crd ${crd}`, 'kubectl delete -k deploy/', 'kubectl delete -f crds/']);
});

describe('kubectl apply -k deploy/', () => {
  test('installs, changes nothing the second time, and kubectl delete -k removes all objects', async () => {
    await kubectl(['apply', '-k', deployFolder]);
    await established();
    expect(await kubectl(['apply', '-k', deployFolder])).not.toMatch(/created|configured/);
    await eventually(async () => expect(await podPhases(serviceAccount.namespace)).toBe('Pending'));
    expect(await installed()).toEqual([
      'clusterrole.rbac.authorization.k8s.io/konnect-audit-log-operator',
      'clusterrole.rbac.authorization.k8s.io/konnect-audit-log-operator-edit',
      'clusterrole.rbac.authorization.k8s.io/konnect-audit-log-operator-metrics-auth',
      'clusterrole.rbac.authorization.k8s.io/konnect-audit-log-operator-metrics-reader',
      'clusterrole.rbac.authorization.k8s.io/konnect-audit-log-operator-view',
      'clusterrolebinding.rbac.authorization.k8s.io/konnect-audit-log-operator',
      'clusterrolebinding.rbac.authorization.k8s.io/konnect-audit-log-operator-metrics-auth',
      'deployment.apps/konnect-audit-log-operator',
      'role.rbac.authorization.k8s.io/konnect-audit-log-operator-leases',
      'rolebinding.rbac.authorization.k8s.io/konnect-audit-log-operator-leases',
      'service/konnect-audit-log-operator-metrics',
      'serviceaccount/konnect-audit-log-operator',
    ]);
    await kubectl([...argumentsIn(deleteOperator, { 'deploy/': deployFolder }), '--timeout=90s']);
    expect(await installed()).toEqual([]);
  });
});

describe('helm', () => {
  test('rejects a misspelled value and creates nothing', async () => {
    const { code, stderr } = await helm(
      ['install', release, chartFolder, '-n', 'default', '--set=watchNamespace={team-a}'],
      { allowFailure: true },
    );
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/watchNamespace'? (is )?not allowed/) });
    expect(await installed()).toEqual([]);
    expect((await helm(['list', '-A', '-q'])).stdout.trim()).toBe('');
  });

  test('installs, upgrades, rolls back and uninstalls the chart with its CRD, and keeps the forwardings', async () => {
    const namespace = 'operators';
    const where = ['-n', namespace];
    const older = await olderChart();
    const forwardings = () => kubectl(['get', 'auditlogforwardings', '-A', '-o', 'jsonpath={.items[*].metadata.uid}']);

    await helm(['install', release, older, ...where, '--create-namespace']);
    await established();
    expect(await columns()).not.toContain('Portals');
    expect(await argumentsOf(namespace)).not.toContain('--cluster-name=blue');
    await kubectl(['create', 'namespace', 'keeps']);
    await apply('keeps', forwarding('sumologic', { portals }));
    const uid = await forwardings();

    await helm(['upgrade', release, chartFolder, ...where, '--set=clusterName=blue']);
    expect(await columns()).toContain('Portals');
    expect(await argumentsOf(namespace)).toContain('--cluster-name=blue');

    await helm(['rollback', release, '1', ...where]);
    expect(await columns()).not.toContain('Portals');
    expect(await argumentsOf(namespace)).not.toContain('--cluster-name=blue');

    await helm(['upgrade', release, chartFolder, ...where, '--set=crds.install=false']);
    await established();
    await helm(['upgrade', release, chartFolder, ...where, '--reset-values']);
    expect(await columns()).toContain('Portals');

    await helm(['uninstall', release, ...where]);
    await eventually(async () => expect(await installed()).toEqual([]));
    await established();
    expect(await forwardings()).toBe(uid);

    await helm(['install', release, chartFolder, ...where]);
    expect(await forwardings()).toBe(uid);
    await helm(['uninstall', release, ...where]);
    const elsewhere = ['install', 'other', chartFolder, '-n', 'default'];
    expect(await helm(elsewhere, { allowFailure: true })).toMatchObject({ code: 1 });
    await helm([...elsewhere, '--take-ownership']);
    expect(await forwardings()).toBe(uid);
    await kubectl(argumentsIn(deleteCRD));
    expect(await kubectl(['get', 'crd', crd, '--ignore-not-found'])).toBe('');
  });
  test('creates Pods that the restricted Pod Security Standard admits, with every option of the chart', async () => {
    const namespace = await restrictedNamespace('restricted');
    await helm([
      'install',
      release,
      chartFolder,
      `--namespace=${namespace}`,
      '--set=extraCACertificates.configMap.name=corporate',
      '--set=networkPolicy.enabled=true',
      '--set=tolerations[0].operator=Exists',
      '--set=dnsPolicy=Default',
      '--set=dnsConfig.options[0].name=ndots',
      '--set=hostAliases[0].ip=192.0.2.10',
      '--set=hostAliases[0].hostnames={proxy.example.com}',
      '--set=extraVolumes[0].name=data',
      '--set=extraVolumes[0].emptyDir.sizeLimit=1Mi',
      '--set=extraVolumeMounts[0].name=data',
      '--set=extraVolumeMounts[0].mountPath=/data',
      '--set=podSecurityContext.runAsUser=null',
    ]);
    await eventually(async () => expect(await podPhases(namespace)).toBe('Pending'));
  });

  test('creates no Pod if the values violate that standard', async () => {
    const namespace = await restrictedNamespace('refused');
    const loose = '--set=securityContext.allowPrivilegeEscalation=true';
    await helm(['install', release, chartFolder, '-n', namespace, loose]);
    const failure = 'jsonpath={.items[*].status.conditions[?(@.type=="ReplicaFailure")].message}';
    await eventually(async () => {
      const message = await kubectl(['get', 'replicasets', '-n', namespace, '-o', failure]);
      expect(message).toContain('violates PodSecurity "restricted');
    });
  });
});

const serviceMonitor = {
  group: 'monitoring.coreos.com',
  version: 'v1',
  kind: 'ServiceMonitor',
  plural: 'servicemonitors',
};

/** Users have a forwarding before they divide it among shards. */
const applyForwarding = 'kubectl apply -f examples/forwarding.yaml';

/** The pages with commands, in the order in which users need them. */
const pages = ['helm', 'high-availability', 'openshift', 'shards', 'upgrade', 'uninstall'];

describe('the installation pages', () => {
  const blocks = (page: string, language: string) =>
    [...document(`docs/install/${page}.md`).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
      ([, block = '']) => block,
    );

  test('have commands that work in sequence', async () => {
    const folder = join(controlPlane().folder, 'guide');
    await mkdir(join(folder, 'bin'), { recursive: true });
    await symlink(controlPlane().kubectlPath, join(folder, 'bin', 'kubectl'));
    await symlink(await ensureHelm({ progress: () => undefined }), join(folder, 'bin', 'helm'));
    for (const name of ['helm', 'crds', 'examples']) await symlink(join(root, name), join(folder, name));
    await writeFile(join(folder, 'corporate.pem'), controlPlane().certificateAuthority);
    await writeFile(join(folder, 'openshift.yaml'), blocks('openshift', 'yml').join('\n'));
    for (const name of ['platform', 'security']) await kubectl(['create', 'namespace', name]);
    await kubectl(['apply', '-f', '-'], JSON.stringify(standInDefinition(serviceMonitor)));
    await kubectl(['wait', '--for=condition=Established', '--timeout=90s', 'crd', '--all']);

    const run = (commands: readonly string[]) =>
      promisify(execFile)('sh', ['-c', ['set -eu', ...commands].join('\n')], {
        cwd: folder,
        env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, HOME: folder, KUBECONFIG: controlPlane().adminKubeconfig },
      });

    const commands = pages
      .flatMap((page) => [...(page === 'shards' ? [applyForwarding] : []), ...blocks(page, 'sh')])
      .filter((block) => !block.startsWith('docker'));
    await run(commands);
    expect(commands.length).toBeGreaterThan(4);
    expect(await installed()).toEqual([]);
    await established();
    const shardArguments = 'jsonpath={.items[*].spec.template.spec.containers[0].args}';
    const selectors = await kubectl(['get', 'deployments', '-n', 'konnect-audit-log', '-o', shardArguments]);
    expect(selectors.match(/--watch-label-selector=[^"]+|--konnect-qps=[^"]+/g)?.toSorted()).toEqual([
      '--konnect-qps=4',
      '--konnect-qps=4',
      '--watch-label-selector=shard=b',
      '--watch-label-selector=shard=c',
    ]);

    await run([deleteCRDs]);
    expect(await kubectl(['get', 'crd', crd, '--ignore-not-found'])).toBe('');
  });

  test('have a kustomization that sets another image', async () => {
    const [kustomization = ''] = blocks('manifests', 'yml');
    const folder = join(controlPlane().folder, 'kustomize', 'mine');
    await mkdir(folder, { recursive: true });
    await symlink(deployFolder, join(folder, '..', 'deploy'));
    await writeFile(join(folder, 'kustomization.yaml'), kustomization);
    expect(await kubectl(['kustomize', folder])).toContain('image: registry.example.com/konnect-audit-log-operator:');
  });

  test('have values that the chart accepts', async () => {
    const rendered = async (values: string) => {
      const file = join(controlPlane().folder, 'values.yaml');
      await writeFile(file, values);
      return (await helm(['template', release, chartFolder, `--values=${file}`])).stdout;
    };
    const [proxy = ''] = blocks('helm', 'yml');
    const [openshift = ''] = blocks('openshift', 'yml');
    expect(await rendered(proxy)).toContain('secretKeyRef');
    const onOpenShift = await rendered(openshift);
    expect(onOpenShift).not.toMatch(/runAsUser|runAsGroup|bearerTokenFile/);
    expect(onOpenShift).toContain('port: 5353');
  });
});

/** Writes an older version of the chart, whose CRD lacks a column. Resolves with its folder. */
async function olderChart(): Promise<string> {
  const folder = join(controlPlane().folder, 'older-chart');
  await cp(chartFolder, folder, { recursive: true });
  const file = join(folder, 'files', 'konnect-audit-log.io_auditlogforwardings.yaml');
  const Definition = z.looseObject({
    spec: z.looseObject({
      versions: z.tuple([z.looseObject({ additionalPrinterColumns: z.array(z.looseObject({ name: z.string() })) })]),
    }),
  });
  const definition = Definition.parse(parse(await readFile(file, 'utf8')));
  const [version] = definition.spec.versions;
  version.additionalPrinterColumns = version.additionalPrinterColumns.filter(({ name }) => name !== 'Portals');
  await writeFile(file, stringify(definition));
  return folder;
}

async function restrictedNamespace(prefix: string): Promise<string> {
  await kubectl(['create', 'namespace', prefix]);
  await kubectl(['label', 'namespace', prefix, 'pod-security.kubernetes.io/enforce=restricted']);
  return prefix;
}
