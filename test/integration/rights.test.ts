/** What the chart lets the operator, users and readers of metrics do, on a real API server. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { startOperator } from '../../sandbox/operator-process.ts';
import { sandboxData, sandboxSeed } from '../../sandbox/sandbox.ts';
import { type Services, startServices } from '../../sandbox/services.ts';
import { chartFolder } from '../../scripts/render.ts';
import { document, root } from '../docs/documents.ts';
import { secret } from '../e2e/support/manifests.ts';
import { eventually } from '../support/eventually.ts';
import {
  authConfigurationDefinition,
  portalDefinition,
  programPortal,
  validateAuthConfiguration,
} from '../support/kong-operator.ts';
import { scrape } from '../support/scrape.ts';
import { release, useInstallation } from './support/installation.ts';

const { controlPlane, helm, kubectl, apply, established, argumentsOf } = useInstallation({ auditLog: true });
let services: Services;

/** The commands that wait for the objects of kong-operator and for the forwarding. */
const [guideOfBothOperators = ''] =
  /(?<=^```sh\n)kubectl wait.*?(?=\n```$)/ms.exec(document('docs/use/kong-operator.md')) ?? [];

beforeAll(async () => {
  services = await startServices({ ...sandboxData, seed: sandboxSeed });
});

afterAll(() => services.stop());

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
    (await controlPlane().kubectl(['auth', 'can-i', ...question, `--as=${user}`])).stdout.trim();
  /** Resolves with the verbs of each rule about our API group, its subresources included. */
  const rightsOf = async (user: string) => {
    const { stdout } = await controlPlane().kubectl(['auth', 'can-i', '--list', '-n', namespace, `--as=${user}`]);
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

  const kubeconfig = await controlPlane().serviceAccountKubeconfig(namespace, release);
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
    (await controlPlane().kubectl(['auth', 'can-i', ...question, `--as=${account}`])).stdout.trim();
  expect(await rights('list', 'secrets', '-A')).toBe(watched.length === 0 ? 'yes' : 'no');
  expect(await rights('get', 'secrets', '-n', 'default')).toBe(watched.length === 0 ? 'yes' : 'no');
  for (const verb of ['create', 'update', 'delete']) expect(await rights(verb, 'secrets', '-A')).toBe('no');
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
  const log = await readFile(controlPlane().auditLog ?? '', 'utf8');
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
