import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { type Fault, refuse } from './api-server.ts';
import { useInformers } from './informers.ts';

const { at, start, same, watching } = useInformers();

describe('when the server has forgotten where the watch stood', () => {
  test('a 410 answer leads to a new list, and what was deleted meanwhile is noticed', async () => {
    for (const name of ['x', 'y', 'z']) at.server.put(name, 1);
    const { informer, told, failures } = start();
    await informer.synced;
    await watching();
    at.server.watchFaults.push((_seen, response) => {
      at.server.remove('x');
      at.server.put('y', 2);
      at.server.compact();
      refuse(response, 410, 'Expired');
      return true;
    });
    at.server.breakWatches('reset');
    await eventually(() => expect(told().slice(3)).toEqual(['deleted a/x 1', 'updated a/y 2']));
    await same(informer);
    expect(failures()).toEqual(['Unavailable', 'Gone']);
  });

  test('after much trouble on the way, it lists at once all the same', async () => {
    let now = 0;
    const close: Fault = (_seen, response) => {
      response.end();
      return true;
    };
    at.server.watchFaults.push(close, close, close, close, (_seen, response) => {
      now += 60_000;
      refuse(response, 410, 'Expired');
      return true;
    });
    const { informer, logged } = start({ random: () => 0, now: () => now });
    await informer.synced;
    at.server.put('x', 1);
    await same(informer);
    expect(logged.at(-1)).toMatchObject({
      message: 'watch expired, listing again',
      fields: { failures: 5, waitMs: 2 },
    });
  });

  test('list after list, in a storm, it waits ever longer between them', async () => {
    for (let round = 0; round < 6; round += 1)
      at.server.watchFaults.push((_seen, response) => {
        refuse(response, 410, 'Expired');
        return true;
      });
    const { informer, logged } = start({ random: () => 0, now: () => 0 });
    await watching();
    at.server.put('x', 1);
    await same(informer);
    expect(at.server.lists()).toHaveLength(7);
    expect(logged.map(({ fields }) => fields)).toMatchObject([2, 4, 8, 10, 10, 10].map((waitMs) => ({ waitMs })));
  });

  test('an ERROR event of code 410 leads to a new list', async () => {
    at.server.put('x', 1);
    const { informer, told, failures } = start();
    await informer.synced;
    await watching();
    at.server.breakWatches({ code: 410, reason: 'Expired' });
    at.server.remove('x');
    at.server.compact();
    await same(informer);
    expect(told()).toEqual(['added a/x 1', 'deleted a/x 1']);
    expect(failures()[0]).toBe('Gone');
  });

  test('an object replaced by another of its name meanwhile is told as a deletion and an addition', async () => {
    at.server.put('x', 1);
    const { informer, told, changes } = start();
    await informer.synced;
    await watching();
    at.server.breakWatches({ code: 410, reason: 'Expired' });
    at.server.remove('x');
    at.server.put('x', 2);
    at.server.compact();
    await same(informer);
    expect(told()).toEqual(['added a/x 1', 'deleted a/x 1', 'added a/x 2']);
    expect(new Set(changes.map(({ object }) => object.metadata.uid)).size).toBe(2);
  });

  test('a page that has expired leads to a full list, unpaged', async () => {
    for (const name of ['v', 'w', 'x', 'y', 'z']) at.server.put(name, 1);
    at.server.listFaults.push(
      () => false,
      (_seen, response) => {
        at.server.remove('v');
        at.server.put('y', 2);
        at.server.compact();
        refuse(response, 410, 'Expired');
        return true;
      },
    );
    const { informer, told } = start();
    await informer.synced;
    await same(informer);
    expect(told()).toEqual(['added a/w 1', 'added a/x 1', 'added a/y 2', 'added a/z 1']);
    expect(at.server.lists().map(({ query }) => query.get('limit'))).toEqual(['2', '2', null]);
  });

  test('a server restored from a backup is noticed by its first word, and its state taken over', async () => {
    at.server.put('x', 1);
    const backup = at.server.objects;
    const { informer, told } = start();
    await informer.synced;
    at.server.put('x', 2);
    at.server.put('y', 1);
    await watching();
    await same(informer);
    at.server.restore(backup, 11);
    at.server.bookmark();
    await same(informer);
    expect(told().slice(3)).toEqual(['deleted a/y 1', 'updated a/x 1']);
  });
});
