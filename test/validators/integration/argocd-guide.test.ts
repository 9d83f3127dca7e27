/** Checks the settings and commands for Argo CD in docs/install/argocd.md. */
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
import { ensureValidators, type KubeObject, type Validators } from '../validators.ts';

const { kubectl } = cluster();
const scripts = scriptsOf(document('docs/install/argocd.md')).map(({ text }) => text);
const [keys = '', policy = ''] = ['resource.customizations', 'p, role:'].map((start) =>
  scripts.filter((script) => script.startsWith(start)).join('\n'),
);
const commands = scripts.filter((script) => script.startsWith('kubectl '));
const definition = 'applications.argoproj.io';

let validators: Validators;
beforeAll(async () => {
  validators = await ensureValidators({ progress });
  await kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: argoCD }) });
  await kubectl(['wait', '--for=condition=Established', '--timeout=90s', `crd/${definition}`]);
}, buildTimeoutMs);

afterAll(async () => {
  await kubectl(['delete', 'crd', definition, '--wait=false']);
  await kubectl(['delete', 'namespace', 'argocd', '--wait=false']);
});

/** The objects of Argo CD that the commands need. Another test checks the fields of the example with the types of Argo CD. */
const argoCD = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
  standInDefinition({ group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', plural: 'applications' }),
];

test('these tests cover every block of the guide', () => {
  expect([keys, policy, ...commands].toSorted()).toEqual(scripts.toSorted());
  expect(commands).toHaveLength(3);
});

test('the guide lists the keys of the ConfigMap', () => {
  expect(keys.split('\n')).toEqual(Object.keys(argoSettings()));
});

describe('the lines for argocd-rbac-cm', () => {
  const application: KubeObject = parse(readFileSync(`${root}/examples/argocd/application.yaml`, 'utf8'));
  const ask = (subject: string, action: string) =>
    validators.allowed(application, { policy, subject, action: `action/${group}/${kind}/${action}` });

  test.each(['reconcile', 'replay', 'suspend', 'resume'])('allow only this role to run %s', async (action) => {
    expect(await ask('role:platform', action)).toBe(true);
    expect(await ask('role:admin', action)).toBe(true);
    expect(await ask('role:readonly', action)).toBe(false);
    expect(await validators.allowed(application, { policy, subject: 'role:platform', action: 'delete' })).toBe(false);
  });
});

describe('the commands, run in sequence', () => {
  const Live = z.looseObject({ data: z.record(z.string(), z.string()).optional() });

  async function live(...names: string[]): Promise<z.infer<typeof Live>> {
    return Live.parse(JSON.parse((await kubectl(['get', ...names, '-n', 'argocd', '-o', 'json'])).stdout));
  }

  /** The methods by which a user installs Argo CD, and by which the same user upgrades it. */
  const methods = [
    ['create', ['create', '-f', '-'], []],
    ['client-side apply', ['apply', '-f', '-'], ['apply', '-f', '-']],
    [
      'server-side apply',
      ['apply', '--server-side', '-f', '-'],
      ['apply', '--server-side', '--force-conflicts', '-f', '-'],
    ],
  ] as const;

  describe.each([
    {
      name: 'argocd-cm',
      command: 0,
      known: { url: 'https://argocd.example.com', 'dex.config': 'connectors: []' },
      added: Object.keys(argoSettings()),
    },
    {
      name: 'argocd-notifications-cm',
      command: 1,
      known: { 'service.slack': 'token: $slack-token' },
      added: ['template.audit-logs-degraded', 'trigger.on-audit-logs-degraded'],
    },
  ])('$name', ({ name, command, known, added }) => {
    const installed = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'argocd', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
      data: known,
    });

    test.each(methods)('created by %s gets two keys more, and keeps the others', async (_method, install, upgrade) => {
      const patch = commands[command] ?? '';
      await kubectl(['delete', 'configmap', name, '-n', 'argocd', '--ignore-not-found']);
      await kubectl([...install], { input: installed });
      // The user runs the command twice.
      await bash(patch, root);
      await bash(patch, root);
      const { data = {} } = await live('configmap', name);
      expect(data).toMatchObject(known);
      expect(Object.keys(data).toSorted()).toEqual([...Object.keys(known), ...added].toSorted());
      // A user upgrades Argo CD.
      if (upgrade.length > 0) await kubectl([...upgrade], { input: installed });
      expect((await live('configmap', name)).data).toEqual(data);
    });
  });

  test('argocd-cm has the keys of the guide', async () => {
    expect((await live('configmap', 'argocd-cm')).data).toMatchObject(argoSettings());
  });

  test('confirm a deletion or a prune', async () => {
    const since = new Date();
    since.setMilliseconds(0);
    await kubectl(['apply', '-f', `${root}/examples/argocd/application.yaml`]);
    expect(await validators.confirmed(await live('application', 'audit-logs'), since)).toBe(false);
    await bash(commands[2] ?? '', root);
    const confirmed = await live('application', 'audit-logs');
    expect(await validators.confirmed(confirmed, since)).toBe(true);
    expect(await validators.confirmed(confirmed, new Date(since.getTime() + 3_600_000))).toBe(false);
    // No controller runs here that would remove its finalizer.
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
