import { globSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { apiVersion, kind, pendingCondition, Spec } from '../../src/api/v1alpha1.ts';
import { buildTimeoutMs, progress } from './progress.ts';
import { before, forwarding, generation, statusCases } from './status-cases.ts';
import { ensureValidators, type KubeObject, type Validators } from './validators.ts';

const Manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), annotations: z.record(z.string(), z.string()).default({}) }).optional(),
  spec: z.record(z.string(), z.unknown()).optional(),
});
type Manifest = z.infer<typeof Manifest>;

const files = globSync('examples/{argocd,flux}/**/*.yaml').toSorted();
const manifests = files.flatMap((file) => manifestsIn(file).map((manifest) => ({ file, manifest })));

function manifestsIn(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, 'utf8'), { uniqueKeys: true }).map((document) => {
    expect(document.errors).toEqual([]);
    return Manifest.parse(document.toJS());
  });
}

let validators: Validators;
beforeAll(async () => {
  validators = await ensureValidators({ progress });
}, buildTimeoutMs);

test('Argo CD and Flux know every field of their objects in the examples', async () => {
  const otherGroups = /^(argoproj\.io|(kustomize|helm|source)\.toolkit\.fluxcd\.io)\//;
  const objects = manifests.map(({ manifest }) => manifest).filter((one) => otherGroups.test(one.apiVersion));
  expect(objects.map((one) => one.kind).toSorted()).toEqual([
    'Application',
    'GitRepository',
    'HelmRelease',
    'Kustomization',
    'Kustomization',
    'Kustomization',
  ]);
  await validators.decode(objects);
  const misspelled = objects.map(({ spec, ...rest }) => ({ ...rest, spec: { ...spec, misspelled: true } }));
  for (const object of misspelled)
    await expect(validators.decode([object])).rejects.toThrow('unknown field "misspelled"');
});

test('every forwarding in the examples has only known fields', () => {
  const specs = manifests.flatMap(({ manifest }) =>
    manifest.apiVersion === apiVersion && manifest.kind === kind ? [manifest.spec ?? {}] : [],
  );
  expect(specs).toHaveLength(2);
  for (const spec of specs) expect(Spec.parse(spec)).toMatchObject(spec);
});

describe('the health expressions for Flux', () => {
  const Checks = z.object({
    healthCheckExprs: z.tuple([
      z.object({
        apiVersion: z.literal(apiVersion),
        kind: z.literal(kind),
        current: z.string(),
        failed: z.string(),
        inProgress: z.string(),
      }),
    ]),
  });
  const [check] = manifests.flatMap(({ manifest }) => {
    const checks = Checks.safeParse(manifest.spec);
    return checks.success ? checks.data.healthCheckExprs : [];
  });

  async function statusesOf(objects: readonly KubeObject[]): Promise<string[]> {
    if (check === undefined) throw new Error('no example has healthCheckExprs');
    const { current, failed, inProgress } = check;
    const answers = await validators.expressions(objects, { current, failed, inProgress });
    return answers.map(({ status }) => status);
  }

  test('agree with kstatus about every report', async () => {
    const cases = statusCases();
    const found = await statusesOf(cases.map(({ object }) => object));
    expect(cases.filter(({ expected }, index) => found[index] !== expected)).toEqual([]);
  });

  test('are in progress until the operator observes the current generation', async () => {
    const fresh = forwarding([pendingCondition], -1);
    const emptied = { ...forwarding([]), status: {} };
    expect(await statusesOf([fresh, emptied, forwarding(before, generation - 1)])).toEqual([
      'InProgress',
      'InProgress',
      'InProgress',
    ]);
  });

  test('treat a suspended forwarding as ready', async () => {
    const suspended = statusCases().map(({ object }) => ({ ...object, spec: { suspend: true } }));
    expect(new Set(await statusesOf(suspended))).toEqual(new Set(['Current']));
  });
});
