import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { useInformers } from './informers.ts';

const { at, start, same, watching } = useInformers();

describe('without failures', () => {
  test('it lists in pages, then applies every change', async () => {
    for (const name of ['v', 'w', 'x', 'y', 'z']) at.server.put(name, 1);
    const { informer, summaries } = start();
    await informer.synced;
    expect(summaries()).toEqual(['added a/v 1', 'added a/w 1', 'added a/x 1', 'added a/y 1', 'added a/z 1']);
    expect(at.server.lists().map(({ query }) => [query.get('limit'), query.has('continue')])).toEqual([
      ['2', false],
      ['2', true],
      ['2', true],
    ]);
    await watching();
    at.server.put('v', 2);
    at.server.remove('w');
    at.server.put('new', 3);
    await same(informer);
    expect(summaries().slice(5)).toEqual(['updated a/v 2', 'deleted a/w 1', 'added a/new 3']);
    expect(informer.store.get('a/v')?.spec).toEqual({ size: 2 });
    expect(informer.store.size).toBe(5);
  });

  test('it requests bookmarks, and an end of each watch with jitter', async () => {
    const { informer } = start({ random: () => 0.5, query: { labelSelector: 'a=b' } });
    await informer.synced;
    await watching();
    expect(Object.fromEntries(at.server.watches()[0]?.query ?? [])).toEqual({
      watch: 'true',
      resourceVersion: '10',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '450',
      labelSelector: 'a=b',
    });
    expect(at.server.lists()[0]?.query.get('labelSelector')).toBe('a=b');
  });

  test('after only bookmarks, the next watch continues from there, without a list', async () => {
    let now = 100;
    const { informer, logged } = start({ now: () => now });
    expect([informer.resource, informer.hasSynced]).toEqual(['widgets', false]);
    now += 5;
    expect(informer.silentMs).toBe(5);
    await informer.synced;
    expect([informer.hasSynced, informer.silentMs]).toEqual([true, 0]);
    await watching();
    at.server.revision = 500;
    now += 60_000;
    expect(informer.silentMs).toBe(60_000);
    at.server.bookmark();
    await eventually(() => expect(informer.silentMs).toBe(0));
    at.server.compact();
    now += 30_000;
    expect(informer.silentMs).toBe(30_000);
    at.server.breakWatches('end');
    await eventually(() => expect(informer.silentMs).toBe(0));
    await watching();
    at.server.put('late', 1);
    await same(informer);
    expect(at.server.watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '500']);
    expect(at.server.lists()).toHaveLength(1);
    expect(logged).toEqual([]);
  });

  test('a request for metadata accepts nothing else, and the store keeps only the transformed object', async () => {
    at.server.put('secret', 1, { annotations: { 'last-applied': 'hunter2' } });
    const { informer, changes } = start({
      isMetadataOnly: true,
      transform: ({ metadata: { name, namespace = '', uid, resourceVersion } }) => ({
        metadata: { name, namespace, uid, resourceVersion },
      }),
    });
    await informer.synced;
    await watching();
    at.server.put('secret', 2, { annotations: { 'last-applied': 'hunter3' } });
    await eventually(() => expect(changes).toHaveLength(2));
    at.server.remove('secret');
    await eventually(() => expect(changes).toHaveLength(3));
    expect(JSON.stringify(changes)).not.toMatch(/hunter|spec/);
    expect(at.server.lists()[0]?.headers.accept).toBe(
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
    );
    expect(at.server.watches()[0]?.headers.accept).toBe('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
  });

  test('stopping ends the watch at once and logs nothing', async () => {
    const { informer, logged, stop } = start();
    await informer.synced;
    await watching();
    await stop();
    await eventually(() => expect(at.server.openWatches).toBe(0));
    expect(logged).toEqual([]);
  });
});

describe('the store', () => {
  test('shows a change before the handler is called, and an error of the handler is logged', async () => {
    at.server.put('x', 1);
    at.server.put('y', 1);
    const sizes: number[] = [];
    const { informer, logged } = start({
      onChange: () => {
        sizes.push(informer.store.size);
        throw new Error('handler');
      },
    });
    await informer.synced;
    at.server.put('z', 1);
    await same(informer);
    await eventually(() => expect(sizes).toEqual([2, 2, 3]));
    expect(logged.map(({ message }) => message)).toEqual(Array.from({ length: 3 }, () => 'change handler failed'));
  });

  test('shows the answer to an own write at once, and its event is no change', async () => {
    at.server.put('x', 1);
    const { informer, summaries, changes } = start();
    await informer.synced;
    await watching();
    const written = at.server.put('x', 2);
    informer.upsert(written);
    expect(informer.store.get('a/x')?.spec).toEqual({ size: 2 });
    at.server.put('y', 1);
    await same(informer);
    expect(summaries()).toEqual(['added a/x 1', 'updated a/x 2', 'added a/y 1']);
    expect(changes.map(({ source }) => source)).toEqual(['list', 'upsert', 'watch']);
  });

  test('keeps an own write that is newer than a list in flight', async () => {
    at.server.put('x', 1);
    at.server.put('gone', 1);
    const { informer, summaries } = start({ pageSize: 500 });
    await informer.synced;
    await watching();
    at.server.listFaults.push((_seen, response) => {
      // The list shows the state of now. The write comes after it, and its answer arrives first.
      const list = { metadata: { resourceVersion: String(at.server.revision) }, items: at.server.objects };
      informer.upsert(at.server.put('x', 2));
      informer.upsert(at.server.put('own', 1));
      const last = at.server.remove('gone');
      informer.upsert({ ...last, metadata: { ...last.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
      response.end(JSON.stringify(list));
      return true;
    });
    at.server.breakWatches({ code: 410, reason: 'Expired' });
    await eventually(() => expect(at.server.lists()).toHaveLength(2));
    await watching();
    at.server.put('later', 1);
    await same(informer);
    expect(summaries().slice(2)).toEqual(['updated a/x 2', 'added a/own 1', 'deleted a/gone 1', 'added a/later 1']);
  });
});
