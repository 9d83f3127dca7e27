import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { type KubectlOptions, runKubectl } from '../../../sandbox/control-plane/access.ts';
import { ensureBinaries } from '../../../sandbox/control-plane/binaries.ts';
import { type ControlPlane, startControlPlane } from '../../../sandbox/control-plane/control-plane.ts';
import { install } from '../../../sandbox/sandbox.ts';
import { apiVersion, finalizer, kind, plural } from '../../../src/api/v1alpha1.ts';
import { conditionsOf, type Health } from '../../../src/status/conditions.ts';
import { argoSettings } from '../argocd-settings.ts';
import { buildTimeoutMs, progress } from '../progress.ts';
import {
  type DiffMethod,
  ensureValidators,
  type InCluster,
  type KubeObject,
  type SyncMethod,
  type Validators,
} from '../validators.ts';

/** The methods by which an Application syncs and Argo CD compares: the defaults, ServerSideApply=true, ServerSideDiff=true, or both. */
const methods: readonly (readonly [SyncMethod, DiffMethod])[] = [
  ['client-side', 'client-side'],
  ['server-side', 'structured-merge'],
  ['server-side', 'server-side'],
  ['client-side', 'server-side'],
];

const minimalSpec = {
  konnect: { region: 'us', tokenSecretRef: { name: 'konnect' } },
  destination: { secretRef: { name: 'sumologic' } },
  organization: {},
  portals: [{ id: '3e551b39-227d-4297-b911-e68fd5d77c17' }],
};

const namespace = 'argocd';
let validators: Validators;
/** A separate control plane, since these tests sync `deploy/` under other names, with a second CRD that has the same kind. */
let controlPlane: ControlPlane;
let where: InCluster;
beforeAll(async () => {
  validators = await ensureValidators({ progress });
  controlPlane = await startControlPlane({ binaries: await ensureBinaries({ progress }) });
  await install(controlPlane);
  await kubectl(['create', 'namespace', namespace]);
  where = { kubeconfig: controlPlane.adminKubeconfig, application: 'audit-logs' };
}, buildTimeoutMs);

afterAll(() => controlPlane.stop());

const kubectl = (args: readonly string[], options?: KubectlOptions) => runKubectl(controlPlane, args, options);

const Live = z.looseObject({
  metadata: z.looseObject({ name: z.string(), generation: z.int() }),
  spec: z.record(z.string(), z.unknown()),
});
type Live = z.infer<typeof Live>;

function desired(name: string, spec: object): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace, labels: { team: 'platform' } }, spec };
}

async function live(name: string): Promise<Live> {
  const stdout = await kubectl(['get', plural, name, '-n', namespace, '-o', 'json']);
  return Live.parse(JSON.parse(stdout));
}

async function differences(objects: readonly KubeObject[], method: DiffMethod): Promise<unknown[]> {
  const found = await validators.diff(objects, method, where);
  return found.filter(({ modified }) => modified);
}

/** Writes the finalizer and the status of a forwarding as the operator does when the webhooks match. */
async function writeAsOperator(name: string): Promise<void> {
  const patch = async (body: object, ...args: string[]) =>
    kubectl(['patch', plural, name, '-n', namespace, '--type=merge', '-p', JSON.stringify(body), ...args]);
  await patch({ metadata: { finalizers: [finalizer] } }, '--field-manager=konnect-audit-log-operator');
  const { metadata } = await live(name);
  const { generation } = metadata;
  const good: Health = { kind: 'good', reason: 'InPlace', message: 'as wanted' };
  const report = { secrets: good, destination: good, webhooks: good, cleanup: good, readyMessage: 'all is forwarded' };
  const conditions = conditionsOf(report, { generation, previous: [], now: new Date(), grace: 'none' });
  const status = { observedGeneration: generation, conditions, portalsReady: '1/1' };
  await patch({ status }, '--subresource=status', '--field-manager=konnect-audit-log-operator');
}

async function fullSpec(): Promise<object> {
  const name = 'defaults';
  await validators.sync([desired(name, minimalSpec)], 'server-side', where);
  return (await live(name)).spec;
}

describe.each(methods)('synced %s and compared %s', (sync, diff) => {
  const suffix = `${sync}-${diff}`;

  test('a forwarding with only the required fields is never OutOfSync', async () => {
    const object = desired(`minimal-${suffix}`, minimalSpec);
    await validators.sync([object], sync, where);
    expect(await differences([object], diff)).toEqual([]);
    await writeAsOperator(`minimal-${suffix}`);
    expect(await differences([object], diff)).toEqual([]);
    await validators.sync([object], sync, where);
    expect(await differences([object], diff)).toEqual([]);
  });

  test('a forwarding that contains every default is never OutOfSync', async () => {
    const object = desired(`full-${suffix}`, await fullSpec());
    await validators.sync([object], sync, where);
    expect(await differences([object], diff)).toEqual([]);
    await writeAsOperator(`full-${suffix}`);
    expect(await differences([object], diff)).toEqual([]);
  });

  test('a request to reconcile does not make it OutOfSync, and a sync keeps the request', async () => {
    const name = `asked-${suffix}`;
    const object = desired(name, minimalSpec);
    await validators.sync([object], sync, where);
    const { patch } = await validators.action(await live(name), 'reconcile', argoSettings());
    await kubectl(['patch', plural, name, '-n', namespace, '--type=merge', '-p', JSON.stringify(patch)]);
    expect(await differences([object], diff)).toEqual([]);
    await validators.sync([object], sync, where);
    const { metadata } = await live(name);
    expect(JSON.stringify(metadata)).toContain('konnect-audit-log.io/reconcile-requested-at');
  });

  test('a forwarding that changes in the cluster is OutOfSync', async () => {
    const name = `changed-${suffix}`;
    const object = desired(name, minimalSpec);
    await validators.sync([object], sync, where);
    const change = { spec: { konnect: { region: 'eu' } } };
    await kubectl(['patch', plural, name, '-n', namespace, '--type=merge', '-p', JSON.stringify(change)]);
    expect(await differences([object], diff)).toHaveLength(1);
  });
});

describe('the installation', () => {
  let objects: KubeObject[];

  // The objects have other names, so that the objects of the other tests do not change.
  beforeAll(async () => {
    const stdout = await kubectl(['kustomize', 'deploy']);
    const renamed = stdout.replaceAll('konnect-audit-log', 'argocd-audit-log');
    objects = parseAllDocuments(renamed).map((document) => z.record(z.string(), z.unknown()).parse(document.toJS()));
    const isFirst = ({ kind: one }: KubeObject) => one === 'Namespace' || one === 'CustomResourceDefinition';
    await validators.sync(objects.filter(isFirst), 'client-side', where);
  });

  afterAll(async () => {
    await kubectl(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], {
      input: objects.map((object) => JSON.stringify(object)).join('\n---\n'),
    });
  });

  test.each(methods)('synced %s and compared %s is never OutOfSync', async (sync, diff) => {
    await validators.sync(objects, sync, where);
    expect(await differences(objects, diff)).toEqual([]);
  });
});

describe('the example Application', () => {
  const Rendered = z.looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).default({}) }),
  });
  type Rendered = z.infer<typeof Rendered>;
  const Kustomize = z.object({ images: z.array(z.string()), patches: z.array(z.object({ patch: z.string() })) });
  const Application = z.object({
    spec: z.object({ sources: z.array(z.object({ path: z.string(), kustomize: Kustomize.optional() })) }),
  });
  let objects: Rendered[];
  let folder: string;

  /** Builds the sources as Argo CD does, each from a copy in another folder. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'argocd-example-'));
    const { sources } = Application.parse(parse(readFileSync('examples/argocd/application.yaml', 'utf8'))).spec;
    const texts = await Promise.all(
      sources.map(async ({ path, kustomize }, index) => {
        const source = join(folder, String(index), basename(path));
        await cp(path, source, { recursive: true });
        if (path === 'deploy') await cp('crds', join(folder, String(index), 'crds'), { recursive: true });
        const overlay = join(folder, String(index), 'overlay');
        await mkdir(overlay);
        const images = (kustomize?.images ?? []).map((image) => {
          const [, name = '', newName = '', newTag = ''] = /^(.+)=(.+):(.+)$/.exec(image) ?? [];
          return { name, newName, newTag };
        });
        const kustomization = { resources: [`../${basename(path)}`], images, patches: kustomize?.patches ?? [] };
        await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization));
        return kubectl(['kustomize', overlay]);
      }),
    );
    objects = parseAllDocuments(texts.join('---\n')).map((document) => Rendered.parse(document.toJS()));
  });

  afterAll(() => rm(folder, { recursive: true }));

  test('runs the image in its manifest', () => {
    expect(JSON.stringify(objects)).toContain(
      '"image":"registry.example.com/platform/konnect-audit-log-operator:0.1.0"',
    );
  });

  function annotation(name: string): (object: Rendered) => string {
    return ({ metadata }) => metadata.annotations[`argocd.argoproj.io/${name}`] ?? '';
  }

  test('installs the operator, then the Secrets, then the forwardings', () => {
    const kindsOf = (wave: string) => {
      const inWave = objects.filter((object) => annotation('sync-wave')(object) === wave);
      return [...new Set(inWave.map((object) => object.kind))];
    };
    expect(kindsOf('')).toEqual(expect.arrayContaining(['CustomResourceDefinition', 'Deployment', 'Namespace']));
    expect(kindsOf('')).not.toContain(kind);
    expect(kindsOf('1')).toEqual(['ExternalSecret']);
    expect(kindsOf('2')).toEqual([kind]);
  });

  test('keeps the CRD, and requires a confirmation before it deletes a forwarding', () => {
    const optionsOf = (wanted: string) =>
      objects.filter((object) => object.kind === wanted).map(annotation('sync-options'));
    expect(optionsOf('CustomResourceDefinition')).toEqual(['Prune=false,Delete=false']);
    expect(optionsOf(kind)).toEqual(['Prune=confirm,Delete=confirm']);
  });
});

test.each(['examples/argocd/audit-logs/sumologic.yaml', 'examples/flux/forwardings/sumologic.yaml'])(
  'the API server accepts %s',
  async (file) => {
    const text = readFileSync(file, 'utf8').replace('namespace: platform', `namespace: ${namespace}`);
    const stdout = await kubectl(['create', '--dry-run=server', '--validate=strict', '-f', '-'], { input: text });
    expect(stdout).toContain('created (server dry run)');
  },
);
