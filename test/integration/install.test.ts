import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import * as z from 'zod';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';
import { startOperator } from '../../sandbox/operator-process.ts';
import { deployFolder, sandboxData, sandboxSeed, serviceAccount } from '../../sandbox/sandbox.ts';
import { type Services, startServices } from '../../sandbox/services.ts';
import { chartFolder } from '../../scripts/render.ts';
import { document, root } from '../docs/documents.ts';
import { forwarding, secret } from '../e2e/support/manifests.ts';
import { eventually } from '../support/eventually.ts';
import { type Helm, prepareHelm } from '../support/helm.ts';
import {
  authConfigurationDefinition,
  portalDefinition,
  programPortal,
  validateAuthConfiguration,
} from '../support/kong-operator.ts';
import { scrape } from '../support/scrape.ts';
import { standInDefinition } from '../support/stand-in-definition.ts';

/** These tests install and remove the CRD, so they have their own control plane. */
let controlPlane: ControlPlane;
let services: Services;
let helm: Helm;

/** The commands that wait for the objects of kong-operator and for the forwarding. */
const [guideOfBothOperators = ''] =
  /(?<=^```sh\n)kubectl wait.*?(?=\n```$)/ms.exec(document('docs/use/kong-operator.md')) ?? [];

const crd = 'auditlogforwardings.konnect-audit-log.io';
const release = 'konnect-audit-log-operator';

beforeAll(async () => {
  const binaries = await ensureBinaries({ controllerManager: true, progress: () => undefined });
  controlPlane = await startControlPlane({ binaries, controllerManager: true, auditLog: true });
  services = await startServices({ ...sandboxData, seed: sandboxSeed });
  helm = await prepareHelm({ folder: controlPlane.folder, kubeconfig: controlPlane.adminKubeconfig });
});

afterAll(async () => {
  await services.stop();
  await controlPlane.stop();
});

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

/** Resolves with standard output. Rejects with standard error. */
async function kubectl(args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await controlPlane.kubectl(args, { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr.trim()}`);
  return stdout;
}

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

const Deployment = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ containers: z.tuple([z.looseObject({ args: z.array(z.string()) })]) }),
    }),
  }),
});

async function argumentsOf(namespace: string): Promise<string[]> {
  const text = await kubectl(['get', 'deployment', release, '-n', namespace, '-o', 'json']);
  return Deployment.parse(JSON.parse(text)).spec.template.spec.containers[0].args;
}

/** Resolves with the phases of the Pods. An admitted Pod stays `Pending`, because this cluster has no scheduler. */
async function podPhases(namespace: string): Promise<string> {
  return kubectl(['get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[*].status.phase}']);
}

async function columns(): Promise<string[]> {
  const path = 'jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}';
  return (await kubectl(['get', 'crd', crd, '-o', path])).split(' ');
}

const portals = [{ id: sandboxData.portals.developers }];

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
    await kubectl(['delete', '-k', deployFolder, '--timeout=90s']);
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
  });

  test('lets users with the roles of Kubernetes read and write forwardings, and the listed readers read metrics', async () => {
    const namespace = 'team';
    await kubectl(['create', 'namespace', namespace]);
    const roles = ['view', 'edit', 'admin'];
    for (const role of roles)
      await kubectl(['create', 'rolebinding', role, '-n', namespace, `--clusterrole=${role}`, `--user=${role}`]);
    const reader = ['--set=metrics.readers[0].namespace=team', '--set=metrics.readers[0].name=prometheus'];
    await helm(['install', release, chartFolder, '-n', namespace, ...reader]);
    await established();
    const can = async (user: string, ...question: string[]) =>
      (await controlPlane.kubectl(['auth', 'can-i', ...question, `--as=${user}`])).stdout.trim();
    /** Resolves with the verbs of each rule about our API group, its subresources included. */
    const rightsOf = async (user: string) => {
      const { stdout } = await controlPlane.kubectl(['auth', 'can-i', '--list', '-n', namespace, `--as=${user}`]);
      const rules = stdout.matchAll(/^(auditlogforwardings\S*)\.konnect-audit-log\.io .*\[([a-z ]*)\]$/gm);
      return [...rules].map(([, resource, verbs]) => `${resource ?? ''}: ${verbs ?? ''}`).toSorted();
    };
    const read = 'auditlogforwardings: get list watch';
    const all = 'auditlogforwardings: create update patch delete deletecollection get list watch';
    // kube-controller-manager aggregates the rules.
    await eventually(async () => expect(await rightsOf('view')).toEqual([read]));
    await eventually(async () => expect(await rightsOf('edit')).toEqual([all]));
    await eventually(async () => expect(await rightsOf('admin')).toEqual([all]));
    expect(await can('system:serviceaccount:team:prometheus', 'get', '/metrics')).toBe('yes');
    expect(await can('system:serviceaccount:team:other', 'get', '/metrics')).toBe('no');

    await helm(['uninstall', release, '-n', namespace]);
    await eventually(async () => expect(await rightsOf('admin')).toEqual([]));
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

  test.each([
    ['all namespaces', []],
    ['the listed namespaces', ['team-a', 'team-b']],
  ])('grants the operator only the rights that it uses in %s', async (_what, watched) => {
    const namespace = watched.length === 0 ? 'everywhere' : 'somewhere';
    const account = `system:serviceaccount:${namespace}:${release}`;
    for (const name of [namespace, ...watched]) await kubectl(['create', 'namespace', name]);
    const set = watched.length === 0 ? [] : [`--set=watchNamespaces={${watched.join(',')}}`];
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [portalDefinition, authConfigurationDefinition] }),
    );
    await helm(['install', release, chartFolder, '-n', namespace, '--set=authRefs=true', ...set]);
    await kubectl(['wait', '--for=condition=Established', '--timeout=90s', 'crd', '--all']);

    const kubeconfig = await controlPlane.serviceAccountKubeconfig(namespace, release);
    const args = await argumentsOf(namespace);
    // In a Pod, the operator detects its namespace itself.
    const flags = [
      ...args.filter((arg) => !/^--(konnect-url|[a-z-]+-bind-address)=/.test(arg)),
      `--leader-elect-resource-namespace=${namespace}`,
    ];
    const operator = await startOperator({ kubeconfig, konnectURL: services.konnect.urlTemplate, flags });
    try {
      for (const where of watched.length === 0 ? [namespace] : watched.slice(1)) {
        const { endpoint } = services;
        const { authorization, organizationID, token } = sandboxData;
        const example = await readFile(`${root}/examples/kong-operator/developers.yaml`, 'utf8');
        await apply(where, secret('sumologic', { endpoint, authorization }));
        await kubectl(
          ['apply', '-f', '-'],
          example.replaceAll('namespace: platform', `namespace: ${where}`).replaceAll('kpat_replace-me', token),
        );
        await kubectl([...validateAuthConfiguration('konnect', organizationID), '-n', where]);
        await kubectl([...programPortal('developers', { id: sandboxData.portals.developers }), '-n', where]);
        for (const command of guideOfBothOperators.split('\n'))
          await kubectl(command.replace('-n platform', `-n ${where}`).split(' ').slice(1));
        const waitForReady = (is: boolean) =>
          kubectl(['wait', '-n', where, `--for=condition=Ready=${String(is)}`, '--timeout=90s', 'alf/developers']);
        await waitForReady(true);
        // The condition changes twice, so that the operator patches the count of an existing event.
        await kubectl(['delete', '-n', where, 'secret/sumologic']);
        await waitForReady(false);
        await apply(where, secret('sumologic', { endpoint, authorization }));
        await waitForReady(true);
        await eventually(async () =>
          expect(await kubectl(['get', 'events.v1.events.k8s.io', '-n', where])).toContain('InSync'),
        );
        await kubectl(['delete', '-n', where, 'alf/developers', '--timeout=90s']);
      }
      await expectMetricsProtected(operator.metricsURL, namespace);
      expect(await operator.output()).not.toMatch(/forbidden/i);
    } catch (error) {
      throw new Error(`the output of the operator:\n${await operator.output()}`, { cause: error });
    } finally {
      await operator.stop();
    }
    if (watched.length === 0) {
      // With the same rights, extraArgs may limit the namespaces. The operator then checks that they exist.
      const limited = [...flags, `--watch-namespaces=${namespace}`];
      await (await startOperator({ kubeconfig, konnectURL: services.konnect.urlTemplate, flags: limited })).stop();
    }

    const role = watched.length === 0 ? ['clusterrole', release] : ['role', release, '-n', watched[0] ?? ''];
    const leases = ['role', `${release}-leases`, '-n', namespace];
    const reviews = ['clusterrole', `${release}-metrics-auth`];
    const rules = [...(await grantedBy(role)), ...(await grantedBy(leases)), ...(await grantedBy(reviews))];
    expect(await requestedBy(account)).toEqual(rules.toSorted(byText));

    const rights = async (...question: string[]) =>
      (await controlPlane.kubectl(['auth', 'can-i', ...question, `--as=${account}`])).stdout.trim();
    expect(await rights('list', 'secrets', '-A')).toBe(watched.length === 0 ? 'yes' : 'no');
    expect(await rights('get', 'secrets', '-n', 'default')).toBe(watched.length === 0 ? 'yes' : 'no');
    for (const verb of ['create', 'update', 'delete']) expect(await rights(verb, 'secrets', '-A')).toBe('no');
  });
});

/** Rejects unless only ServiceAccounts that are bound to the role of the chart can read the metrics. */
async function expectMetricsProtected(metricsURL: string, namespace: string): Promise<void> {
  async function tokenOf(name: string): Promise<string> {
    await kubectl(['create', 'serviceaccount', name, '-n', namespace]);
    return (await kubectl(['create', 'token', name, '-n', namespace])).trim();
  }
  const [prometheus, unbound] = [await tokenOf('prometheus'), await tokenOf('unbound')];
  const binding = `metrics-of-${namespace}`;
  const account = `--serviceaccount=${namespace}:prometheus`;
  await kubectl(['create', 'clusterrolebinding', binding, `--clusterrole=${release}-metrics-reader`, account]);
  try {
    await eventually(async () => expect((await scrape(metricsURL, prometheus)).status).toBe(200));
    expect(await metricsByKubectl(metricsURL, prometheus)).toContain('konnect_audit_log_build_info');
    expect(await scrape(metricsURL)).toEqual({ status: 401, body: 'unauthenticated\n' });
    expect(await scrape(metricsURL, `${prometheus}x`)).toMatchObject({ status: 401 });
    expect(await scrape(metricsURL, unbound)).toEqual({ status: 403, body: 'forbidden\n' });
    await expect(fetch(metricsURL)).rejects.toThrow('fetch failed');
  } finally {
    await kubectl(['delete', 'clusterrolebinding', binding]);
  }
}

/** Resolves with the output of the metrics command in first aid. */
async function metricsByKubectl(metricsURL: string, token: string): Promise<string> {
  const page = document('docs/operate/first-aid.md');
  const [, before = ''] = /^ {4}ask\(\) \{ kubectl (.*) "\$@"; \}$/m.exec(page) ?? [];
  const [, after = ''] = /^ {4}ask (\/metrics .*)$/m.exec(page) ?? [];
  const command = `${before} ${after}`
    .replace('https://127.0.0.1:8080', new URL(metricsURL).origin.replace('http:', 'https:'))
    .replace('"$METRICS_TOKEN"', token);
  return kubectl(command.split(' '));
}

/** Resolves with the requests of a ServiceAccount to the API server, as `verb group/resource`. */
async function requestedBy(account: string): Promise<string[]> {
  const Entry = z.object({
    verb: z.string(),
    user: z.object({ username: z.string() }),
    objectRef: z.object({ apiGroup: z.string().default(''), resource: z.string(), subresource: z.string().optional() }),
  });
  const log = await readFile(controlPlane.auditLog ?? '', 'utf8');
  const lines = log.split('\n').filter((line) => line.includes(`"username":"${account}"`));
  const all = lines.flatMap((line) => {
    const { verb, user, objectRef } = Entry.parse(JSON.parse(line));
    const { apiGroup, resource, subresource } = objectRef;
    if (user.username !== account) return [];
    return [`${verb} ${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`];
  });
  return [...new Set(all)].toSorted(byText);
}

/** Resolves with the rights that a role grants, as `verb group/resource`. */
async function grantedBy(role: readonly string[]): Promise<string[]> {
  const texts = z.array(z.string());
  const Role = z.object({ rules: z.array(z.object({ apiGroups: texts, resources: texts, verbs: texts })) });
  const { rules } = Role.parse(JSON.parse(await kubectl(['get', ...role, '-o', 'json'])));
  return rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      verbs.flatMap((verb) => apiGroups.flatMap((group) => resources.map((one) => `${verb} ${group}/${one}`))),
    )
    .toSorted(byText);
}

function byText(a: string, b: string): number {
  return a.localeCompare(b);
}

const serviceMonitor = {
  group: 'monitoring.coreos.com',
  version: 'v1',
  kind: 'ServiceMonitor',
  plural: 'servicemonitors',
};

/** The pages with commands, in the order in which users need them. */
const pages = ['helm', 'high-availability', 'openshift', 'upgrade', 'uninstall'];

describe('the installation pages', () => {
  const blocks = (page: string, language: string) =>
    [...document(`docs/install/${page}.md`).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
      ([, block = '']) => block,
    );

  test('have commands that work in sequence', async () => {
    const folder = join(controlPlane.folder, 'guide');
    await mkdir(join(folder, 'bin'), { recursive: true });
    await symlink(controlPlane.kubectlPath, join(folder, 'bin', 'kubectl'));
    await symlink(await ensureHelm({ progress: () => undefined }), join(folder, 'bin', 'helm'));
    await symlink(join(root, 'helm'), join(folder, 'helm'));
    await writeFile(join(folder, 'corporate.pem'), controlPlane.certificateAuthority);
    await writeFile(join(folder, 'openshift.yaml'), blocks('openshift', 'yml').join('\n'));
    for (const name of ['platform', 'security']) await kubectl(['create', 'namespace', name]);
    await kubectl(['apply', '-f', '-'], JSON.stringify(standInDefinition(serviceMonitor)));
    await kubectl(['wait', '--for=condition=Established', '--timeout=90s', 'crd', '--all']);

    const commands = pages.flatMap((page) => blocks(page, 'sh')).filter((block) => !block.startsWith('docker'));
    const script = join(folder, 'commands.sh');
    await writeFile(script, ['set -eu', ...commands].join('\n'));
    await promisify(execFile)('sh', [script], {
      cwd: folder,
      env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin`, HOME: folder, KUBECONFIG: controlPlane.adminKubeconfig },
    });
    expect(commands.length).toBeGreaterThan(4);
    expect(await installed()).toEqual([]);
    await established();
  });

  test('have a kustomization that sets another image', async () => {
    const [kustomization = ''] = blocks('manifests', 'yml');
    const folder = join(controlPlane.folder, 'kustomize', 'mine');
    await mkdir(folder, { recursive: true });
    await symlink(deployFolder, join(folder, '..', 'deploy'));
    await writeFile(join(folder, 'kustomization.yaml'), kustomization);
    expect(await kubectl(['kustomize', folder])).toContain('image: registry.example.com/konnect-audit-log-operator:');
  });

  test('have values that the chart accepts', async () => {
    const rendered = async (values: string) => {
      const file = join(controlPlane.folder, 'values.yaml');
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
  const folder = join(controlPlane.folder, 'older-chart');
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
