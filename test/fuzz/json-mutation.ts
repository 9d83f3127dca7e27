/** Changes of a JSON value as data, so that a failure can be reduced and printed. */

import * as fc from 'fast-check';
import { anyCharacter } from '../support/any-character.ts';
import { secrets } from './leaks.ts';

export interface Mutation {
  /** Number of the place among all places of the value. */
  readonly place: number;
  readonly how: How;
}

type How =
  | { readonly kind: 'replace'; readonly value: unknown }
  | { readonly kind: 'remove' }
  | { readonly kind: 'nest'; readonly depth: number }
  | { readonly kind: 'wrap' }
  | { readonly kind: 'repeat'; readonly times: number }
  | { readonly kind: 'lengthen'; readonly times: number }
  | { readonly kind: 'add'; readonly key: string; readonly value: unknown };

/** ID of the first destination in an environment, which belongs to another client. */
export const foreignID = 'd0000000-0000-4000-8000-000000000007';

const echo = `${secrets.endpoint} ${secrets.authorization} ${secrets.token}`;

/** Values that often cause bugs: other types, extremes, names of JavaScript's own properties, and the secrets. */
const odd: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  -0,
  1e308,
  2 ** 53,
  2 ** 31,
  '',
  ' ',
  '\0',
  '\u{1F980}',
  '\uD800',
  '﻿',
  'null',
  'true',
  'unconfigured',
  'active',
  'inactive',
  'NaN',
  '__proto__',
  'constructor',
  '../..',
  '<html>',
  '%00',
  '0001-01-01T00:00:0Z',
  '2026-13-45T99:99:99Z',
  'v4',
  'syslog',
  'CEF',
  '/api/v3/x?page%5Bafter%5D=',
  '?page[after]=a',
  '00000000-0000-0000-0000-000000000000',
  '998DB3E4-5CB7-4DD5-B51C-9878096A6999',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ...Object.values(secrets),
  foreignID,
  echo,
  [],
  {},
  [[]],
  [{}],
  [null],
  { id: null },
  [echo],
  { [secrets.token]: echo },
  { length: 3 },
  { toString: 1 },
];

/** A secret as a word that fits a pattern. */
const word = fc.constantFrom(
  secrets.token,
  secrets.token.slice(-20),
  secrets.endpoint.slice(-30),
  secrets.authorization.slice(7),
);

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...odd) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.string({ unit: anyCharacter, maxLength: 200 }) },
  { weight: 1, arbitrary: fc.uuid() },
  { weight: 2, arbitrary: word },
);

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  place: fc.nat({ max: 500 }),
  how: fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('replace' as const), value }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('nest' as const), depth: fc.constantFrom(1, 10, 1_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wrap' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('repeat' as const), times: fc.constantFrom(2, 3, 150, 5_000) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('lengthen' as const), times: fc.constantFrom(2, 100, 20_000) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        key: fc.constantFrom('id', 'data', 'meta', 'status', '__proto__', 'x'),
        value,
      }),
    },
  ),
});

interface Place {
  readonly value: unknown;
  readonly put: (value: unknown) => void;
  readonly remove: () => void;
}

/** Returns the value after all mutations in order. `root` does not change. */
export function mutate(root: unknown, mutations: readonly Mutation[]): unknown {
  const box = { root: structuredClone(root) };
  for (const { place, how } of mutations) {
    const places = placesIn(box);
    const at = places[place % places.length];
    if (at !== undefined) change(at, how);
  }
  return box.root;
}

function placesIn(box: { root: unknown }): Place[] {
  const found: Place[] = [];
  const pending: Place[] = [
    { value: box.root, put: (one) => void (box.root = one), remove: () => void (box.root = undefined) },
  ];
  for (let next = pending.pop(); next !== undefined && found.length < 2_000; next = pending.pop()) {
    found.push(next);
    const { value: holder } = next;
    if (Array.isArray(holder)) {
      for (const [index, item] of holder.entries()) {
        pending.push({
          value: item,
          put: (one) => void (holder[index] = one),
          remove: () => void holder.splice(index, 1),
        });
      }
    } else if (typeof holder === 'object' && holder !== null) {
      for (const [key, item] of Object.entries(holder)) {
        pending.push({
          value: item,
          put: (one) =>
            void Object.defineProperty(holder, key, {
              value: one,
              enumerable: true,
              configurable: true,
              writable: true,
            }),
          remove: () => void Reflect.deleteProperty(holder, key),
        });
      }
    }
  }
  return found;
}

function change(at: Place, how: How): void {
  switch (how.kind) {
    case 'replace':
      return at.put(structuredClone(how.value));
    case 'remove':
      return at.remove();
    case 'nest': {
      let nested = at.value;
      for (let depth = 0; depth < how.depth; depth += 1) nested = depth % 2 === 0 ? [nested] : { data: nested };
      return at.put(nested);
    }
    case 'wrap':
      return at.put([at.value]);
    case 'repeat': {
      const one = Array.isArray(at.value) ? at.value : [at.value];
      // The value must fit into memory after it has doubled repeatedly.
      const most = 1 + Math.floor(2_000_000 / (1 + (JSON.stringify(one)?.length ?? 0)));
      return at.put(Array.from({ length: Math.min(how.times, most) }, () => structuredClone(one)).flat());
    }
    case 'lengthen':
      return at.put(typeof at.value === 'string' ? at.value.repeat(how.times).slice(0, 500_000) : at.value);
    case 'add':
      if (typeof at.value === 'object' && at.value !== null && !Array.isArray(at.value)) {
        Object.defineProperty(at.value, how.key, {
          value: how.value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      return undefined;
  }
}
