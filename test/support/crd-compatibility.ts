/** Compares a CRD with an earlier one: which changes would break users and stored objects. */
import * as z from 'zod';

const bounds = ['minLength', 'minimum', 'minItems', 'maxLength', 'maximum', 'maxItems'] as const;

const Schema = z.looseObject({
  type: z.string().optional(),
  pattern: z.string().optional(),
  format: z.string().optional(),
  default: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  'x-kubernetes-validations': z.array(z.object({ rule: z.string() })).default([]),
  get items() {
    return Schema.optional();
  },
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
});
type Schema = z.infer<typeof Schema>;

const Version = z.object({
  name: z.string(),
  served: z.boolean(),
  storage: z.boolean(),
  subresources: z.record(z.string(), z.unknown()).default({}),
  additionalPrinterColumns: z.array(z.object({ name: z.string() })).default([]),
  schema: z.object({ openAPIV3Schema: Schema }),
});

const Definition = z.object({
  spec: z.object({
    group: z.string(),
    scope: z.string(),
    names: z.object({
      kind: z.string(),
      plural: z.string(),
      singular: z.string(),
      shortNames: z.array(z.string()).default([]),
      categories: z.array(z.string()).default([]),
    }),
    versions: z.array(Version),
  }),
});

/** Returns each breaking change with its place, in words. A change that only allows more is none. */
export function breakingChanges(before: unknown, after: unknown): string[] {
  const [old, now] = [Definition.parse(before).spec, Definition.parse(after).spec];
  const facts = (spec: typeof old) => [spec.group, spec.scope, spec.names.kind, spec.names.plural, spec.names.singular];
  const identity = facts(old).join() === facts(now).join() ? [] : ['the group, the scope or a name changed'];
  const names = [
    ...lost('short name', old.names.shortNames, now.names.shortNames),
    ...lost('category', old.names.categories, now.names.categories),
  ];
  const versions = old.versions.flatMap((version) => {
    const next = now.versions.find(({ name }) => name === version.name);
    if (next === undefined || (version.served && !next.served)) return [`version ${version.name} is no longer served`];
    const columns = (one: typeof next) => one.additionalPrinterColumns.map(({ name }) => name);
    return [
      ...lost('column', columns(version), columns(next)),
      ...lost('subresource', Object.keys(version.subresources), Object.keys(next.subresources)),
      ...schemaChanges(version.name, version.schema.openAPIV3Schema, next.schema.openAPIV3Schema),
    ];
  });
  return [...identity, ...names, ...versions];
}

function lost(what: string, before: readonly string[], after: readonly string[]): string[] {
  return before.filter((one) => !after.includes(one)).map((one) => `${what} ${one} is gone`);
}

function schemaChanges(path: string, before: Schema, after: Schema): string[] {
  const found: string[] = [];
  const differs = (field: string) => JSON.stringify(before[field]) !== JSON.stringify(after[field]);
  for (const field of ['type', 'format', 'default', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys'])
    if (differs(field)) found.push(`${path}: ${field} changed`);
  if (after.pattern !== undefined && differs('pattern')) found.push(`${path}: pattern changed`);
  for (const bound of bounds)
    if (isNarrower(bound, before[bound], after[bound])) found.push(`${path}: ${bound} is narrower`);
  // A client that knows the values has to handle every one of them.
  if (differs('enum')) found.push(`${path}: enum changed`);
  for (const one of after.required) if (!before.required.includes(one)) found.push(`${path}.${one}: is newly required`);
  const known = new Set(before['x-kubernetes-validations'].map(({ rule }) => rule));
  for (const { rule } of after['x-kubernetes-validations'])
    if (!known.has(rule)) found.push(`${path}: has the new rule ${rule}`);
  for (const [name, one] of Object.entries(before.properties ?? {})) {
    const next = after.properties?.[name];
    found.push(...(next === undefined ? [`${path}.${name}: is gone`] : schemaChanges(`${path}.${name}`, one, next)));
  }
  if (before.items !== undefined && after.items !== undefined)
    found.push(...schemaChanges(`${path}[]`, before.items, after.items));
  return found;
}

function isNarrower(bound: (typeof bounds)[number], before: unknown, after: unknown): boolean {
  if (typeof after !== 'number') return false;
  if (typeof before !== 'number') return true;
  return bound.startsWith('min') ? after > before : after < before;
}
