import { globSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { apiVersion, kind, Spec } from '../../src/api/v1alpha1.ts';
import { buildTimeoutMs, progress } from './progress.ts';
import { before, everySituation, forwarding, generation } from './status-cases.ts';
import { ensureJudges, type Judges, type KubeObject } from './validators.ts';

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

let judges: Judges;
beforeAll(async () => {
  judges = await ensureJudges({ progress });
}, buildTimeoutMs);

test('Argo CD and Flux know every field of theirs in the examples', async () => {
  const theirs = /^(argoproj\.io|(kustomize|helm|source)\.toolkit\.fluxcd\.io)\//;
  const objects = manifests.map(({ manifest }) => manifest).filter((one) => theirs.test(one.apiVersion));
  expect(objects.map((one) => one.kind).toSorted()).toEqual([
    'Application',
    'GitRepository',
    'HelmRelease',
    'Kustomization',
    'Kustomization',
    'Kustomization',
  ]);
  await judges.decode(objects);
  const misspelled = objects.map(({ spec, ...rest }) => ({ ...rest, spec: { ...spec, misspelled: true } }));
  for (const object of misspelled) await expect(judges.decode([object])).rejects.toThrow('unknown field "misspelled"');
});

test('every forwarding in the examples has known fields alone', () => {
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

  async function verdicts(objects: readonly KubeObject[]): Promise<string[]> {
    if (check === undefined) throw new Error('no example has healthCheckExprs');
    const { current, failed, inProgress } = check;
    const answers = await judges.expressions(objects, { current, failed, inProgress });
    return answers.map(({ status }) => status);
  }

  test('read from every report what kstatus does', async () => {
    const situations = everySituation();
    const found = await verdicts(situations.map(({ object }) => object));
    expect(situations.filter(({ expected }, index) => found[index] !== expected)).toEqual([]);
  });

  test('wait for what no operator has seen, or not since the last change', async () => {
    const fresh = { ...forwarding([]), status: { observedGeneration: -1 } };
    const emptied = { ...forwarding([]), status: {} };
    expect(await verdicts([fresh, emptied, forwarding(before, generation - 1)])).toEqual([
      'InProgress',
      'InProgress',
      'InProgress',
    ]);
  });

  test('take a suspended forwarding for ready', async () => {
    const suspended = everySituation().map(({ object }) => ({ ...object, spec: { suspend: true } }));
    expect(new Set(await verdicts(suspended))).toEqual(new Set(['Current']));
  });
});
