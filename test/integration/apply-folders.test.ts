/** Applies every folder that users apply to a new cluster, with the commands of the documents. */
import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { runKubectl } from '../../sandbox/control-plane/access.ts';
import { ensureBinaries } from '../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../sandbox/control-plane/control-plane.ts';
import { kind, plural } from '../../src/api/v1alpha1.ts';
import { authConfigurationDefinition, portalDefinition } from '../support/kong-operator.ts';
import { standInDefinition } from '../support/stand-in-definition.ts';

const Manifest = z.looseObject({ kind: z.string(), metadata: z.looseObject({ name: z.string() }) });

/** The folders in the order of examples/README.md: each one comes after those that it needs. */
const folders: ReadonlyMap<string, { readonly hasKustomization: boolean; readonly brings: readonly string[] }> =
  new Map([
    ['crds/', { hasKustomization: true, brings: ['customresourcedefinition'] }],
    ['deploy/', { hasKustomization: true, brings: ['namespace', 'deployment', 'clusterrole'] }],
    ['examples/', { hasKustomization: true, brings: ['namespace', 'secret', kind] }],
    ['examples/forwardings/', { hasKustomization: true, brings: [kind] }],
    [
      'examples/kong-operator/',
      { hasKustomization: true, brings: ['secret', 'konnectapiauthconfiguration', 'portal', kind] },
    ],
    // These two have no kustomization. A client-side apply of one would remove the keys of other clients from their ConfigMap.
    ['argocd/', { hasKustomization: false, brings: ['configmap'] }],
    ['argocd/notifications/', { hasKustomization: false, brings: ['configmap'] }],
    ['examples/argocd/', { hasKustomization: true, brings: ['application'] }],
    ['examples/argocd/audit-logs/', { hasKustomization: true, brings: ['namespace', 'externalsecret', kind] }],
    ['examples/flux/', { hasKustomization: true, brings: ['gitrepository', 'kustomization'] }],
    ['examples/flux/operator/', { hasKustomization: true, brings: ['namespace', 'helmrelease'] }],
    ['examples/flux/secrets/', { hasKustomization: true, brings: ['externalsecret'] }],
    ['examples/flux/forwardings/', { hasKustomization: true, brings: [kind] }],
    ['examples/policies/', { hasKustomization: true, brings: ['validatingadmissionpolicy'] }],
  ]);

/** The forwardings of all examples, by name. */
const forwardings = globSync('examples/**/*.yaml')
  .flatMap((file) => parseAllDocuments(readFileSync(file, 'utf8')).map((one) => Manifest.parse(one.toJS())))
  .filter((one) => one.kind === kind)
  .map(({ metadata }) => metadata.name);

/** The API server prints this warning for every Application with Argo CD's finalizer. */
const finalizerWarning = /^Warning: metadata\.finalizers: "resources-finalizer\.argocd\.argoproj\.io"[^\n]*\n/;

/** The objects that Argo CD, Flux, kong-operator and the External Secrets Operator install. */
const otherProjects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'argocd' } },
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } },
  portalDefinition,
  authConfigurationDefinition,
  ...[
    { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application', plural: 'applications' },
    { group: 'external-secrets.io', version: 'v1', kind: 'ExternalSecret', plural: 'externalsecrets' },
    { group: 'helm.toolkit.fluxcd.io', version: 'v2', kind: 'HelmRelease', plural: 'helmreleases' },
    { group: 'kustomize.toolkit.fluxcd.io', version: 'v1', kind: 'Kustomization', plural: 'kustomizations' },
    { group: 'source.toolkit.fluxcd.io', version: 'v1', kind: 'GitRepository', plural: 'gitrepositories' },
  ].map(standInDefinition),
];

test('the list contains every folder with manifests', () => {
  const files = globSync('{argocd,crds,deploy,examples}/**/*.yaml', {
    exclude: ['argocd/resource_customizations/**', 'deploy/components/**'],
  });
  expect([...new Set(files.map((file) => `${dirname(file)}/`))].toSorted()).toEqual([...folders.keys()].toSorted());
});

/** Starts a separate control plane for the tests of a `describe`, with the kinds of other projects. */
function useCluster() {
  let controlPlane: ControlPlane;

  beforeAll(async () => {
    controlPlane = await startControlPlane({ binaries: await ensureBinaries({ progress: () => undefined }) });
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: otherProjects });
    await kubectl(['apply', '-f', '-'], input);
    await established();
  });

  afterAll(() => controlPlane?.stop());

  const kubectl = (args: readonly string[], input = '') => runKubectl(controlPlane, args, { input });

  async function established(): Promise<void> {
    await kubectl(['wait', '--for=condition=Established', '--timeout=90s', 'crd', '--all']);
  }

  /** Resolves with the kinds that kubectl names. Rejects if kubectl writes a line to standard error that does not match `expected`. */
  async function apply(args: readonly string[], expected: RegExp = /^$/): Promise<string[]> {
    const { code, stderr, stdout } = await controlPlane.kubectl(['apply', ...args]);
    const warnings = stderr.replace(finalizerWarning, '').split('\n');
    expect({ code, unexpected: warnings.filter((line) => line !== '' && !expected.test(line)) }).toEqual({
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
  const usable = [...folders].filter(([, { hasKustomization }]) => flag === '-f' || hasKustomization);
  // The policies reject some of the changes that one example makes to the forwarding of another one.
  const applied = usable.filter(([folder]) => folder !== 'examples/policies/');
  const { kubectl, established, apply } = useCluster();

  test.each(applied)('%s', async (folder, { brings }) => {
    const kinds = await apply([flag, folder]);
    expect(kinds).toEqual(expect.arrayContaining(brings.map((one) => one.toLowerCase())));
    if (folder === 'crds/') await established();
  });

  test.each(applied)('%s again, server-side', async (folder) => {
    await expect(apply(['--server-side', '--force-conflicts', flag, folder])).resolves.not.toEqual([]);
  });

  test('creates the forwardings of the examples', async () => {
    const names = (await kubectl(['get', plural, '-A', '-o', 'name'])).trim().split('\n');
    expect(names.map((name) => name.split('/')[1])).toEqual([...new Set(forwardings)].toSorted());
  });

  test('examples/policies/', async () => {
    expect(await apply([flag, 'examples/policies/'])).toContain('validatingadmissionpolicy');
    await expect(apply(['--server-side', '--force-conflicts', flag, 'examples/policies/'])).resolves.not.toEqual([]);
  });
});

describe.each([
  ['create', ['create']],
  ['server-side apply', ['apply', '--server-side']],
])('a folder that kubectl %s installed', (_method, install) => {
  const { apply, run } = useCluster();
  /** kubectl prints this warning once for each object that another method created. */
  const firstApply = /^Warning: resource \S+ is missing the kubectl\.kubernetes\.io\/last-applied-configuration /;

  test.each([...folders])('kubectl apply accepts %s', async (folder, { hasKustomization }) => {
    const { stderr } = await run([...install, '-f', folder]);
    // Several folders contain the same namespace.
    const warnings = stderr.replace(finalizerWarning, '').split('\n');
    expect(warnings.filter((line) => line !== '' && !line.includes('(AlreadyExists)'))).toEqual([]);
    if (folder === 'crds/') await run(['wait', '--for=condition=Established', '--timeout=90s', 'crd', '--all']);
    for (const flag of hasKustomization ? ['-f', '-k'] : ['-f']) {
      await expect(apply([flag, folder], firstApply)).resolves.not.toEqual([]);
    }
  });
});
