import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { cluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const { kubectl, createNamespace, serviceAccountKubeconfig, adminKubeconfig, auditLog } = cluster();
const group = 'control-plane.test';
const manyNamespaces = 3;

const definition = stringify({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `ranges.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural: 'ranges', singular: 'range', kind: 'Range' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'From one number to another.',
            properties: {
              spec: {
                type: 'object',
                required: ['from', 'to'],
                properties: { from: { type: 'integer' }, to: { type: 'integer' } },
                'x-kubernetes-validations': [{ rule: 'self.from <= self.to', message: 'from must not be above to' }],
              },
              status: { type: 'object', properties: { seen: { type: 'boolean' } } },
            },
          },
        },
      },
    ],
  },
});

function range(name: string, spec: object): string {
  return stringify({ apiVersion: `${group}/v1`, kind: 'Range', metadata: { name }, spec });
}

describe('the control plane of a run', () => {
  let namespace: string;

  beforeAll(async () => {
    await kubectl(['apply', '-f', '-'], { input: definition });
    await kubectl(['wait', '--for=condition=Established', '--timeout=90s', `crd/ranges.${group}`]);
    namespace = await createNamespace('ranges');
  });

  afterAll(async () => {
    await kubectl(['delete', `crd/ranges.${group}`, `ns/${namespace}`, '--wait=false']);
  });

  const apply = (input: string) => kubectl(['apply', '-n', namespace, '-f', '-'], { input, allowFailure: true });

  test('stores an object that fulfills a CEL rule, and rejects one that violates it with the message of the rule', async () => {
    await expect(apply(range('good', { from: 1, to: 2 }))).resolves.toMatchObject({ code: 0 });
    const refused = await apply(range('bad', { from: 2, to: 1 }));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('from must not be above to') });
  });

  test('rejects unknown fields instead of dropping them', async () => {
    const refused = await apply(range('more', { from: 1, to: 2, step: 1 }));
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown field "spec.step"') });
  });

  test('explains a custom resource', async () => {
    const { stdout } = await eventually(() => kubectl(['explain', 'ranges', `--api-version=${group}/v1`]));
    expect(stdout).toContain('From one number to another.');
  });

  test('allows a ServiceAccount only what RBAC grants', async () => {
    await kubectl(['create', 'serviceaccount', 'reader', '-n', namespace]);
    await kubectl(['create', 'role', 'reader', '-n', namespace, '--verb=get,list', '--resource=secrets']);
    await kubectl([
      'create',
      'rolebinding',
      'reader',
      '-n',
      namespace,
      '--role=reader',
      `--serviceaccount=${namespace}:reader`,
    ]);
    const kubeconfig = await serviceAccountKubeconfig(namespace, 'reader');
    const { stdout } = await kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { kubeconfig });
    expect(stdout).toBe(`system:serviceaccount:${namespace}:reader`);
    await eventually(() => kubectl(['get', 'secrets'], { kubeconfig }));
    for (const args of [
      ['get', 'configmaps'],
      ['create', 'secret', 'generic', 'mine'],
      ['get', 'secrets', '-n', 'default'],
    ]) {
      const refused = await kubectl(args, { kubeconfig, allowFailure: true });
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/forbidden/) });
    }
  });

  test('writes credentials that only their owner can read', async () => {
    await kubectl(['create', 'serviceaccount', 'private', '-n', namespace]);
    for (const path of [adminKubeconfig, await serviceAccountKubeconfig(namespace, 'private')]) {
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
  });

  test('creates a separate token and file for each kubeconfig of a ServiceAccount', async () => {
    await kubectl(['create', 'serviceaccount', 'shared', '-n', namespace]);
    const paths = await Promise.all([1, 2].map(() => serviceAccountKubeconfig(namespace, 'shared')));
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
    expect(new Set(paths).size).toBe(2);
    expect(new Set(texts).size).toBe(2);
  });

  test('rejects with the reason if a ServiceAccount does not exist', async () => {
    await expect(serviceAccountKubeconfig(namespace, 'nobody')).rejects.toThrow(/ServiceAccount .*nobody.*not found/);
  });

  test('deletes a namespace with all its objects', async () => {
    const doomed = await createNamespace('doomed');
    await kubectl(['create', 'secret', 'generic', 'inside', '-n', doomed]);
    await kubectl(['delete', 'namespace', doomed, '--timeout=90s']);
    const { code, stderr } = await kubectl(['get', 'namespace', doomed], { allowFailure: true });
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('NotFound') });
  });

  test('garbage-collects the dependents of a deleted object', async () => {
    await kubectl(['create', 'configmap', 'owner', '-n', namespace]);
    const { stdout: uid } = await kubectl([
      'get',
      'configmap',
      'owner',
      '-n',
      namespace,
      '-o',
      'jsonpath={.metadata.uid}',
    ]);
    const owned = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'owned', ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }] },
    };
    await apply(stringify(owned));
    await kubectl(['delete', 'configmap', 'owner', '-n', namespace]);
    await kubectl(['wait', '--for=delete', 'configmap/owned', '-n', namespace, '--timeout=90s']);
    const { stdout } = await kubectl(['get', 'configmap', 'owned', '-n', namespace, '--ignore-not-found']);
    expect(stdout).toBe('');
  });

  test('gives every namespace a unique name', async () => {
    const names = await Promise.all(Array.from({ length: manyNamespaces }, () => createNamespace('own')));
    expect(new Set(names).size).toBe(manyNamespaces);
    await kubectl(['delete', 'namespace', ...names, '--wait=false']);
  });

  test('logs users and requests, without bodies', async () => {
    await kubectl([
      'create',
      'secret',
      'generic',
      'audited',
      '-n',
      namespace,
      '--from-literal=key=not-to-be-written-down',
    ]);
    const log = await eventually(async () => {
      const text = await readFile(auditLog, 'utf8');
      expect(text).toContain(`/api/v1/namespaces/${namespace}/secrets`);
      return text;
    });
    expect(log).toContain('"username":"admin"');
    expect(log).not.toContain(Buffer.from('not-to-be-written-down').toString('base64'));
  });
});
