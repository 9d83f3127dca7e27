/** Generates values that the API server accepts, from the CRD. */
import * as fc from 'fast-check';
import type { Schema } from './crd.ts';

/** The CEL rules of the CRD as functions. An unknown rule is an error, so that none is forgotten. */
const rules: Readonly<Record<string, (self: Readonly<Record<string, unknown>> | string) => boolean>> = {
  "self != 'global'": (self) => self !== 'global',
  "self != '00000000-0000-0000-0000-000000000000'": (self) => self !== '00000000-0000-0000-0000-000000000000',
  'has(self.id) != has(self.name)': (self) => has(self, 'id') !== has(self, 'name'),
  'has(self.organization) || (has(self.portals) && size(self.portals) > 0) || (has(self.portalRefs) && size(self.portalRefs) > 0)':
    (self) => has(self, 'organization') || sizeOf(self, 'portals') > 0 || sizeOf(self, 'portalRefs') > 0,
  'has(self.tokenSecretRef) != has(self.authRef)': (self) => has(self, 'tokenSecretRef') !== has(self, 'authRef'),
  'has(self.destination) != has(self.destinationRef)': (self) =>
    has(self, 'destination') !== has(self, 'destinationRef'),
  "!(has(self.konnect.auditLogsAPI) && self.konnect.auditLogsAPI == 'v2' && has(self.organization)) || has(self.destination)":
    (self) => !(apiOf(self) === 'v2' && has(self, 'organization')) || has(self, 'destination'),
};

/** The rule of a duration: its form, a minimum in minutes, a maximum in hours. */
const durationRule =
  /^self\.matches\(r'\^\(\[0-9\]\{1,3\}h\)\?.*'\) && duration\(self\) >= duration\('(\d+)m'\) && duration\(self\) <= duration\('(\d+)h'\)$/;

/** Returns the check of a duration between these limits. */
function durationCheck(
  minMinutes: number,
  maxHours: number,
): (self: Readonly<Record<string, unknown>> | string) => boolean {
  return (self) => {
    const [, hours = '0', minutes = '0', seconds = '0'] =
      /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(typeof self === 'string' ? self : '') ?? [];
    const all = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
    return all >= minMinutes * 60 && all <= maxHours * 3600;
  };
}

/** A rule that compares with a pattern. */
const patternRule = /^self\.matches\(r'(.+?)'\)/;

function has(self: Readonly<Record<string, unknown>> | string, field: string): boolean {
  return typeof self !== 'string' && self[field] !== undefined;
}

function sizeOf(self: Readonly<Record<string, unknown>> | string, field: string): number {
  const list = typeof self === 'string' ? undefined : self[field];
  return Array.isArray(list) ? list.length : 0;
}

function apiOf(self: Readonly<Record<string, unknown>> | string): unknown {
  const konnect = typeof self === 'string' ? undefined : self['konnect'];
  return typeof konnect === 'object' && konnect !== null && 'auditLogsAPI' in konnect
    ? konnect.auditLogsAPI
    : undefined;
}

/**
 * Generates a value of the schema. `words` are texts with a meaning, for example names of existing objects. A word that fits is used half of the
 * time.
 */
export function fromSchema(schema: Schema, words: readonly string[]): fc.Arbitrary<unknown> {
  const plain = plainFrom(schema, words);
  const checks = schema['x-kubernetes-validations'].flatMap(({ rule }) => {
    // The generator of texts keeps to the pattern.
    if (patternRule.exec(rule)?.[0] === rule) return [];
    const [, minMinutes, maxHours] = durationRule.exec(rule) ?? [];
    const check = minMinutes === undefined ? rules[rule] : durationCheck(Number(minMinutes), Number(maxHours));
    if (check === undefined) throw new TypeError(`a rule that the generator does not know: ${rule}`);
    return [check];
  });
  if (checks.length === 0) return plain;
  return plain.filter((value) => {
    const self = typeof value === 'object' && value !== null ? { ...value } : String(value);
    return checks.every((check) => check(self));
  });
}

function plainFrom(schema: Schema, words: readonly string[]): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return integerFrom(schema);
    case 'string':
      return schema.enum === undefined ? textFrom(schema, words) : fc.constantFrom(...schema.enum);
    case 'array':
      return arrayFrom(schema, words);
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(
        ([name, one]) => [name, fromSchema(one, words)] as const,
      );
      const requiredKeys = schema.required;
      return fc.record(Object.fromEntries(fields), { requiredKeys, noNullPrototype: true });
    }
  }
}

/** The bounds of an integer without bounds in the schema. JavaScript cannot represent those of int64. */
function integerFrom({ minimum = -(2 ** 63), maximum = 2 ** 62 }: Schema): fc.Arbitrary<number> {
  const extremes = [minimum, maximum, 0, 1, 2, -1];
  return fc.constantFrom(...extremes.filter((one) => one >= minimum && one <= maximum));
}

function arrayFrom(schema: Schema, words: readonly string[]): fc.Arbitrary<unknown[]> {
  const { items, maxItems = 100 } = schema;
  if (items === undefined) throw new TypeError('a list of nothing');
  const [key] = schema['x-kubernetes-list-map-keys'] ?? [];
  const one = fromSchema(items, words);
  const list = (minLength: number, maxLength: number) =>
    key === undefined
      ? fc.array(one, { minLength, maxLength, size: 'max' })
      : fc.uniqueArray(one, {
          minLength,
          maxLength,
          size: 'max',
          selector: (item) =>
            typeof item === 'object' && item !== null ? Object.entries(item).find(([name]) => name === key)?.[1] : item,
        });
  // Sometimes with the maximum length.
  return fc.oneof(
    { weight: 30, arbitrary: list(0, Math.min(4, maxItems)) },
    { weight: 1, arbitrary: list(maxItems > 200 ? 50 : maxItems, Math.min(maxItems, 200)) },
  );
}

function textFrom(schema: Schema, words: readonly string[]): fc.Arbitrary<string> {
  const { minLength = 0, maxLength = 100, format } = schema;
  if (format === 'date-time') return dateTime;
  const sources = [
    schema.pattern,
    ...schema['x-kubernetes-validations'].map(({ rule }) => patternRule.exec(rule)?.[1]),
  ];
  const source = sources.find((one) => one !== undefined);
  const pattern = source === undefined ? undefined : new RegExp(source, 'u');
  const fits = (text: string) => {
    const length = Array.from(text).length;
    return length >= minLength && length <= maxLength && (pattern?.test(text) ?? true) && text.isWellFormed();
  };
  const known = words.filter(fits);
  const shown = Math.min(maxLength, 400);
  const made =
    pattern === undefined || pattern.source.includes('\\p{') ? unicode(minLength, shown) : fc.stringMatching(pattern);
  const extremes = ['a', '\u{1F980}', 'é', '0', '.']
    .flatMap((letter) => [letter.repeat(maxLength), letter.repeat(Math.max(minLength, 1))])
    .filter(fits);
  const any = made.filter(fits);
  return fc.oneof(
    { weight: 3, arbitrary: any },
    ...(known.length === 0 ? [] : [{ weight: 6, arbitrary: fc.constantFrom(...known) }]),
    ...(extremes.length === 0 ? [] : [{ weight: 1, arbitrary: fc.constantFrom(...extremes) }]),
  );
}

function unicode(minLength: number, maxLength: number): fc.Arbitrary<string> {
  const units = ['grapheme', 'binary', 'grapheme-ascii'] as const;
  return fc.oneof(...units.map((unit) => fc.string({ unit, minLength, maxLength })));
}

const dateTime = fc
  .tuple(
    fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }),
    fc.constantFrom('Z', '.000Z', '.123456789Z', '+00:00', '-23:59'),
  )
  .map(([date, end]) => `${date.toISOString().slice(0, 19)}${end}`);

/** Returns the value with defaults, as the API server stores it. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((item) => (schema.items === undefined ? item : withDefaults(schema.items, item)));
  if (typeof value !== 'object' || value === null) return value;
  const filled: Record<string, unknown> = { ...value };
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    if (filled[name] === undefined && one.default !== undefined) filled[name] = structuredClone(one.default);
    if (filled[name] !== undefined) filled[name] = withDefaults(one, filled[name]);
  }
  return filled;
}
