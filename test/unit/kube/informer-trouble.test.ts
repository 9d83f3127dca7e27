import { describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { ApiServer, refuse } from './api-server.ts';
import { useInformers } from './informers.ts';

const { at, start, same, watching } = useInformers();

describe('when a watch breaks', () => {
  test.each(['reset', 'half'] as const)(
    'by a %s, the next watch continues from there and misses nothing',
    async (how) => {
      at.server.put('x', 1);
      at.server.put('y', 1);
      const { informer, summaries } = start();
      await informer.synced;
      await watching();
      at.server.put('x', 2);
      await same(informer);
      at.server.breakWatches(how);
      at.server.remove('y');
      at.server.put('z', 1);
      await same(informer);
      expect(at.server.lists()).toHaveLength(1);
      expect(summaries()).toEqual(['added a/x 1', 'added a/y 1', 'updated a/x 2', 'deleted a/y 1', 'added a/z 1']);
    },
  );

  test('without data, it is given up after the inactivity limit', async () => {
    at.server.put('x', 1);
    // Sends nothing, like a connection whose other end is gone.
    at.server.watchFaults.push((_seen, response) => {
      response.writeHead(200).flushHeaders();
      return true;
    });
    const { informer, failures } = start({ inactivityMs: 60 });
    await informer.synced;
    at.server.put('x', 2);
    await same(informer);
    expect(failures()[0]).toBe('Timeout');
  });

  test('without an answer, it is given up after the request timeout', async () => {
    at.server.watchFaults.push(() => true);
    const { informer, failures } = start({ client: at.server.client({ timeoutMs: 60 }) });
    await informer.synced;
    at.server.put('x', 1);
    await same(informer);
    expect(failures()[0]).toBe('Timeout');
  });

  test('by invalid lines, the informer continues', async () => {
    for (const line of [
      'nonsense',
      '[]',
      '{"type":"ADDED"}',
      '{"type":"STRANGE","object":{"metadata":{"resourceVersion":"1"}}}',
    ])
      at.server.watchFaults.push((_seen, response) => {
        response.end(`${line}\n`);
        return true;
      });
    const { informer } = start();
    await informer.synced;
    at.server.put('x', 1);
    await eventually(() => expect(at.server.watches().length).toBeGreaterThanOrEqual(5));
    await watching();
    at.server.put('y', 1);
    await same(informer);
  });

  test('repeatedly as soon as it is open, the informer waits between attempts', async () => {
    for (let round = 0; round < 6; round += 1)
      at.server.watchFaults.push((_seen, response) => {
        response.end();
        return true;
      });
    const { informer, logged } = start({ random: () => 0, now: () => 0 });
    await informer.synced;
    at.server.put('x', 1);
    await same(informer);
    expect(logged.map(({ fields }) => fields)).toMatchObject(
      [2, 4, 8, 10, 10, 10].map((waitMs, index) => ({ waitMs, failures: index + 1 })),
    );
  });
});

describe('when the server fails', () => {
  test.each([500, 503, 403, 401, 404])('a list that is answered with %i is retried until it works', async (code) => {
    at.server.put('x', 1);
    for (let round = 0; round < 4; round += 1)
      at.server.listFaults.push((_seen, response) => {
        refuse(response, code, 'InternalError');
        return true;
      });
    const { informer, logged } = start();
    await informer.synced;
    await same(informer);
    expect(logged.map(({ message }) => message)).toEqual([
      code === 403
        ? 'the API server forbids to list or watch a resource, or the namespace does not exist'
        : 'list or watch interrupted',
      'list or watch failed again',
      'list or watch failed again',
      'list or watch failed again',
    ]);
  });

  test.each(['list', 'watch'] as const)(
    'a %s answered with 429 is not asked for again before Retry-After',
    async (kind) => {
      const askedMs: number[] = [];
      const faults = kind === 'list' ? at.server.listFaults : at.server.watchFaults;
      faults.push(
        (_seen, response) => {
          askedMs.push(performance.now());
          refuse(response, 429, 'TooManyRequests', { 'retry-after': '1' });
          return true;
        },
        () => {
          askedMs.push(performance.now());
          return false;
        },
      );
      const { informer } = start();
      await informer.synced;
      at.server.put('x', 1);
      await same(informer);
      expect((askedMs[1] ?? 0) - (askedMs[0] ?? 0)).toBeGreaterThanOrEqual(990);
    },
  );

  test('a watch that is refused again and again leads to a new list', async () => {
    for (let round = 0; round < 3; round += 1)
      at.server.watchFaults.push((_seen, response) => {
        refuse(response, 504, 'Timeout');
        return true;
      });
    const { informer } = start();
    await eventually(() => expect(at.server.lists()).toHaveLength(2));
    at.server.put('x', 1);
    await same(informer);
  });

  test('the informer waits for a server that does not run yet', async () => {
    at.server.put('x', 1);
    const { port } = new URL(at.server.url);
    await at.server.stop();
    const { informer, logged } = start();
    await eventually(() => expect(logged.length).toBeGreaterThan(2));
    expect(JSON.stringify(logged)).toContain('ECONNREFUSED');
    at.server = new ApiServer();
    await at.server.start(Number(port));
    at.server.put('y', 1);
    await same(informer);
  });
});
