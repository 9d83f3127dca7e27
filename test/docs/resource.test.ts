import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import * as z from 'zod';
import { code, document, root, rows } from './documents.ts';

interface Schema {
  readonly type?: string | undefined;
  readonly default?: string | boolean | object | undefined;
  readonly required?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly items?: Schema | undefined;
}

interface Field {
  readonly path: string;
  readonly type: string;
  /** As the document shows it. Undefined if the API server sets no default. */
  readonly default: string | undefined;
  readonly required: boolean;
  readonly leaf: boolean;
}

const Schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    type: z.string().optional(),
    default: z.union([z.string(), z.boolean(), z.looseObject({}), z.array(z.unknown())]).optional(),
    required: z.array(z.string()).optional(),
    properties: z.record(z.string(), Schema).optional(),
    items: Schema.optional(),
  }),
);
const CRD = z.object({
  spec: z.object({ versions: z.tuple([z.object({ schema: z.object({ openAPIV3Schema: Schema }) })]) }),
});

const crd = CRD.parse(parse(readFileSync(join(root, 'crds/konnect-audit-log.io_auditlogforwardings.yaml'), 'utf8')));
const whole = crd.spec.versions[0].schema.openAPIV3Schema;
const fields = ['spec', 'status'].flatMap((part) => fieldsOf(whole.properties?.[part] ?? {}, part));

function fieldsOf({ properties = {}, required = [] }: Schema, path: string): Field[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const here = `${path}.${name}`;
    const inner = schema.items === undefined ? fieldsOf(schema, here) : fieldsOf(schema.items, `${here}[]`);
    const field: Field = {
      path: here,
      type: schema.type ?? '',
      default: typeof schema.default === 'object' ? undefined : schema.default?.toString(),
      required: required.includes(name),
      leaf: inner.length === 0,
    };
    return [field, ...inner];
  });
}

/** The rows of tables whose first cell is a field, by this field. */
const table = new Map(
  ['docs/use/resource.md', 'docs/use/status.md']
    .flatMap((path) => rows(document(path)))
    .flatMap((cells) => {
      const [field = '', ...more] = code(cells[0] ?? '');
      return /^(?:spec|status)\./.test(field) && more.length === 0 ? [[field, cells] as const] : [];
    }),
);

/** Returns whether a cell shows the default of a field. The document describes defaults that the operator sets in its own words. */
function isDefaultOf(cell: string | undefined, field: Field): boolean {
  if (field.default !== undefined) return cell === `\`${field.default}\``;
  return (cell === 'required') === field.required;
}

test('the CRD has fields', () => {
  expect(fields.length).toBeGreaterThan(50);
});

describe('docs/use/resource.md and docs/use/status.md', () => {
  test('have every field of the CRD and no other', () => {
    expect([...table.keys()].filter((path) => /^(?:spec|status)\.[a-z]/.test(path)).toSorted()).toEqual(
      fields.map(({ path }) => path).toSorted(),
    );
  });

  test.each(fields)('$path: type and default', (field) => {
    const cells = table.get(field.path) ?? [];
    expect(cells[1]).toBe(field.type);
    expect(!field.path.startsWith('spec.') || isDefaultOf(cells[2], field)).toBe(true);
  });

  test('have an example of every field of spec that is a value', () => {
    const lacking = fields.filter(({ path, leaf }) => path.startsWith('spec.') && leaf && table.get(path)?.[3] === '');
    expect(lacking).toEqual([]);
  });
});

test('the columns of kubectl get are those of the CRD', () => {
  const Columns = z.object({
    spec: z.object({
      versions: z.array(
        z.object({ additionalPrinterColumns: z.array(z.object({ name: z.string(), priority: z.int().optional() })) }),
      ),
    }),
  });
  const text = readFileSync(join(root, 'crds/konnect-audit-log.io_auditlogforwardings.yaml'), 'utf8');
  const columns = Columns.parse(parse(text)).spec.versions[0]?.additionalPrinterColumns ?? [];
  const names = new Set(columns.map(({ name }) => name.toUpperCase()));
  const shown = rows(document('docs/use/conditions.md')).filter(([name = '']) => /^[A-Z]+$/.test(name));
  expect(shown.map(([name, , wide]) => [name, wide === 'yes'])).toEqual(
    columns.map(({ name, priority = 0 }) => [name.toUpperCase(), priority > 0]),
  );
  expect(names.size).toBe(shown.length);
});
