import { expect, test } from '@jest/globals';
import { addFinalizer, removeFinalizer, statusPatch } from '../../../src/kube/object-patch.ts';

const precondition = [
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
])('a finalizer is added to %j, with a precondition', (before, after) => {
  expect(addFinalizer(object(before), 'ours')).toEqual([
    ...precondition,
    { op: 'add', path: '/metadata/finalizers', value: after },
  ]);
});

test('only the given finalizer is removed, with a precondition', () => {
  expect(removeFinalizer(object(['a', 'ours', 'b']), 'ours')).toEqual([
    ...precondition,
    { op: 'replace', path: '/metadata/finalizers', value: ['a', 'b'] },
  ]);
});

test('there is no patch if nothing has to change', () => {
  expect(addFinalizer(object(['ours']), 'ours')).toBeUndefined();
  expect(removeFinalizer(object(['theirs']), 'ours')).toBeUndefined();
  expect(removeFinalizer(object(), 'ours')).toBeUndefined();
});

test('the whole status is replaced, with a precondition, whether there was one or not', () => {
  expect(statusPatch(object(), { ready: true })).toEqual([
    ...precondition,
    { op: 'add', path: '/status', value: { ready: true } },
  ]);
});
