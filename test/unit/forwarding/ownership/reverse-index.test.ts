import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ReverseIndex } from '../../../../src/forwarding/ownership/reverse-index.ts';

test('a forwarding is found by a value, and by a value that it shares', () => {
  const mentions = new ReverseIndex();
  mentions.set('a', ['x', 'y']);
  mentions.set('b', ['y', 'z']);
  mentions.set('c', ['w']);
  expect(mentions.of('y').toSorted()).toEqual(['a', 'b']);
  expect(mentions.sharedWith('a')).toEqual(['b']);
  expect(mentions.sharedWith('c')).toEqual([]);
  mentions.set('a', ['w']);
  expect(mentions.of('x')).toEqual([]);
  expect(mentions.sharedWith('b')).toEqual([]);
  mentions.delete('a');
  expect(mentions.of('w')).toEqual(['c']);
});

test('any sequence of changes gives the results of a plain table', () => {
  const things = fc.subarray(['x', 'y', 'z']);
  const deed = fc.record({ key: fc.constantFrom('a', 'b', 'c'), things: fc.option(things, { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(deed), (deeds) => {
      const mentions = new ReverseIndex();
      const table = new Map<string, readonly string[]>();
      for (const { key, things: named } of deeds) {
        if (named === undefined) {
          mentions.delete(key);
          table.delete(key);
        } else {
          mentions.set(key, named);
          table.set(key, named);
        }
      }
      for (const thing of ['x', 'y', 'z']) {
        const expected = [...table].filter(([, named]) => named.includes(thing)).map(([key]) => key);
        expect(mentions.of(thing).toSorted()).toEqual(expected.toSorted());
      }
      for (const key of ['a', 'b', 'c']) {
        const mine = table.get(key) ?? [];
        const sharing = [...table].filter(([other, named]) => other !== key && named.some((one) => mine.includes(one)));
        expect(mentions.sharedWith(key).toSorted()).toEqual(sharing.map(([other]) => other).toSorted());
      }
    }),
  );
});
