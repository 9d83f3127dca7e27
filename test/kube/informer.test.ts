import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Informer, type InformerOptions } from '../../src/kube/informer.ts';
import { keyOf } from '../../src/kube/objects.ts';
import type { Change } from '../../src/kube/store.ts';
import { eventually } from '../support/eventually.ts';
import { ApiServer, type Fault, refuse, WIDGETS, type Widget } from './api-server.ts';

let server: ApiServer;
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  server = new ApiServer();
  stops = [];
  await server.start();
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await server.stop();
});

function start(overrides: Partial<InformerOptions<Widget>> = {}) {
  const changes: Change<Widget>[] = [];
  const logged: { fields: object; message: string }[] = [];
  const ended: string[] = [];
  const write = (fields: object, message: string) => void logged.push({ fields, message });
  const informer = new Informer<Widget>({
    client: server.client(),
    path: WIDGETS,
    onChange: (change) => changes.push(change),
    log: { debug: write, info: write, warn: write, error: write },
    backOff: { baseMs: 4, maxMs: 20 },
    pageSize: 2,
    onWatchEnded: ({ reason }) => ended.push(reason),
    ...overrides,
  });
  const controller = new AbortController();
  const running = informer.run(controller.signal);
  const stop = async () => {
    controller.abort();
    await running;
  };
  stops.push(stop);
  const told = () => changes.map(({ kind, key, object }) => `${kind} ${key} ${object.spec?.size}`);
  return { informer, changes, told, logged, ended, stop };
}

function sorted(widgets: Widget[]): Widget[] {
  return widgets.sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

/** Waits until the store is what the server has. */
function same(informer: Informer<Widget>): Promise<void> {
  return eventually(() => expect(sorted(informer.store.list())).toEqual(sorted(server.objects)));
}

function watching(): Promise<void> {
  return eventually(() => expect(server.openWatches).toBe(1));
}

describe('in good order', () => {
  test('lists page by page, then follows every change', async () => {
    for (const name of ['v', 'w', 'x', 'y', 'z']) server.put(name, 1);
    const { informer, told } = start();
    await informer.synced;
    expect(told()).toEqual(['added a/v 1', 'added a/w 1', 'added a/x 1', 'added a/y 1', 'added a/z 1']);
    expect(server.lists().map(({ query }) => [query.get('limit'), query.has('continue')])).toEqual([
      ['2', false],
      ['2', true],
      ['2', true],
    ]);
    await watching();
    server.put('v', 2);
    server.remove('w');
    server.put('new', 3);
    await same(informer);
    expect(told().slice(5)).toEqual(['updated a/v 2', 'deleted a/w 1', 'added a/new 3']);
    expect(informer.store.get('a/v')?.spec).toEqual({ size: 2 });
    expect(informer.store.size).toBe(5);
  });

  test('asks for bookmarks and for an end to each watch, with jitter', async () => {
    const { informer } = start({ random: () => 0.5, query: { labelSelector: 'a=b' } });
    await informer.synced;
    await watching();
    expect(Object.fromEntries(server.watches()[0]?.query ?? [])).toEqual({
      watch: 'true',
      resourceVersion: '10',
      allowWatchBookmarks: 'true',
      timeoutSeconds: '450',
      labelSelector: 'a=b',
    });
    expect(server.lists()[0]?.query.get('labelSelector')).toBe('a=b');
  });

  test('after bookmarks alone, the next watch goes on from there, without a list', async () => {
    let now = 100;
    const { informer, ended } = start({ now: () => now });
    expect([informer.resource, informer.hasHeard]).toEqual(['widgets', false]);
    now += 5;
    expect(informer.silentMs).toBe(5);
    await informer.synced;
    expect([informer.hasHeard, informer.silentMs]).toEqual([true, 0]);
    await watching();
    server.revision = 500;
    now += 60_000;
    expect(informer.silentMs).toBe(60_000);
    server.bookmark();
    await eventually(() => expect(informer.silentMs).toBe(0));
    server.compact();
    server.breakWatches('end');
    await watching();
    server.put('late', 1);
    await same(informer);
    expect(server.watches().map(({ query }) => query.get('resourceVersion'))).toEqual(['10', '500']);
    expect(server.lists()).toHaveLength(1);
    expect(ended).toEqual(['closed']);
  });

  test('metadata alone is asked for in a way that gets nothing else, and only what is kept is stored', async () => {
    server.put('secret', 1, { annotations: { 'last-applied': 'hunter2' } });
    const { informer, changes } = start({
      metadataOnly: true,
      transform: ({ metadata: { name, namespace = '', uid, resourceVersion } }) => ({
        metadata: { name, namespace, uid, resourceVersion },
      }),
    });
    await informer.synced;
    await watching();
    server.put('secret', 2, { annotations: { 'last-applied': 'hunter3' } });
    await eventually(() => expect(changes).toHaveLength(2));
    server.remove('secret');
    await eventually(() => expect(changes).toHaveLength(3));
    expect(JSON.stringify(changes)).not.toMatch(/hunter|spec/);
    expect(server.lists()[0]?.headers.accept).toBe('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1');
    expect(server.watches()[0]?.headers.accept).toBe('application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1');
  });

  test('stopping ends the watch at once and writes no complaint', async () => {
    const { informer, logged, stop } = start();
    await informer.synced;
    await watching();
    await stop();
    await eventually(() => expect(server.openWatches).toBe(0));
    expect(logged).toEqual([]);
  });
});

describe('when a watch breaks', () => {
  test.each(['reset', 'half'] as const)('by a %s, it goes on where it stood and misses nothing', async (how) => {
    server.put('x', 1);
    server.put('y', 1);
    const { informer, told } = start();
    await informer.synced;
    await watching();
    server.put('x', 2);
    await same(informer);
    server.breakWatches(how);
    server.remove('y');
    server.put('z', 1);
    await same(informer);
    expect(server.lists()).toHaveLength(1);
    expect(told()).toEqual(['added a/x 1', 'added a/y 1', 'updated a/x 2', 'deleted a/y 1', 'added a/z 1']);
  });

  test('by silence, it is given up after the inactivity limit', async () => {
    server.put('x', 1);
    // Says nothing, ever: like a connection whose other end is gone.
    server.watchFaults.push((_seen, response) => {
      response.writeHead(200).flushHeaders();
      return true;
    });
    const { informer, ended } = start({ inactivityMs: 60 });
    await informer.synced;
    server.put('x', 2);
    await same(informer);
    expect(ended[0]).toBe('Timeout');
  });

  test('by an answer that never comes, it is given up after the request timeout', async () => {
    server.watchFaults.push(() => true);
    const { informer, ended } = start({ client: server.client({ timeoutMs: 60 }) });
    await informer.synced;
    server.put('x', 1);
    await same(informer);
    expect(ended[0]).toBe('Timeout');
  });

  test('by lines that make no sense, it goes on all the same', async () => {
    for (const line of [
      'nonsense',
      '[]',
      '{"type":"ADDED"}',
      '{"type":"STRANGE","object":{"metadata":{"resourceVersion":"1"}}}',
    ])
      server.watchFaults.push((_seen, response) => {
        response.end(`${line}\n`);
        return true;
      });
    const { informer } = start();
    await informer.synced;
    server.put('x', 1);
    await eventually(() => expect(server.watches().length).toBeGreaterThanOrEqual(5));
    await watching();
    server.put('y', 1);
    await same(informer);
  });

  test('as soon as it is open, again and again, it waits between attempts', async () => {
    for (let round = 0; round < 6; round += 1)
      server.watchFaults.push((_seen, response) => {
        response.end();
        return true;
      });
    const { informer, logged } = start({ random: () => 0, now: () => 0 });
    await informer.synced;
    server.put('x', 1);
    await same(informer);
    expect(logged.map(({ fields }) => fields)).toMatchObject(
      [2, 4, 8, 10, 10, 10].map((waitMs, index) => ({ waitMs, failures: index + 1 })),
    );
  });
});

describe('when the server has forgotten where the watch stood', () => {
  test('a 410 answer leads to a new list, and what was deleted meanwhile is noticed', async () => {
    for (const name of ['x', 'y', 'z']) server.put(name, 1);
    const { informer, told, ended } = start();
    await informer.synced;
    await watching();
    server.watchFaults.push((_seen, response) => {
      server.remove('x');
      server.put('y', 2);
      server.compact();
      refuse(response, 410, 'Expired');
      return true;
    });
    server.breakWatches('reset');
    await eventually(() => expect(told().slice(3)).toEqual(['deleted a/x 1', 'updated a/y 2']));
    await same(informer);
    expect(ended).toEqual(['Unavailable', 'Gone']);
  });

  test('after much trouble on the way, it lists at once all the same', async () => {
    let now = 0;
    const close: Fault = (_seen, response) => {
      response.end();
      return true;
    };
    server.watchFaults.push(close, close, close, close, (_seen, response) => {
      now += 60_000;
      refuse(response, 410, 'Expired');
      return true;
    });
    const { informer, logged } = start({ random: () => 0, now: () => now });
    await informer.synced;
    server.put('x', 1);
    await same(informer);
    expect(logged.at(-1)).toMatchObject({
      message: 'watch expired, listing again',
      fields: { failures: 5, waitMs: 2 },
    });
  });

  test('list after list, in a storm, it waits ever longer between them', async () => {
    for (let round = 0; round < 6; round += 1)
      server.watchFaults.push((_seen, response) => {
        refuse(response, 410, 'Expired');
        return true;
      });
    const { informer, logged } = start({ random: () => 0, now: () => 0 });
    await watching();
    server.put('x', 1);
    await same(informer);
    expect(server.lists()).toHaveLength(7);
    expect(logged.map(({ fields }) => fields)).toMatchObject([2, 4, 8, 10, 10, 10].map((waitMs) => ({ waitMs })));
  });

  test('an ERROR event of code 410 leads to a new list', async () => {
    server.put('x', 1);
    const { informer, told, ended } = start();
    await informer.synced;
    await watching();
    server.breakWatches({ code: 410, reason: 'Expired' });
    server.remove('x');
    server.compact();
    await same(informer);
    expect(told()).toEqual(['added a/x 1', 'deleted a/x 1']);
    expect(ended[0]).toBe('Gone');
  });

  test('an object replaced by another of its name meanwhile is told as a deletion and an addition', async () => {
    server.put('x', 1);
    const { informer, told, changes } = start();
    await informer.synced;
    await watching();
    server.breakWatches({ code: 410, reason: 'Expired' });
    server.remove('x');
    server.put('x', 2);
    server.compact();
    await same(informer);
    expect(told()).toEqual(['added a/x 1', 'deleted a/x 1', 'added a/x 2']);
    expect(new Set(changes.map(({ object }) => object.metadata.uid)).size).toBe(2);
  });

  test('a page that has expired leads to a full list, unpaged', async () => {
    for (const name of ['v', 'w', 'x', 'y', 'z']) server.put(name, 1);
    server.listFaults.push(
      () => false,
      (_seen, response) => {
        server.remove('v');
        server.put('y', 2);
        server.compact();
        refuse(response, 410, 'Expired');
        return true;
      },
    );
    const { informer, told } = start();
    await informer.synced;
    await same(informer);
    expect(told()).toEqual(['added a/w 1', 'added a/x 1', 'added a/y 2', 'added a/z 1']);
    expect(server.lists().map(({ query }) => query.get('limit'))).toEqual(['2', '2', null]);
  });

  test('a server restored from a backup is noticed by its first word, and its state taken over', async () => {
    server.put('x', 1);
    const backup = server.objects;
    const { informer, told } = start();
    await informer.synced;
    server.put('x', 2);
    server.put('y', 1);
    await watching();
    await same(informer);
    server.restore(backup, 11);
    server.bookmark();
    await same(informer);
    expect(told().slice(3)).toEqual(['deleted a/y 1', 'updated a/x 1']);
  });
});

describe('when the server is in trouble', () => {
  test.each([500, 503, 403, 401, 404])('a list answered with %i is asked for again until it works', async (code) => {
    server.put('x', 1);
    for (let round = 0; round < 4; round += 1)
      server.listFaults.push((_seen, response) => {
        refuse(response, code, 'InternalError');
        return true;
      });
    const { informer, logged } = start();
    await informer.synced;
    await same(informer);
    expect(logged.map(({ message }) => message)).toEqual([
      'list or watch interrupted',
      'list or watch failed again',
      'list or watch failed again',
      'list or watch failed again',
    ]);
  });

  test.each(['list', 'watch'] as const)(
    'a %s answered with 429 is not asked for again before Retry-After',
    async (kind) => {
      const at: number[] = [];
      const faults = kind === 'list' ? server.listFaults : server.watchFaults;
      faults.push(
        (_seen, response) => {
          at.push(performance.now());
          refuse(response, 429, 'TooManyRequests', { 'retry-after': '1' });
          return true;
        },
        () => {
          at.push(performance.now());
          return false;
        },
      );
      const { informer } = start();
      await informer.synced;
      server.put('x', 1);
      await same(informer);
      expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(990);
    },
  );

  test('a watch refused for a reason that does not pass leads to a new list', async () => {
    for (let round = 0; round < 3; round += 1)
      server.watchFaults.push((_seen, response) => {
        refuse(response, 504, 'Timeout');
        return true;
      });
    const { informer } = start();
    await eventually(() => expect(server.lists()).toHaveLength(2));
    server.put('x', 1);
    await same(informer);
  });

  test('a server that is not there at first is waited for', async () => {
    server.put('x', 1);
    const { port } = new URL(server.url);
    await server.stop();
    const { informer, logged } = start();
    await eventually(() => expect(logged.length).toBeGreaterThan(2));
    expect(JSON.stringify(logged)).toContain('ECONNREFUSED');
    server = new ApiServer();
    await server.start(Number(port));
    server.put('y', 1);
    await same(informer);
  });
});

describe('what the store promises', () => {
  test('handlers see the store as it is after the change, and their throws are logged', async () => {
    server.put('x', 1);
    server.put('y', 1);
    const sizes: number[] = [];
    const { informer, logged } = start({
      onChange: () => {
        sizes.push(informer.store.size);
        throw new Error('handler');
      },
    });
    await informer.synced;
    server.put('z', 1);
    await same(informer);
    await eventually(() => expect(sizes).toEqual([2, 2, 3]));
    expect(logged.map(({ message }) => message)).toEqual(Array.from({ length: 3 }, () => 'change handler failed'));
  });

  test('the answer to an own write shows at once, and its event tells nothing new', async () => {
    server.put('x', 1);
    const { informer, told, changes } = start();
    await informer.synced;
    await watching();
    const written = server.put('x', 2);
    informer.upsert(written);
    expect(informer.store.get('a/x')?.spec).toEqual({ size: 2 });
    server.put('y', 1);
    await same(informer);
    expect(told()).toEqual(['added a/x 1', 'updated a/x 2', 'added a/y 1']);
    expect(changes.map(({ source }) => source)).toEqual(['list', 'upsert', 'watch']);
  });

  test('an own write made while a list is under way outlives that older list', async () => {
    server.put('x', 1);
    server.put('gone', 1);
    const { informer, told } = start({ pageSize: 500 });
    await informer.synced;
    await watching();
    server.listFaults.push((_seen, response) => {
      // The list is answered from now; the write comes after it, and its answer arrives first.
      const list = { metadata: { resourceVersion: String(server.revision) }, items: server.objects };
      informer.upsert(server.put('x', 2));
      informer.upsert(server.put('own', 1));
      const last = server.remove('gone');
      informer.upsert({ ...last, metadata: { ...last.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
      response.end(JSON.stringify(list));
      return true;
    });
    server.breakWatches({ code: 410, reason: 'Expired' });
    await eventually(() => expect(server.lists()).toHaveLength(2));
    await watching();
    server.put('later', 1);
    await same(informer);
    expect(told().slice(2)).toEqual(['updated a/x 2', 'added a/own 1', 'deleted a/gone 1', 'added a/later 1']);
  });
});
