/** The CRD compared with that of the last release, or before the first release with the one that was last agreed on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isMap, parse, parseDocument } from 'yaml';
import { renderCRD } from '../../../scripts/crd.ts';
import { breakingChanges } from '../../support/crd-compatibility.ts';

const baseline = readFileSync(join(import.meta.dirname, '../../baseline/crd.yaml'), 'utf8');
const schema = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties'];
const spec = [...schema, 'spec', 'properties'];

/** Breaking changes that a release announces, each with its reason. Empty the list when the baseline is replaced. */
const announced: readonly string[] = [];

test('the CRD breaks no user and no stored object of the last release', () => {
  expect(breakingChanges(parse(baseline), parse(renderCRD()))).toEqual(announced);
});

/** Returns the changes that the gate finds after a change of the baseline. */
function after(change: (document: ReturnType<typeof parseDocument>) => void): string[] {
  const document = parseDocument(baseline);
  change(document);
  return breakingChanges(parse(baseline), document.toJS());
}

describe('the gate finds', () => {
  test.each<[string, readonly (string | number)[], unknown, string]>([
    ['a removed field', [...spec, 'suspend'], undefined, 'v1alpha1.spec.suspend: is gone'],
    ['another type', [...spec, 'suspend', 'type'], 'string', 'v1alpha1.spec.suspend: type changed'],
    ['another default', [...spec, 'suspend', 'default'], true, 'v1alpha1.spec.suspend: default changed'],
    ['a new default', [...spec, 'portals', 'default'], [], 'v1alpha1.spec.portals: default changed'],
    ['a value fewer', [...spec, 'mode', 'enum'], ['Enforce'], 'v1alpha1.spec.mode: enum changed'],
    ['a value more', [...spec, 'mode', 'enum'], ['Enforce', 'Observe', 'x'], 'v1alpha1.spec.mode: enum changed'],
    ['a lower bound', [...spec, 'portals', 'maxItems'], 99, 'v1alpha1.spec.portals: maxItems is narrower'],
    ['a new bound', [...spec, 'portals', 'minItems'], 1, 'v1alpha1.spec.portals: minItems is narrower'],
    ['a new pattern', [...spec, 'interval', 'pattern'], '^1h$', 'v1alpha1.spec.interval: pattern changed'],
    [
      'a newly required field',
      [...schema, 'spec', 'required'],
      ['konnect', 'mode'],
      'v1alpha1.spec.mode: is newly required',
    ],
    [
      'a new rule',
      [...spec, 'portals', 'items', 'x-kubernetes-validations'],
      [{ rule: 'self.enabled', message: 'x' }],
      'v1alpha1.spec.portals[]: has the new rule self.enabled',
    ],
    [
      'another kind of list',
      [...spec, 'portals', 'x-kubernetes-list-type'],
      'atomic',
      'v1alpha1.spec.portals: x-kubernetes-list-type changed',
    ],
    ['a version that is no longer served', ['spec', 'versions', 0, 'served'], false, 'v1alpha1 is no longer served'],
    ['another scope', ['spec', 'scope'], 'Cluster', 'the group, the scope or a name changed'],
    ['a removed short name', ['spec', 'names', 'shortNames'], [], 'short name alf is gone'],
    ['a removed subresource', ['spec', 'versions', 0, 'subresources'], {}, 'subresource status is gone'],
    ['removed columns', ['spec', 'versions', 0, 'additionalPrinterColumns'], [], 'column Ready is gone'],
  ])('%s', (_title, path, value, expected) => {
    const found = after((document) => {
      expect(document.hasIn(path.slice(0, -1))).toBe(true);
      if (value === undefined) document.deleteIn(path);
      else document.setIn(path, document.createNode(value));
    });
    expect(found).toContainEqual(expect.stringContaining(expected));
  });
});

test('a new optional field, a wider bound and a removed rule break nothing', () => {
  const found = after((document) => {
    document.setIn([...spec, 'note'], document.createNode({ type: 'string', maxLength: 10 }));
    document.setIn([...spec, 'portals', 'maxItems'], 200);
    document.deleteIn([...schema, 'spec', 'x-kubernetes-validations']);
    expect(isMap(document.getIn(spec))).toBe(true);
  });
  expect(found).toEqual([]);
});
