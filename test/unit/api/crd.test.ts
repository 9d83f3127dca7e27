import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { crdFile, renderCRD } from '../../../scripts/crd.ts';
import { AuditLogForwarding, apiVersion, type Condition, kind, pendingCondition } from '../../../src/api/v1alpha1.ts';
import { specOf, usual } from '../../support/forwarding-spec.ts';

const Schema = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  maxLength: z.number().optional(),
  maxItems: z.number().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  get items() {
    return Schema.optional();
  },
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
});
type Schema = z.infer<typeof Schema>;

const CRD = z.looseObject({
  spec: z.looseObject({
    versions: z.tuple([z.looseObject({ schema: z.object({ openAPIV3Schema: Schema }) })]),
  }),
});

const text = renderCRD();
const root = CRD.parse(parse(text)).spec.versions[0].schema.openAPIV3Schema;

interface Field {
  readonly path: string;
  readonly schema: Schema;
}

function fieldsOf(path: string, schema: Schema): Field[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => fieldsOf(`${path}.${name}`, one));
  const items = schema.items === undefined ? [] : fieldsOf(`${path}[]`, schema.items);
  return [{ path, schema }, ...inner, ...items];
}

const spec = fieldsOf('spec', root.properties?.['spec'] ?? {});
const status = fieldsOf('status', root.properties?.['status'] ?? {});
const all = [...spec, ...status];
const rules = all.flatMap(({ schema }) => {
  const found = schema['x-kubernetes-validations'];
  return z.array(z.object({ rule: z.string(), message: z.string() })).parse(found ?? []);
});

test('the CRD in crds/ is the generated one', () => {
  const committed = readFileSync(join(import.meta.dirname, '../../..', crdFile), 'utf8');
  const verdict = committed === text ? 'up to date' : `${crdFile} is out of date: run npm run generate`;
  expect(verdict).toBe('up to date');
});

test('the CRD has fields', () => {
  expect(spec.map(({ path }) => path)).toContain('spec.portals[].id');
  expect(status.map(({ path }) => path)).toContain('status.destination.creating.endpointDigest');
});

describe('kubectl explain', () => {
  test('every field of spec has a description', () => {
    const bare = spec.filter(({ path, schema }) => !path.endsWith('[]') && (schema.description ?? '').length < 10);
    expect(bare.map(({ path }) => path)).toEqual([]);
  });

  test('every part of status has a description', () => {
    const bare = ['status', 'status.konnect', 'status.destination', 'status.organization', 'status.portals'].filter(
      (path) => status.find((one) => one.path === path)?.schema.description === undefined,
    );
    expect(bare).toEqual([]);
  });
});

describe('the size of a forwarding is bounded', () => {
  test('every string has a maximum length', () => {
    const open = all.filter(
      ({ schema }) =>
        schema.type === 'string' &&
        schema.maxLength === undefined &&
        schema.enum === undefined &&
        schema.format !== 'date-time',
    );
    expect(open.map(({ path }) => path)).toEqual([]);
  });

  test('every list has a maximum size', () => {
    const open = all.filter(({ schema }) => schema.type === 'array' && schema.maxItems === undefined);
    expect(open.map(({ path }) => path)).toEqual([]);
  });

  test('no object allows fields that it does not describe', () => {
    const open = all.filter(
      ({ schema }) =>
        schema.type === 'object' &&
        (schema.properties === undefined ||
          'additionalProperties' in schema ||
          'x-kubernetes-preserve-unknown-fields' in schema),
    );
    expect(open.map(({ path }) => path)).toEqual([]);
  });
});

test('status rejects values that the operator cannot read or cannot put into a request path', () => {
  const unread = status.filter(
    ({ schema }) => schema.type === 'integer' && schema['maximum'] !== Number.MAX_SAFE_INTEGER,
  );
  expect(unread.map(({ path }) => path)).toEqual([]);
  const ids = status.filter(({ path }) => /\.(id|\w+ID|region)$/.test(path));
  expect(ids.length).toBeGreaterThanOrEqual(9);
  expect(ids.filter(({ schema }) => schema.pattern === undefined).map(({ path }) => path)).toEqual([]);
});

test('the operator takes the default condition for no report, and keeps every other condition', () => {
  const object = {
    apiVersion,
    kind,
    metadata: { namespace: 'platform', name: 'sumologic', uid: 'u', resourceVersion: '1' },
    spec: specOf(usual),
  };
  const conditionsOf = (conditions: readonly Condition[]) =>
    AuditLogForwarding.parse({ ...object, status: { observedGeneration: -1, conditions } }).status.conditions;
  const part: Condition = { ...pendingCondition, type: 'WebhooksReady', status: 'True', reason: 'Attached' };
  expect(conditionsOf([pendingCondition])).toBeUndefined();
  expect(conditionsOf([pendingCondition, part])).toEqual([part]);
});

describe('the API server accepts the schema', () => {
  test('every field has a type', () => {
    expect(all.filter(({ schema }) => schema.type === undefined).map(({ path }) => path)).toEqual([]);
  });

  test('patterns are RE2: no look-around, no back-reference, no escape that only JavaScript has', () => {
    const inRules = rules.flatMap(({ rule }) => /^self\.matches\(r'([^']+)'\)/.exec(rule)?.[1] ?? []);
    expect(inRules.length).toBeGreaterThan(8);
    const patterns = [
      ...inRules,
      ...all.flatMap(({ schema: { pattern } }) => (pattern === undefined ? [] : [pattern])),
    ];
    const strange = patterns.filter(
      (pattern) => /\(\?[=!<]/.test(pattern) || /\\[u1-9kcX]/.test(pattern) || !/^\^.*\$$/s.test(pattern),
    );
    expect(strange).toEqual([]);
    for (const pattern of patterns) expect(() => new RegExp(pattern, 'u')).not.toThrow();
  });

  test('no field of spec has a pattern, which the API server would show as a regular expression', () => {
    expect(spec.filter(({ schema }) => schema.pattern !== undefined).map(({ path }) => path)).toEqual([]);
  });

  test('rules have messages that a user understands', () => {
    expect(rules.length).toBeGreaterThanOrEqual(3);
    for (const { message } of rules) expect(message).toMatch(/\w+ \w+ \w+ \w+/);
  });

  test('a new object shows that it was not reconciled yet', () => {
    expect(root.properties?.['status']).toMatchObject({
      default: { observedGeneration: -1 },
      properties: { conditions: { default: [{ type: 'Ready', status: 'Unknown', reason: 'Pending' }] } },
    });
  });
});
