/** No write is sent after the fence was closed, at whatever stage it was. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { EventRecorder } from '../../../src/kube/events.ts';
import { FencedError } from '../../../src/runtime/write-fence.ts';
import { eventually } from '../../support/eventually.ts';
import { ApiServer, json, WIDGETS } from './api-server.ts';

const refused = new FencedError('not led');
let server: ApiServer;

beforeEach(async () => {
  server = new ApiServer();
  await server.start();
  server.otherwise = (_seen, response) => {
    json(response, 200, { metadata: { name: 'x' } });
    return true;
  };
});

afterEach(() => server.stop());

/** Returns a fence that allows this many writes. */
function fenceAfter(times: number): () => void {
  let left = times;
  return () => {
    left -= 1;
    if (left < 0) throw refused;
  };
}

test('a closed fence stops every write before it is sent, but no read', async () => {
  const client = server.client({ fence: fenceAfter(0) });
  await client.get(`${WIDGETS}/x`);
  const writes = [
    client.create(WIDGETS, {}),
    client.patch(`${WIDGETS}/x`, { kind: 'merge', body: {} }),
    client.patch(`${WIDGETS}/x`, { kind: 'json', operations: [] }),
  ];
  for (const write of writes) await expect(write).rejects.toBe(refused);
  expect(server.seen.map(({ method }) => method)).toEqual(['GET']);
});

test.each([
  ['new', false],
  ['kept', true],
])('a fence that closes while a write waits for its %s connection stops it', async (_which, kept) => {
  const client = server.client({ fence: fenceAfter(1) });
  if (kept) await client.get(`${WIDGETS}/x`);
  // Lets the pool notice that the connection is free again.
  await turn();
  await expect(client.patch(`${WIDGETS}/x`, { kind: 'merge', body: {} })).rejects.toBe(refused);
  expect(server.connections).toBe(1);
  expect(server.seen.map(({ method }) => method)).toEqual(kept ? ['GET'] : []);
});

test('an allowed write is sent completely, with its length, and the connection is kept', async () => {
  const client = server.client({ fence: () => undefined });
  const body = { text: 'ü'.repeat(100_000) };
  await client.create(WIDGETS, body);
  await turn();
  await client.patch(`${WIDGETS}/x`, { kind: 'merge', body });
  expect(server.seen.slice(0, 2).map((seen) => JSON.parse(seen.body))).toEqual([body, body]);
  for (const { body: sent, headers } of server.seen) {
    expect(headers['content-length']).toBe(String(Buffer.byteLength(sent)));
    expect(headers['transfer-encoding']).toBeUndefined();
  }
  expect(server.connections).toBe(1);
});

test('an event that may not be written is dropped and not logged', async () => {
  const said: string[] = [];
  const write = (_fields: object, message: string) => void said.push(message);
  const asked: unknown[] = [];
  const recorder = new EventRecorder({
    client: server.client({
      fence: () => {
        asked.push(1);
        throw refused;
      },
    }),
    log: { debug: write, info: write, warn: write, error: write },
    reportingInstance: 'test',
  });
  const stop = new AbortController();
  const ended = recorder.run(stop.signal);
  const regarding = { apiVersion: 'v1', kind: 'Widget', namespace: 'a', name: 'x', uid: 'u' };
  recorder.record({ regarding, type: 'Normal', reason: 'Made', action: 'Make', note: 'made' });
  await eventually(() => expect(asked).toHaveLength(1));
  stop.abort();
  await ended;
  expect([said, asked.length, server.seen]).toEqual([[], 1, []]);
});
