/** Checks that a real API server accepts what the Operator Lifecycle Manager would make of the bundle. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { cluster } from '../support/cluster.ts';

const { api } = cluster();
const objects = globSync('bundle/manifests/*.yaml').map((file) => parse(readFileSync(file, 'utf8')));
const version = objects.find(({ kind }) => kind === 'ClusterServiceVersion');
const { permissions, clusterPermissions, deployments } = version.spec.install.spec;

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const enforceRestricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };

test('the API server accepts the Deployment, its Pod under the restricted standard, the rights and the other objects', async () => {
  const namespace = 'bundle';
  await api.send('POST', '/api/v1/namespaces', { metadata: { name: namespace, labels: enforceRestricted } });
  const account = { metadata: { name: permissions[0].serviceAccountName } };
  await api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
  const accept = (path: string, object: object) =>
    api.send('POST', `${path}?dryRun=All&fieldValidation=Strict`, object);

  const { name, label, spec } = deployments[0];
  await accept(`/apis/apps/v1/namespaces/${namespace}/deployments`, { metadata: { name, labels: label }, spec });
  const { metadata, spec: podSpec } = spec.template;
  await accept(`/api/v1/namespaces/${namespace}/pods`, { metadata: { ...metadata, name }, spec: podSpec });
  // The standard is enforced.
  const privileged = { ...podSpec, hostNetwork: true };
  await expect(
    accept(`/api/v1/namespaces/${namespace}/pods`, { metadata: { ...metadata, name }, spec: privileged }),
  ).rejects.toThrow('violates PodSecurity');

  for (const { rules } of permissions)
    await accept(`${rbac}/namespaces/${namespace}/roles`, { metadata: { name: 'role' }, rules });
  for (const { rules } of clusterPermissions)
    await accept(`${rbac}/clusterroles`, { metadata: { name: 'bundle-role' }, rules });
  const paths: Readonly<Record<string, string>> = {
    ClusterRole: `${rbac}/clusterroles`,
    Service: `/api/v1/namespaces/${namespace}/services`,
  };
  const others = objects.filter(({ kind }) => kind !== 'ClusterServiceVersion' && kind !== 'CustomResourceDefinition');
  expect(others).toHaveLength(4);
  // The shared cluster has roles with these names.
  for (const one of others)
    await accept(paths[one.kind] ?? one.kind, {
      ...one,
      metadata: { ...one.metadata, name: `other-${one.metadata.name}` },
    });
});
