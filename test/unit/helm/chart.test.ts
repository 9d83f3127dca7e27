import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import manifest from '../../../package.json' with { type: 'json' };
import { crdFile, renderCRD } from '../../../scripts/crd.ts';
import {
  chartCRDFile,
  chartFolder,
  chartValues,
  manifestsFile,
  valuesPages,
  withValuesTable,
} from '../../../scripts/render.ts';
import { apiVersion, group, kind, plural, Spec, version } from '../../../src/api/v1alpha1.ts';
import { flagTable } from '../../../src/config/flags.ts';

const inRepository = (file: string) => readFileSync(join(import.meta.dirname, '../../..', file), 'utf8');
const inChart = (file: string) => readFileSync(join(chartFolder, file), 'utf8');
const upToDate = 'up to date';
const compare = (committed: string, made: string) => (committed === made ? upToDate : 'run npm run generate');

const Node = z.looseObject({
  type: z.string(),
  additionalProperties: z.unknown().optional(),
  get properties() {
    return z.record(z.string(), Node).optional();
  },
  get items() {
    return Node.optional();
  },
});
type Node = z.infer<typeof Node>;

const schema = Node.parse(JSON.parse(inChart('values.schema.json')));

function allNodes(path: string, node: Node): { path: string; node: Node }[] {
  const inner = Object.entries(node.properties ?? {}).flatMap(([key, one]) => allNodes(`${path}.${key}`, one));
  return [{ path, node }, ...inner, ...(node.items === undefined ? [] : allNodes(`${path}[]`, node.items))];
}

/** Returns the paths of all values that are not objects, and of objects without keys. */
function leaves(value: unknown, path: readonly string[] = []): string[] {
  const map = z.record(z.string(), z.unknown()).safeParse(value);
  const entries = map.success ? Object.entries(map.data) : [];
  return entries.length === 0 ? [path.join('.')] : entries.flatMap(([key, one]) => leaves(one, [...path, key]));
}

describe('the chart', () => {
  test('has the version of the operator', () => {
    expect(parse(inChart('Chart.yaml'))).toMatchObject({ version: manifest.version, appVersion: manifest.version });
  });

  test('describes its CRD for Artifact Hub, with an example that the operator understands', () => {
    const { annotations } = z
      .object({ annotations: z.record(z.string(), z.string()) })
      .parse(parse(inChart('Chart.yaml')));
    const about = (name: string): unknown => parse(annotations[`artifacthub.io/${name}`] ?? '');
    const shown = { kind, version, name: `${plural}.${group}` };
    expect(about('crds')).toEqual([expect.objectContaining(shown)]);
    const [example, ...others] = z.array(z.looseObject({ spec: z.unknown() })).parse(about('crdsExamples'));
    expect(others).toEqual([]);
    expect(example).toMatchObject({ kind, apiVersion });
    expect(Spec.strict().safeParse(example?.spec).error).toBeUndefined();
  });

  test('has the CRD that the sources define', () => {
    expect(compare(inRepository(chartCRDFile), renderCRD())).toBe(upToDate);
  });

  test.each([crdFile, chartCRDFile, manifestsFile])('has in %s only YAML that all parsers read alike', (file) => {
    const [oldReading, newReading] = (['1.1', '1.2'] as const).map((yaml) =>
      parseAllDocuments(inRepository(file), { version: yaml }).map((document): unknown => document.toJS()),
    );
    // Parsers of YAML 1.1, such as kubectl and Helm, read an unquoted on as a boolean.
    expect(oldReading).toEqual(newReading);
  });

  test('has a value for every flag of the operator that is useful in a Pod', () => {
    const template = inChart('templates/deployment.yaml');
    const set = [...template.matchAll(/- \{\{ printf "--([a-z-]+)=/g)].map(([, name]) => name);
    // Without this flag, the Lease is in the namespace of the Pod, which kustomize and other tools may change.
    const without = new Set(['kubeconfig', 'leader-elect-resource-namespace']);
    const expected = flagTable.map(({ name }) => name).filter((name) => !without.has(name));
    expect(new Set(set)).toEqual(new Set(expected));
  });
});

describe('the values', () => {
  const validate = new Ajv({ strict: false }).compile(schema);
  const defaults = () => z.record(z.string(), z.unknown()).parse(parse(inChart('values.yaml')));

  test('are valid in their own schema', () => {
    validate(defaults());
    expect(validate.errors ?? []).toEqual([]);
  });

  test('are all described in the schema, and the schema describes no others', () => {
    const described = chartValues();
    expect(described.filter(({ default: preset }) => preset === undefined)).toEqual([]);
    const paths = described.map(({ path }) => path);
    const undescribed = leaves(defaults()).filter(
      (leaf) => !paths.some((path) => leaf === path || leaf.startsWith(`${path}.`)),
    );
    expect(undescribed).toEqual([]);
  });

  test('are refused with an unknown name on every level', () => {
    const open = allNodes('values', schema)
      .filter(({ node }) => node.properties !== undefined && node.additionalProperties !== false)
      .map(({ path }) => path);
    expect(open).toEqual([]);
  });

  test('have the operator’s own defaults', () => {
    const ofFlags = Object.fromEntries(flagTable.map((flag) => [flag.key, flag.default]));
    expect(defaults()).toMatchObject({
      konnectURL: ofFlags['konnectURL'],
      sumoLogicURL: ofFlags['sumoLogicURL'],
      verificationDelay: ofFlags['verificationDelayMs'],
      konnectTimeout: ofFlags['konnectTimeoutMs'],
      konnectQPS: Number(ofFlags['konnectQPS']),
      konnectBurst: Number(ofFlags['konnectBurst']),
      staleListWindow: ofFlags['staleListWindowMs'],
      clusterName: ofFlags['clusterName'],
      watchLabelSelector: ofFlags['watchLabelSelector'],
      authRefs: ofFlags['authRefs'] === 'true',
      maxConcurrentReconciles: Number(ofFlags['maxConcurrentReconciles']),
      gracePeriod: ofFlags['gracePeriodMs'],
      leaderElection: {
        leaseDuration: ofFlags['leaderElectLeaseDurationMs'],
        renewDeadline: ofFlags['leaderElectRenewDeadlineMs'],
        retryPeriod: ofFlags['leaderElectRetryPeriodMs'],
      },
      logLevel: ofFlags['logLevel'],
      logFormat: ofFlags['logFormat'],
    });
  });

  test.each(valuesPages)('are in %s with their defaults and descriptions', (file) => {
    const page = inRepository(file);
    expect(compare(page, withValuesTable(page, file))).toBe(upToDate);
  });
});
