/** The CRD of `crds/` as the API server uses it: inputs are generated from it, and writes are checked with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import * as z from 'zod';
import { crdFile } from '../../scripts/crd.ts';

const Rule = z.object({ rule: z.string(), message: z.string() });

export const Schema = z.looseObject({
  type: z.enum(['string', 'boolean', 'integer', 'array', 'object']),
  default: z.unknown().optional(),
  enum: z.array(z.string()).optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxItems: z.number().optional(),
  required: z.array(z.string()).default([]),
  'x-kubernetes-validations': z.array(Rule).default([]),
  'x-kubernetes-list-map-keys': z.tuple([z.string()]).optional(),
  get items() {
    return Schema.optional();
  },
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
});
export type Schema = z.infer<typeof Schema>;

const CRD = z.looseObject({
  spec: z.looseObject({
    versions: z.tuple([
      z.looseObject({
        schema: z.object({
          openAPIV3Schema: z.looseObject({ properties: z.looseObject({ spec: Schema, status: Schema }) }),
        }),
      }),
    ]),
  }),
});

const text = readFileSync(join(import.meta.dirname, '../..', crdFile), 'utf8');
const { properties } = CRD.parse(parse(text)).spec.versions[0].schema.openAPIV3Schema;
export const specSchema = properties.spec;
export const statusSchema = properties.status;

const ajv = new Ajv({ strict: false, allErrors: false });
addFormats.default(ajv);
const isStatus = ajv.compile(closed(statusSchema));

/** Returns the schema without unknown fields, which the API server would drop. */
function closed(schema: Schema): object {
  const { properties: fields, items, ...rest } = schema;
  return {
    ...rest,
    ...(items === undefined ? {} : { items: closed(items) }),
    ...(fields === undefined
      ? {}
      : {
          properties: Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, closed(one)])),
          additionalProperties: false,
        }),
  };
}

/** Returns why the API server would reject a status. Undefined if it would not. */
export function faultOfStatus(status: unknown): string | undefined {
  // The JSON decoder of the API server replaces invalid Unicode, so the next read would differ from the write.
  if (!wellFormed(status)) return 'a text that is not well-formed Unicode';
  if (isStatus(status)) return undefined;
  const [first] = isStatus.errors ?? [];
  return `${first?.instancePath ?? ''} ${first?.message ?? ''}`;
}

function wellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  return typeof value !== 'object' || value === null || Object.values(value).every(wellFormed);
}
