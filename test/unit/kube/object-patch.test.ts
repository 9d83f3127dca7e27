import { expect, test } from '@jest/globals';
import { addFinalizer, removeFinalizer, statusPatch } from '../../../src/kube/object-patch.ts';

const guard = [
  { op: 'test', path: '/metadata/uid', value: 'u' },
  { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
];

function object(finalizers?: string[]) {
  return {
    metadata: { name: 'x', uid: 'u', resourceVersion: '7', ...(finalizers === undefined ? {} : { finalizers }) },
  };
}

test.each([
  [undefined, ['ours']],
  [[], ['ours']],
  [['theirs'], ['theirs', 'ours']],
])('a finalizer is added to %j, guarded', (before, after) => {
  expect(addFinalizer(object(before), 'ours')).toEqual([
    ...guard,
    { op: 'add', path: '/metadata/finalizers', value: after },
  ]);
});

test('a finalizer is removed, guarded, and no other', () => {
  expect(removeFinalizer(object(['a', 'ours', 'b']), 'ours')).toEqual([
    ...guard,
    { op: 'replace', path: '/metadata/finalizers', value: ['a', 'b'] },
  ]);
});

test('there is no patch where there is nothing to change', () => {
  expect(addFinalizer(object(['ours']), 'ours')).toBeUndefined();
  expect(removeFinalizer(object(['theirs']), 'ours')).toBeUndefined();
  expect(removeFinalizer(object(), 'ours')).toBeUndefined();
});

test('a status is replaced whole, guarded, whether there was one or not', () => {
  expect(statusPatch(object(), { ready: true })).toEqual([
    ...guard,
    { op: 'add', path: '/status', value: { ready: true } },
  ]);
});
