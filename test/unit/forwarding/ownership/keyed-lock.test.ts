import { expect, test } from '@jest/globals';
import { KeyedLock } from '../../../../src/forwarding/ownership/keyed-lock.ts';

function door() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { promise, open: resolve, fail: reject };
}

test('actions that share a key run one after another, in the order of the calls; others do not wait', async () => {
  const turns = new KeyedLock();
  const log: string[] = [];
  const doors = new Map(['a', 'b', 'c', 'd'].map((name) => [name, door()]));
  const deed = (name: string) => async () => {
    log.push(`${name} begins`);
    await doors.get(name)?.promise;
    log.push(`${name} ends`);
  };
  const taken = [
    turns.runExclusive(['x', 'y'], deed('a')),
    turns.runExclusive(['y', 'z'], deed('b')),
    turns.runExclusive(['z'], deed('c')),
    turns.runExclusive(['w'], deed('d')),
  ];
  for (const name of ['d', 'c', 'b', 'a']) doors.get(name)?.open();
  await Promise.all(taken);
  expect(log.indexOf('d begins')).toBeLessThan(log.indexOf('a ends'));
  expect(log.filter((line) => !line.startsWith('d'))).toEqual([
    'a begins',
    'a ends',
    'b begins',
    'b ends',
    'c begins',
    'c ends',
  ]);
});

test('an action that fails releases its keys, and only its own call rejects', async () => {
  const turns = new KeyedLock();
  const first = turns.runExclusive(['x'], () => Promise.reject(new Error('broken')));
  const second = turns.runExclusive(['x'], () => Promise.resolve('fine'));
  await expect(first).rejects.toThrow('broken');
  await expect(second).resolves.toBe('fine');
  await expect(turns.runExclusive(['x'], () => Promise.resolve('again'))).resolves.toBe('again');
});
