/** Every folder that users apply, applied to a new cluster as users type it. */
import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { kind, plural } from '../../src/api/v1alpha1.ts';
import { portalDefinition } from '../support/kong-operator.ts';
import { standInDefinition } from '../support/stand-in-definition.ts';

/** In the order of examples/README.md: a folder comes after those that it needs. */
const folders: ReadonlyMap<string, { readonly hasKustomization: boolean; readonly brings: readonly string[] }> =
  new Map([
    ['crds/', { hasKustomization: true, brings: ['customresourcedefinition'] }],
    ['deploy/', { hasKustomization: true, brings: ['namespace', 'deployment', 'clusterrole'] }],
    ['examples/', { hasKustomization: true, brings: ['namespace', 'secret', kind] }],
    ['examples/kong-operator/', { hasKustomization: true, brings: ['portal', kind] }],
    // Without a kustomization: as a resource of one, applied client-side, it would remove the keys of others from their ConfigMap.
    ['argocd/', { hasKustomization: false, brings: ['configmap'] }],
    ['examples/argocd/', { hasKustomization: true, brings: ['application'] }],
    ['examples/argocd/audit-logs/', { hasKustomization: true, brings: ['namespace', 'externalsecret', kind] }],
    ['examples/flux/', { hasKustomization: true, brings: ['gitrepository', 'kustomization'] }],
    ['examples/flux/operator/', { hasKustomization: true, brings: ['namespace', 'helmrelease'] }],
    ['examples/flux/secrets/', { hasKustomization: true, brings: ['externalsecret'] }],
    ['examples/flux/forwardings/', { hasKustomization: true, brings: [kind] }],
  ]);

/** The API server prints it for every Application that deletes what it installed: the finalizer is Argo CD's. */
const finalizerWarning = /^Warning: metadata\.finalizers: "resources-finalizer\.argocd\.argoproj\.io"[^\n]*\n/;

/** What Argo CD, Flux, kong-operator and the External Secrets Operator install. */
const installedByOthers = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } },
  portalDefinition,
  ...[
    { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', plural: 'applications' },
    { group: 'external-secrets.io', version: 'v1', kind: 'ExternalSecret', plural: 'externalsecrets' },
    { group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease', plural: 'helmreleases' },
    { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', plural: 'kustomizations' },
    { group: 'source.toolkit.fluxcd.io', version: 'v1', kind: 'GitRepository', plural: 'gitrepositories' },
  ].map(standInDefinition),
];

test('no folder with manifests is left out', () => {
  const files = globSync('{argocd,crds,deploy,examples}/**/*.yaml', { exclude: ['argocd/resource_customizations/**'] });
  expect([...new Set(files.map((file) => `${dirname(file)}/`))].toSorted()).toEqual([...folders.keys()].toSorted());
});

/** Starts a control plane of its own for the tests of a `describe`, with the kinds of other projects. */
function useCluster() {
  let controlPlane: ControlPlane;

  beforeAll(async () => {
    controlPlane = await startControlPlane({ binaries: await ensureBinaries({ progress: () => undefined }) });
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: installedByOthers });
    await kubectl(['apply', '-f', '-'], input);
    await established();
  });

  afterAll(() => controlPlane?.stop());

  async function kubectl(args: readonly string[], input = ''): Promise<string> {
    const { code, stderr, stdout } = await controlPlane.kubectl(args, { input });
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    return stdout;
  }

  async function established(): Promise<void> {
    await kubectl(['wait', '--for=condition=Established', '--timeout=90s', 'crd', '--all']);
  }

  /** Returns the kinds that kubectl names. Rejects if kubectl writes to standard error anything but `expected`. */
  async function apply(args: readonly string[], expected: RegExp = /^$/): Promise<string[]> {
    const { code, stderr, stdout } = await controlPlane.kubectl(['apply', ...args]);
    const said = stderr.replace(finalizerWarning, '').split('\n');
    expect({ code, unexpected: said.filter((line) => line !== '' && !expected.test(line)) }).toEqual({
      code: 0,
      unexpected: [],
    });
    return stdout
      .trim()
      .split('\n')
      .map((line) => /^([^./]+)\S* (?:created|configured|unchanged|serverside-applied)$/.exec(line)?.[1] ?? line);
  }

  return { kubectl, established, apply, run: (args: readonly string[]) => controlPlane.kubectl(args) };
}

describe.each(['-f', '-k'])('kubectl apply %s', (flag) => {
  const typed = [...folders].filter(([, { hasKustomization }]) => flag === '-f' || hasKustomization);
  const { kubectl, established, apply } = useCluster();

  test.each(typed)('%s', async (folder, { brings }) => {
    const kinds = await apply([flag, folder]);
    expect(kinds).toEqual(expect.arrayContaining(brings.map((one) => one.toLowerCase())));
    if (folder === 'crds/') await established();
  });

  test.each(typed)('%s again, server-side', async (folder) => {
    await expect(apply(['--server-side', '--force-conflicts', flag, folder])).resolves.not.toEqual([]);
  });

  test('leaves the forwardings of the examples in the cluster', async () => {
    const names = (await kubectl(['get', plural, '-A', '-o', 'name'])).trim().split('\n');
    expect(names.map((name) => name.split('/')[1])).toEqual(['developers', 'sumologic']);
  });
});

describe.each([
  ['create', ['create']],
  ['server-side apply', ['apply', '--server-side']],
])('a folder that was installed by kubectl %s', (_way, install) => {
  const { apply, run } = useCluster();
  /** kubectl says it once for each object that no client-side apply has made. */
  const firstApply = /^Warning: resource \S+ is missing the kubectl\.kubernetes\.io\/last-applied-configuration /;

  test.each([...folders])('%s can be applied', async (folder, { hasKustomization }) => {
    const { stderr } = await run([...install, '-f', folder]);
    // Folders share namespaces.
    const others = stderr.replace(finalizerWarning, '').split('\n');
    expect(others.filter((line) => line !== '' && !line.includes('(AlreadyExists)'))).toEqual([]);
    if (folder === 'crds/') await run(['wait', '--for=condition=Established', '--timeout=90s', 'crd', '--all']);
    for (const flag of hasKustomization ? ['-f', '-k'] : ['-f']) {
      await expect(apply([flag, folder], firstApply)).resolves.not.toEqual([]);
    }
  });
});
