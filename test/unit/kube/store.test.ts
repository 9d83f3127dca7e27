import { describe, expect, test } from '@jest/globals';
import { isLater, type KubeObject } from '../../../src/kube/objects.ts';
import { joinStores, ObjectStore } from '../../../src/kube/store.ts';

function object(
  revision: number,
  { uid = 'u1', name = 'x', ...rest }: Partial<KubeObject['metadata']> = {},
): KubeObject {
  return { metadata: { name, namespace: 'a', uid, resourceVersion: String(revision), ...rest } };
}

function storeWith(...objects: KubeObject[]): ObjectStore<KubeObject> {
  const store = new ObjectStore<KubeObject>();
  store.replace(objects, '1');
  return store;
}

describe('answers to own writes', () => {
  test('one that is older than the known state changes nothing', () => {
    const store = storeWith(object(9));
    expect([...store.upsert(object(8)), ...store.upsert(object(9))]).toEqual([]);
    expect(store.get('a/x')).toEqual(object(9));
    expect(store.upsert(object(10)).map(({ kind }) => kind)).toEqual(['updated']);
  });

  test('one that comes after the deletion does not restore the object', () => {
    const store = storeWith(object(9));
    store.drop(object(11));
    expect(store.upsert(object(10))).toEqual([]);
    expect(store.size).toBe(0);
  });

  test('one that comes after a list without the object does not restore it', () => {
    const store = storeWith(object(9));
    store.replace([], '12');
    expect(store.upsert(object(10))).toEqual([]);
    expect(store.size).toBe(0);
  });

  test('one that shows the deletion is not undone by an older event, only by a newer one', () => {
    const store = storeWith(object(9));
    expect(store.upsert(object(12, { deletionTimestamp: 'now' })).map(({ kind }) => kind)).toEqual(['deleted']);
    expect([...store.put(object(10)), ...store.put(object(12)), ...store.drop(object(12))]).toEqual([]);
    expect(store.size).toBe(0);
    expect(store.put(object(13)).map(({ kind }) => kind)).toEqual(['added']);
  });

  test('one that removed the last finalizer is a deletion, and the event of it is no change', () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const store = storeWith(object(9, { deletionTimestamp, finalizers: ['ours', 'theirs'] }));
    expect(store.upsert(object(10, { deletionTimestamp, finalizers: ['theirs'] })).map(({ kind }) => kind)).toEqual([
      'updated',
    ]);
    const last = object(11, { deletionTimestamp, finalizers: [] });
    expect(store.upsert(last)).toEqual([{ kind: 'deleted', key: 'a/x', object: last, source: 'upsert' }]);
    expect(store.drop(object(12))).toEqual([]);
  });
});

describe('events', () => {
  test('of another object of the same name that is older change nothing', () => {
    const store = storeWith(object(20, { uid: 'new' }));
    expect([...store.put(object(15, { uid: 'old' })), ...store.drop(object(16, { uid: 'old' }))]).toEqual([]);
    expect(store.get('a/x')?.metadata.uid).toBe('new');
  });

  test('of another object of the same name that is newer are a deletion and an addition', () => {
    const store = storeWith(object(15, { uid: 'old' }));
    expect(store.put(object(20, { uid: 'new' })).map(({ kind, object: { metadata } }) => [kind, metadata.uid])).toEqual(
      [
        ['deleted', 'old'],
        ['added', 'new'],
      ],
    );
  });
});

test('a list leads to deletions first, and not to changes of equal objects', () => {
  const store = storeWith(object(2, { name: 'gone', uid: 'g' }), object(3), object(4, { name: 'same', uid: 's' }));
  const changes = store.replace(
    [object(5, { name: 'new', uid: 'n' }), object(6), object(4, { name: 'same', uid: 's' })],
    '7',
  );
  expect(changes.map(({ kind, key }) => `${kind} ${key}`)).toEqual(['deleted a/gone', 'added a/new', 'updated a/x']);
});

test('joined stores behave like one', () => {
  const joined = joinStores([storeWith(object(2)), storeWith(object(3, { name: 'y', uid: 'y' }))]);
  expect([joined.size, joined.list().length, joined.get('a/y')?.metadata.uid, joined.get('a/z')]).toEqual([
    2,
    2,
    'y',
    undefined,
  ]);
});

test.each([
  ['10', '9', true],
  ['9', '10', false],
  ['9', '9', false],
  ['9007199254740993', '9007199254740992', true],
  ['opaque', '9', true],
  ['same', 'same', false],
])('resourceVersion %s is later than %s: %s', (a, b, later) => {
  expect(isLater(a, b)).toBe(later);
});
