import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { type Fault, refuse } from './api-server.ts';
import { useInformers } from './informers.ts';

const { at, start, same, watching } = useInformers();

describe('when the server no longer knows the resourceVersion of the watch', () => {
  test('a 410 leads to a new list, which shows what was deleted in the meantime', async () => {
    for (const name of ['x', 'y', 'z']) at.server.put(name, 1);
    const { informer, summaries, failures } = start();
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
    await eventually(() => expect(summaries().slice(3)).toEqual(['deleted a/x 1', 'updated a/y 2']));
    await same(informer);
    expect(failures()).toEqual(['Unavailable', 'Gone']);
  });

  test('it lists at once, also after many failures', async () => {
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

  test('the delay between repeated lists grows', async () => {
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
    const { informer, summaries, failures } = start();
    await informer.synced;
    await watching();
    at.server.breakWatches({ code: 410, reason: 'Expired' });
    at.server.remove('x');
    at.server.compact();
    await same(informer);
    expect(summaries()).toEqual(['added a/x 1', 'deleted a/x 1']);
    expect(failures()[0]).toBe('Gone');
  });

  test('an object that was replaced by another of its name is deleted and added', async () => {
    at.server.put('x', 1);
    const { informer, summaries, changes } = start();
    await informer.synced;
    await watching();
    at.server.breakWatches({ code: 410, reason: 'Expired' });
    at.server.remove('x');
    at.server.put('x', 2);
    at.server.compact();
    await same(informer);
    expect(summaries()).toEqual(['added a/x 1', 'deleted a/x 1', 'added a/x 2']);
    expect(new Set(changes.map(({ object }) => object.metadata.uid)).size).toBe(2);
  });

  test('an expired page leads to a list without pages', async () => {
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
    const { informer, summaries } = start();
    await informer.synced;
    await same(informer);
    expect(summaries()).toEqual(['added a/w 1', 'added a/x 1', 'added a/y 2', 'added a/z 1']);
    expect(at.server.lists().map(({ query }) => query.get('limit'))).toEqual(['2', '2', null]);
  });

  test('the first event of a server that was restored from a backup shows that, and its state is used', async () => {
    at.server.put('x', 1);
    const backup = at.server.objects;
    const { informer, summaries } = start();
    await informer.synced;
    at.server.put('x', 2);
    at.server.put('y', 1);
    await watching();
    await same(informer);
    at.server.restore(backup, 11);
    at.server.bookmark();
    await same(informer);
    expect(summaries().slice(3)).toEqual(['deleted a/y 1', 'updated a/x 1']);
  });
});
