/** What docs/install/argocd.md has its readers put into Argo CD and type. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { group, kind } from '../../../src/api/v1alpha1.ts';
import { document, root } from '../../docs/documents.ts';
import { scriptsOf } from '../../docs/scripts.ts';
import { bash } from '../../e2e/support/shell.ts';
import { cluster } from '../../support/cluster.ts';
import { standInDefinition } from '../../support/stand-in-definition.ts';
import { argoSettings } from '../argocd-settings.ts';
import { buildTimeoutMs, progress } from '../progress.ts';
import { ensureJudges, type Judges, type KubeObject } from '../validators.ts';

const { kubectl } = cluster();
const scripts = scriptsOf(document('docs/install/argocd.md')).map(({ text }) => text);
const [keys = '', policy = ''] = ['resource.customizations', 'p, role:'].map((start) =>
  scripts.filter((script) => script.startsWith(start)).join('\n'),
);
const commands = scripts.filter((script) => script.startsWith('kubectl '));
const definition = 'applications.argoproj.io';

let judges: Judges;
beforeAll(async () => {
  judges = await ensureJudges({ progress });
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: argoCD }) });
  await kubectl(['wait', '--for=condition=Established', '--timeout=90s', `crd/${definition}`]);
}, buildTimeoutMs);

afterAll(async () => {
  await kubectl(['delete', 'crd', definition, '--wait=false']);
  await kubectl(['delete', 'namespace', 'argocd', '--wait=false']);
});

/** As much of it as the commands meet. Whether fields of the example are those of Argo CD is asked of its own types elsewhere. */
const argoCD = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
  standInDefinition({ group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', plural: 'applications' }),
];

test('every block of the guide is tested here', () => {
  expect([keys, policy, ...commands].toSorted()).toEqual(scripts.toSorted());
  expect(commands).toHaveLength(2);
});

test('the keys are those of the ConfigMap', () => {
  expect(keys.split('\n')).toEqual(Object.keys(argoSettings()));
});

describe('the lines for argocd-rbac-cm', () => {
  const application: KubeObject = parse(readFileSync(`${root}/examples/argocd/application.yaml`, 'utf8'));
  const ask = (subject: string, action: string) =>
    judges.allowed(application, { policy, subject, action: `action/${group}/${kind}/${action}` });

  test.each(['reconcile', 'suspend', 'resume'])('let the role run %s, which others may not', async (action) => {
    expect(await ask('role:platform', action)).toBe(true);
    expect(await ask('role:admin', action)).toBe(true);
    expect(await ask('role:readonly', action)).toBe(false);
    expect(await judges.allowed(application, { policy, subject: 'role:platform', action: 'delete' })).toBe(false);
  });
});

describe('the commands, typed one after the other', () => {
  const Live = z.looseObject({ data: z.record(z.string(), z.string()).optional() });

  async function live(...names: string[]): Promise<z.infer<typeof Live>> {
    return Live.parse(JSON.parse((await kubectl(['get', ...names, '-n', 'argocd', '-o', 'json'])).stdout));
  }

  const known = { url: 'https://argocd.example.com', 'dex.config': 'connectors: []' };
  const installed = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
    data: known,
  });

  test.each([
    ['create', ['create', '-f', '-'], []],
    ['client-side apply', ['apply', '-f', '-'], ['apply', '-f', '-']],
    [
      'server-side apply',
      ['apply', '--server-side', '-f', '-'],
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
    ],
  ])('add the two keys to an argocd-cm made by %s, and keep the others', async (_way, install, upgrade) => {
    const [patch = ''] = commands;
    await kubectl(['delete', 'configmap', 'argocd-cm', '-n', 'argocd', '--ignore-not-found']);
    await kubectl(install, { input: installed });
    // Typed twice.
    await bash(patch, root);
    await bash(patch, root);
    expect((await live('configmap', 'argocd-cm')).data).toEqual({ ...known, ...argoSettings() });
    // An upgrade of Argo CD.
    if (upgrade.length > 0) await kubectl(upgrade, { input: installed });
    expect((await live('configmap', 'argocd-cm')).data).toEqual({ ...known, ...argoSettings() });
  });

  test('confirm a deletion or a sync that prunes', async () => {
    const since = new Date();
    since.setMilliseconds(0);
    await kubectl(['apply', '-f', `${root}/examples/argocd/application.yaml`]);
    expect(await judges.confirmed(await live('application', 'audit-logs'), since)).toBe(false);
    await bash(commands[1] ?? '', root);
    const confirmed = await live('application', 'audit-logs');
    expect(await judges.confirmed(confirmed, since)).toBe(true);
    expect(await judges.confirmed(confirmed, new Date(since.getTime() + 3_600_000))).toBe(false);
    // Nothing here would take its finalizer off.
    await kubectl([
      'patch',
      'application',
      'audit-logs',
      '-n',
      'argocd',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    ]);
  });
});
