import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { Informer } from '../../src/kube/informer.ts';
import { keyOf } from '../../src/kube/objects.ts';
import { eventually } from '../support/eventually.ts';
import { ApiServer, refuse, WIDGETS, type Widget } from './api-server.ts';

const name = fc.constantFrom('p', 'q', 'r', 's', 't', 'u');
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('put' as const), name, answer: fc.constantFrom('none', 'now', 'later') }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), name }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('break' as const), how: fc.constantFrom('end', 'reset', 'half') }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'expire' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compact' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'bookmark' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('refuse' as const),
      what: fc.constantFrom('list', 'watch'),
      code: fc.constantFrom(410, 429, 500),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'answer' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'breathe' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'meet' as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

test('whatever happens, the store ends up as the server is, and what was told adds up to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const server = new ApiServer();
      await server.start();
      const told = new Map<string, Widget>();
      const wrong: string[] = [];
      const informer = new Informer<Widget>({
        client: server.client(),
        path: WIDGETS,
        pageSize: 2,
        backOff: { baseMs: 2, maxMs: 4 },
        log: { debug() {}, info() {}, warn() {}, error() {} },
        onChange: (change) => {
          const known = told.get(change.key);
          if ((change.kind === 'added') !== (known === undefined)) wrong.push(`${change.kind} ${change.key}`);
          if (known !== undefined && known.metadata.uid !== change.object.metadata.uid)
            wrong.push(`uid of ${change.key}`);
          if (change.kind === 'deleted') told.delete(change.key);
          else told.set(change.key, change.object);
        },
      });
      const stop = new AbortController();
      const running = informer.run(stop.signal);
      try {
        const late: Widget[] = [];
        for (const now of steps) await play(now, server, informer, late);
        await meet(server, informer);
        for (const answer of late) informer.upsert(answer);
        await meet(server, informer);
        const wanted = byKey(server.objects);
        expect(told).toEqual(wanted);
        expect(wrong).toEqual([]);
      } finally {
        stop.abort();
        await running;
        await server.stop();
      }
    }),
    { numRuns: 100 },
  );
});

async function play(now: Step, server: ApiServer, informer: Informer<Widget>, late: Widget[]): Promise<void> {
  switch (now.kind) {
    case 'put': {
      const written = server.put(now.name, server.revision);
      const known = informer.store.get(keyOf(written))?.metadata.uid === written.metadata.uid;
      if (now.answer === 'now') informer.upsert(written);
      else if (now.answer === 'later' && known) late.push(written);
      break;
    }
    case 'answer': {
      // The answer to an own write may come after other news of the object, its deletion for one.
      const answer = late.shift();
      if (answer !== undefined) informer.upsert(answer);
      break;
    }
    case 'remove':
      if (server.objects.some(({ metadata }) => metadata.name === now.name)) server.remove(now.name);
      break;
    case 'break':
      server.breakWatches(now.how);
      break;
    case 'expire':
      server.breakWatches({ code: 410, reason: 'Expired' });
      break;
    case 'compact':
      server.compact();
      break;
    case 'bookmark':
      server.bookmark();
      break;
    case 'refuse':
      (now.what === 'list' ? server.listFaults : server.watchFaults).push((_seen, response) => {
        refuse(response, now.code, now.code === 410 ? 'Expired' : 'InternalError');
        return true;
      });
      break;
    case 'meet':
      await meet(server, informer);
      break;
    case 'breathe':
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      break;
  }
}

function byKey(objects: Widget[]): Map<string, Widget> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}

/** Waits until the store shows what the server has. */
function meet(server: ApiServer, informer: Informer<Widget>): Promise<void> {
  return eventually(() => expect(byKey(informer.store.list())).toEqual(byKey(server.objects)), { everyMs: 2 });
}
