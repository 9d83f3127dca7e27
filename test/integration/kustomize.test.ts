/** Checks what kubectl's kustomize builds from the manifests of this project, as docs/use/kustomize.md says. */
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { ensureHelm } from '../../sandbox/control-plane/helm.ts';
import { components } from '../../scripts/components.ts';
import { renderObjects } from '../../scripts/render.ts';
import { document, root } from '../docs/documents.ts';
import { cluster } from '../support/cluster.ts';

const { kubectl, createNamespace } = cluster();

const KubeObject = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
type KubeObject = z.infer<typeof KubeObject>;

const blocks = [...document('docs/use/kustomize.md').matchAll(/^```yml\n(.*?)^```$/gms)].map(([, block = '']) => block);
const [renaming = '', moving = '', owning = ''] = blocks;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kustomize-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Builds a kustomization in a new folder beside `deploy/` and `crds/`, with copies of `files`. */
async function build(name: string, kustomization: string, files: readonly string[] = []): Promise<KubeObject[]> {
  const here = join(folder, name, 'mine');
  await mkdir(here, { recursive: true });
  for (const one of ['deploy', 'crds']) await symlink(join(root, one), join(folder, name, one));
  for (const file of files) await cp(join(root, file), join(here, basename(file)));
  await writeFile(join(here, 'kustomization.yaml'), kustomization);
  return objectsOf((await kubectl(['kustomize', here])).stdout);
}

function objectsOf(text: string): KubeObject[] {
  return parseAllDocuments(text).map((one) => KubeObject.parse(one.toJS()));
}

function named(objects: readonly KubeObject[], kind: string): string[] {
  return objects.filter((object) => object.kind === kind).map(({ metadata }) => metadata.name);
}

test('deploy/ moves to another namespace as a whole', async () => {
  const objects = await build('moved', moving);
  expect(named(objects, 'Namespace')).toEqual(['observability']);
  const others = objects.map(({ metadata }) => metadata.namespace).filter((one) => one !== undefined);
  expect(new Set(others)).toEqual(new Set(['observability']));
  // Names that contain the name of the product stay. No field contains the old namespace.
  const definition = (object: KubeObject) => object.kind === 'CustomResourceDefinition';
  const text = JSON.stringify(objects.filter((object) => !definition(object)));
  expect(text.match(/"[^"]*konnect-audit-log(?![-.\w])[^"]*"/g)).toBeNull();
});

describe('the components', () => {
  const [, together = ''] = [...document('docs/install/manifests.md').matchAll(/^```yml\n(.*?)^```$/gms)].map(
    ([, block = '']) => block,
  );

  /** Returns the objects in the order of their names, without those that only `deploy/` has. */
  const comparable = (objects: readonly unknown[]) =>
    objects
      .map((one) => KubeObject.parse(one))
      .filter(({ kind }) => kind !== 'CustomResourceDefinition' && kind !== 'Namespace')
      .map((one) => [`${one.kind}/${one.metadata.namespace ?? ''}/${one.metadata.name}`, one] as const)
      .toSorted(([a], [b]) => a.localeCompare(b));

  const name = (line: string) => line.trim().replace(/^- .*\//, '');

  test('are all in the guide', () => {
    const listed = together.split('\n').filter((line) => line.includes('components/'));
    expect(listed.map(name)).toEqual(Object.keys(components));
  });

  test.each(Object.keys(components))('%s makes of deploy/ what the chart makes of its values', async (one) => {
    const alone = together
      .split('\n')
      .filter((line) => !line.includes('components/') || name(line) === one)
      .join('\n');
    const helm = await ensureHelm({ progress: () => undefined });
    expect(comparable(await build(one, alone))).toEqual(comparable(await renderObjects(helm, components[one])));
  });

  test('can be combined', async () => {
    const helm = await ensureHelm({ progress: () => undefined });
    const wanted = await renderObjects(helm, Object.values(components).flat());
    expect(comparable(await build('together', together))).toEqual(comparable(wanted));
  });
});

describe('a name prefix', () => {
  const Forwarding = z.object({
    spec: z.object({
      konnect: z.object({ tokenSecretRef: z.object({ name: z.string() }) }),
      destination: z.object({ secretRef: z.object({ name: z.string() }) }),
    }),
  });
  const files = ['examples/forwarding.yaml', 'crds/name-references'];
  const references = (objects: readonly KubeObject[]) => {
    const { konnect, destination } = Forwarding.parse(objects.find(({ kind }) => kind === 'AuditLogForwarding')).spec;
    return [konnect.tokenSecretRef.name, destination.secretRef.name];
  };

  test('changes the names of Secrets in a forwarding', async () => {
    const objects = await build('prefix', renaming, files);
    expect(named(objects, 'Secret')).toEqual(['blue-konnect', 'blue-sumologic']);
    expect(references(objects)).toEqual(['blue-konnect', 'blue-sumologic']);
  });

  test('does not change them without the configuration', async () => {
    const objects = await build('bare', renaming.replace(/configurations:\n.*/s, ''), files);
    expect(references(objects)).toEqual(['konnect', 'sumologic']);
  });

  test('changes the names of kong-operator’s objects, in a forwarding and among each other', async () => {
    const kustomization = renaming.replace('forwarding.yaml', 'developers.yaml');
    const objects = await build('portals', kustomization, ['examples/kong-operator/developers.yaml', files[1] ?? '']);
    const spec = (kind: string) => objects.find((one) => one.kind === kind)?.['spec'];
    expect(named(objects, 'Portal')).toEqual(['blue-developers']);
    expect(spec('AuditLogForwarding')).toMatchObject({
      konnect: { authRef: { name: 'blue-konnect' } },
      portalRefs: [{ name: 'blue-developers' }],
    });
    expect(spec('Portal')).toMatchObject({ konnect: { authRef: { name: 'blue-konnect' } } });
    expect(spec('KonnectAPIAuthConfiguration')).toMatchObject({ secretRef: { name: 'blue-konnect-api-auth' } });
  });

  test('works with the hashes of generated Secrets', async () => {
    const forwarding = (await readFile(join(root, 'examples/forwarding.yaml'), 'utf8')).split('---\n').at(-1) ?? '';
    await mkdir(join(folder, 'hashed', 'mine'), { recursive: true });
    await writeFile(join(folder, 'hashed', 'mine', 'forwarding.yaml'), forwarding);
    const literal = (name: string) => `  - name: ${name}\n    namespace: platform\n    literals: [a=b]\n`;
    const generator = `secretGenerator:\n${literal('konnect')}${literal('sumologic')}`;
    const objects = await build('hashed', `${renaming}${generator}`, ['crds/name-references']);
    expect(references(objects)).toEqual(named(objects, 'Secret').toSorted());
    expect(references(objects)[0]).toMatch(/^blue-konnect-\w{10}$/);
  });

  test('is configured for every reference in the resource', async () => {
    const text = await readFile(join(root, 'crds/konnect-audit-log.io_auditlogforwardings.yaml'), 'utf8');
    const configured = await readFile(join(root, 'crds/name-references'), 'utf8');
    const Paths = z.object({
      nameReference: z.array(z.object({ fieldSpecs: z.array(z.object({ kind: z.string(), path: z.string() })) })),
    });
    const paths = Paths.parse(parse(configured)).nameReference.flatMap(({ fieldSpecs }) =>
      fieldSpecs.flatMap(({ kind, path }) => (kind === 'AuditLogForwarding' ? path : [])),
    );
    const inResource: string[] = [];
    const Node = z.object({
      'x-kubernetes-validations': z.array(z.object({ rule: z.string() })).optional(),
      get items() {
        return Node.optional();
      },
      get properties() {
        return z.record(z.string(), Node).optional();
      },
    });
    type Node = z.infer<typeof Node>;
    const visit = (node: Node, path: readonly string[]): void => {
      // Names in Konnect have no such rule.
      const isObjectName = node['x-kubernetes-validations']?.some(({ rule }) => rule.includes('^[a-z0-9]')) === true;
      if (path.at(-1) === 'name' && isObjectName) inResource.push(path.join('/'));
      for (const [key, inner] of Object.entries(node.properties ?? {})) visit(inner.items ?? inner, [...path, key]);
    };
    const Definition = z.object({
      spec: z.object({ versions: z.tuple([z.object({ schema: z.object({ openAPIV3Schema: Node }) })]) }),
    });
    const { openAPIV3Schema } = Definition.parse(parse(text)).spec.versions[0].schema;
    visit(openAPIV3Schema.properties?.['spec'] ?? {}, ['spec']);
    expect(inResource.length).toBeGreaterThan(2);
    expect(paths.toSorted()).toEqual(inResource.toSorted());
  });
});

describe('a default that a manifest leaves out', () => {
  const Enabled = z.object({ enabled: z.boolean() });
  const Live = z.object({ spec: z.object({ organization: Enabled, portals: z.tuple([Enabled]) }) });
  const manifest = (namespace: string, more: object) => ({
    apiVersion: 'konnect-audit-log.io/v1alpha1',
    kind: 'AuditLogForwarding',
    metadata: { name: 'sumologic', namespace },
    spec: {
      konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
      destination: { secretRef: { name: 'sumologic' } },
      ...more,
    },
  });
  const Written = z.object({ organization: Enabled, portals: z.tuple([Enabled.extend({ id: z.string() })]) });
  const written = Written.parse(parse(owning.replaceAll(/^ {2}/gm, '')));
  const leftOut = { organization: {}, portals: written.portals.map(({ id }) => ({ id })) };

  /** Applies the spec, disables the webhooks as another client, and applies the spec again. Resolves with the final values of `enabled`. */
  async function enabledAfterReapply(spec: object, flags: readonly string[]) {
    const namespace = await createNamespace('owned');
    const input = JSON.stringify(manifest(namespace, spec));
    await kubectl(['apply', ...flags, '-f', '-'], { input });
    const off = ['organization', 'portals/0'].map((at) => ({
      op: 'replace',
      path: `/spec/${at}/enabled`,
      value: false,
    }));
    await kubectl(['patch', 'alf', 'sumologic', '-n', namespace, '--type=json', '-p', JSON.stringify(off)]);
    await kubectl(['apply', ...flags, ...(flags.length > 0 ? ['--force-conflicts'] : []), '-f', '-'], { input });
    const { stdout } = await kubectl(['get', 'alf', 'sumologic', '-n', namespace, '-o', 'json']);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    const { organization, portals } = Live.parse(JSON.parse(stdout)).spec;
    return { organization: organization.enabled, portals: portals[0].enabled };
  }

  test.each([
    // Client-side apply replaces the whole list.
    [[], { organization: false, portals: true }],
    [['--server-side'], { organization: false, portals: false }],
  ])('keeps the value of another client after kubectl apply %j', async (flags, left) => {
    expect(await enabledAfterReapply(leftOut, flags)).toEqual(left);
    expect(await enabledAfterReapply(written, flags)).toEqual({ organization: true, portals: true });
  });

  test('is written in every example', async () => {
    const files = [
      'examples/forwarding.yaml',
      'examples/kong-operator/developers.yaml',
      'examples/argocd/audit-logs/sumologic.yaml',
      'examples/flux/forwardings/sumologic.yaml',
      ...globSync('examples/forwardings/*.yaml', { cwd: root }),
    ];
    const Spec = z.object({
      organization: z.object({ enabled: z.boolean() }).optional(),
      portals: z.array(z.object({ enabled: z.boolean() })).optional(),
      portalRefs: z.array(z.object({ enabled: z.boolean() })).optional(),
    });
    for (const file of files) {
      const forwarding = objectsOf(await readFile(join(root, file), 'utf8')).find(
        ({ kind }) => kind === 'AuditLogForwarding',
      );
      expect(Spec.safeParse(forwarding?.['spec']).error).toBeUndefined();
    }
  });

  test('create and client-side apply accept organization: null, and server-side apply rejects it', async () => {
    const namespace = await createNamespace('null');
    const input = JSON.stringify(manifest(namespace, { ...written, organization: null }));
    await kubectl(['create', '-f', '-'], { input });
    await kubectl(['replace', '-f', '-'], { input });
    await kubectl(['delete', '-f', '-'], { input });
    await kubectl(['apply', '-f', '-'], { input });
    await kubectl(['delete', '-f', '-'], { input });
    const { code, stderr } = await kubectl(['apply', '--server-side', '-f', '-'], { input, allowFailure: true });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('organization') });
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });
});
