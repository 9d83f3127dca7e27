import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { argoConfigMapFile, renderArgoConfigMap } from '../../scripts/argocd.ts';
import { group, kind } from '../../src/api/v1alpha1.ts';
import { argoSettings } from './argocd-settings.ts';
import { buildTimeoutMs, progress } from './progress.ts';
import { ensureValidators, type KubeObject, type Validators } from './validators.ts';

// Argo CD's own tests read files with these names in its folder resource_customizations.
const folder = `argocd/resource_customizations/${group}/${kind}`;

const HealthTests = z.object({
  tests: z.array(
    z.object({ inputPath: z.string(), healthStatus: z.object({ status: z.string(), message: z.string() }) }),
  ),
});
const ActionTests = z.object({
  discoveryTests: z.array(z.object({ inputPath: z.string(), result: z.array(z.record(z.string(), z.unknown())) })),
  actionTests: z.array(
    z.object({
      action: z.string(),
      inputPath: z.string(),
      expectedOutputPath: z.string(),
      parameters: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
const Annotated = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).optional() }),
});

function read<T>(path: string, schema: z.ZodType<T>): T {
  return schema.parse(parse(readFileSync(join(folder, path), 'utf8')));
}

function objectAt(path: string): KubeObject {
  return read(path, z.record(z.string(), z.unknown()));
}

const requestAnnotation = 'konnect-audit-log.io/reconcile-requested-at';
const { tests: healthTests } = read('health_test.yaml', HealthTests);
const { discoveryTests, actionTests } = read('actions/action_test.yaml', ActionTests);
const settings = argoSettings();

let validators: Validators;
beforeAll(async () => {
  validators = await ensureValidators({ progress });
}, buildTimeoutMs);

test('the ConfigMap for Argo CD contains the scripts (else: npm run generate)', () => {
  expect(readFileSync(argoConfigMapFile, 'utf8')).toBe(renderArgoConfigMap());
});

describe('health', () => {
  test.each(healthTests)('of $inputPath is $healthStatus.status', async ({ inputPath, healthStatus }) => {
    const [health] = await validators.health([objectAt(inputPath)], settings);
    expect(health?.script).toEqual(healthStatus);
  });

  test('of an object that is being deleted is the message of Argo CD', async () => {
    const [health] = await validators.health([objectAt('testdata/deleting.yaml')], settings);
    expect(health?.shown).toEqual({ status: 'Progressing', message: 'Pending deletion' });
  });

  test('of every other object is the result of the script', async () => {
    const others = healthTests.filter(({ inputPath }) => !inputPath.includes('deleting'));
    const healths = await validators.health(
      others.map(({ inputPath }) => objectAt(inputPath)),
      settings,
    );
    expect(healths.map(({ shown }) => shown)).toEqual(others.map(({ healthStatus }) => healthStatus));
  });
});

describe('actions', () => {
  test.each(discoveryTests)('offered for $inputPath', async ({ inputPath, result }) => {
    const offered = await validators.actions(objectAt(`actions/${inputPath}`), settings);
    expect(offered).toEqual(result.map((action) => expect.objectContaining(action)));
  });

  test.each(actionTests)('$action makes $inputPath into $expectedOutputPath', async (one) => {
    const before = objectAt(`actions/${one.inputPath}`);
    const { object, patch } = await validators.action(before, one.action, settings, one.parameters);
    expect(withoutTime(object)).toEqual(withoutTime(objectAt(`actions/${one.expectedOutputPath}`)));
    expect(Object.keys(patch)).toHaveLength(1);
  });

  test.each([{}, { from: '2026-11-27T08:00:00Z' }, { from: '2026-11-27T08:00:00Z', to: '' }])(
    'a replay without both times is refused: %j',
    async (parameters) => {
      const replay = validators.action(objectAt('actions/testdata/active.yaml'), 'replay', settings, parameters);
      // The message repeats the request, so only its end is the error.
      await expect(replay).rejects.toThrow(/}: enter from and to, as times in UTC such as \S+$/);
    },
  );

  test('a request to reconcile carries the time of the request in UTC', async () => {
    const fromMs = Math.floor(Date.now() / 1_000) * 1_000;
    const { object } = await validators.action(objectAt('actions/testdata/active.yaml'), 'reconcile', settings);
    const requested = Annotated.parse(object).metadata.annotations?.[requestAnnotation] ?? '';
    expect(requested).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(Date.parse(requested)).toBeGreaterThanOrEqual(fromMs);
    expect(Date.parse(requested)).toBeLessThanOrEqual(Date.now());
  });
});

function withoutTime(object: KubeObject): unknown {
  const annotated = Annotated.parse(object);
  const { annotations } = annotated.metadata;
  if (annotations?.[requestAnnotation] === undefined) return annotated;
  return {
    ...annotated,
    metadata: { ...annotated.metadata, annotations: { ...annotations, [requestAnnotation]: '' } },
  };
}
