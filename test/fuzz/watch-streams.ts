/** Invalid lists and watches of Kubernetes, from which an informer must recover. */

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { Informer } from '../../src/kube/informer.ts';
import { keyOf } from '../../src/kube/objects.ts';
import { anyCharacter } from '../support/any-character.ts';
import { eventually } from '../support/eventually.ts';
import { ApiServer, type Fault, json, WIDGETS, type Widget } from '../unit/kube/api-server.ts';
import { type Mutation, mutate, mutation } from './json-mutation.ts';
import { alone, type Part } from './part.ts';

const maxLineBytes = 32_768;
const inactivityMs = 150;

interface Line {
  readonly kind: 'event';
  readonly type: string;
  readonly mutations: readonly Mutation[];
}

const line: fc.Arbitrary<Line | { readonly kind: 'raw'; readonly text: string }> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'SYNC', '', 'added'),
      mutations: fc.array(mutation, { maxLength: 2 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('raw' as const),
      text: fc.oneof(
        fc.constantFrom(
          '',
          ' ',
          'null',
          '0',
          '[]',
          '{}',
          '"x"',
          '<html></html>',
          '{"type":"ADDED"}',
          '{"type":"ADDED","object":null}',
          '{"type":"ADDED","object":{"metadata":null}}',
          '{"type":"BOOKMARK","object":{"metadata":{}}}',
          '{"type":"ERROR"}',
          '{"type":"ERROR","object":{"code":"410"}}',
          '\u0000',
          '\uFEFF{}',
          'x'.repeat(40_000),
          '['.repeat(20_000),
        ),
        fc.string({ unit: anyCharacter, maxLength: 200 }),
      ),
    }),
  },
);

const ending = fc.constantFrom('end', 'reset', 'half', 'silence', 'gzip', 'empty', 'not ok' as const);

const hostile = fc.oneof(
  fc.record({
    what: fc.constant('watch' as const),
    lines: fc.array(line, { maxLength: 6 }),
    cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 4 }),
    ending,
  }),
  fc.record({
    what: fc.constant('list' as const),
    mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }),
    page: fc.nat({ max: 2 }),
  }),
  fc.record({
    what: fc.constant('list bytes' as const),
    text: fc.oneof(
      fc.constantFrom(
        '',
        'null',
        '[]',
        '{}',
        '<html>',
        '{"items":',
        '['.repeat(100_000),
        `{"items":[${'{},'.repeat(50_000)}{}],"metadata":{"resourceVersion":"1"}}`,
      ),
      fc.string({ unit: anyCharacter }),
    ),
  }),
);

type Hostile = typeof hostile extends fc.Arbitrary<infer T> ? T : never;

const situation = fc.record({
  deeds: fc.array(hostile, { minLength: 1, maxLength: 5 }),
  before: fc.integer({ min: 0, max: 5 }),
});
type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

async function play({ deeds, before }: Situation): Promise<boolean> {
  const server = new ApiServer();
  await server.start();
  for (let index = 0; index < before; index += 1) server.put(`p${String(index)}`, index);
  const sent = { isBelievable: false };
  for (const deed of deeds) {
    const faults = deed.what === 'watch' ? server.watchFaults : server.listFaults;
    if (deed.what === 'list') for (let page = 0; page < deed.page; page += 1) faults.push(() => false);
    faults.push(faultFor(deed, server, sent));
  }
  const lines: string[] = [];
  const note = (fields: object, message: string) => lines.push(message + String('err' in fields ? fields.err : ''));
  const informer = new Informer<Widget>({
    client: server.client({ timeoutMs: 2_000, maxLineBytes, maxAnswerBytes: 2 ** 20 }),
    path: WIDGETS,
    pageSize: 2,
    inactivityMs,
    backOff: { baseMs: 1, maxMs: 3 },
    log: { debug: note, info: note, warn: note, error: note },
    onChange: () => undefined,
  });
  const stop = new AbortController();
  let ended = false;
  const running = informer.run(stop.signal).finally(() => (ended = true));
  try {
    // The faults happen in order: a watch must begin before it can be changed.
    for (const how of ['end', 'reset', 'end'] as const) {
      await eventually(() => assert.ok(server.openWatches > 0 || server.watchFaults.length === 0, 'no watch'), {
        everyMs: 2,
        timeoutMs: 5_000,
      });
      if (server.watchFaults.length > 0) server.breakWatches(how);
    }
    server.watchFaults.length = 0;
    server.listFaults.length = 0;
    server.put('after', 1);
    await eventually(
      () => {
        // The informer cannot detect well-formed false content before the next list.
        if (sent.isBelievable) {
          server.compact();
          server.breakWatches({ code: 410, reason: 'Expired' });
        }
        const same = isDeepStrictEqual(byKey(informer.store.list()), byKey(server.objects));
        assert.ok(same, 'the cache is not what the server has');
      },
      { everyMs: 20, timeoutMs: 8_000 },
    );
    await informer.synced;
    assert.equal(ended, false, 'the informer has ended');
    assert.ok(!lines.some((one) => one.includes('test-token')), 'a credential was logged');
  } finally {
    stop.abort();
    await running;
    await server.stop();
  }
  return true;
}

function faultFor(deed: Hostile, server: ApiServer, sent: { isBelievable: boolean }): Fault {
  return (_seen, response) => {
    if (deed.what === 'list bytes') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(deed.text);
      return true;
    }
    if (deed.what === 'list') {
      const unchanged = {
        kind: 'WidgetList',
        metadata: { resourceVersion: String(server.revision) },
        items: server.objects,
      };
      const changed = mutate(unchanged, deed.mutations);
      // The informer believes every well-formed list.
      sent.isBelievable = true;
      json(response, 200, typeof changed === 'object' && changed !== null ? changed : [changed]);
      return true;
    }
    stream(deed, server, sent, response);
    return true;
  };
}

function stream(
  deed: Extract<Hostile, { what: 'watch' }>,
  server: ApiServer,
  sent: { isBelievable: boolean },
  response: ServerResponse,
): void {
  if (deed.ending === 'not ok') {
    response.writeHead(500, { 'content-type': 'text/html' });
    response.end('<html>');
    return;
  }
  const text = deed.lines
    .map((one) => {
      if (one.kind === 'raw') return one.text;
      const [object = { metadata: { name: 'q', namespace: 'a', uid: 'uid-q', resourceVersion: '7' } }] = server.objects;
      const changed = mutate({ type: one.type, object }, one.mutations);
      sent.isBelievable ||= isBelievable(changed);
      return JSON.stringify(changed) ?? '';
    })
    .join('\n');
  const whole = Buffer.from(deed.ending === 'half' ? text : `${text}\n`);
  const bytes = deed.ending === 'gzip' ? gzipSync(whole) : deed.ending === 'empty' ? Buffer.alloc(0) : whole;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  let from = 0;
  for (const cut of deed.cuts.toSorted((a, b) => a - b)) {
    const to = Math.min(Math.max(from, cut), bytes.length);
    response.write(bytes.subarray(from, to));
    from = to;
  }
  response.write(bytes.subarray(from), () => {
    if (deed.ending === 'reset') response.destroy();
    else if (deed.ending !== 'silence') response.end();
  });
}

/** Returns an event of a well-formed object, with possibly false content. */
function isBelievable(event: unknown): boolean {
  if (typeof event !== 'object' || event === null || !('type' in event) || !('object' in event)) return false;
  const { type, object } = event;
  if (
    !['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'].includes(String(type)) ||
    typeof object !== 'object' ||
    object === null
  )
    return false;
  const metadata: unknown = 'metadata' in object ? object.metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null) return false;
  const { name, uid, resourceVersion, namespace }: Record<string, unknown> = { ...metadata };
  const texts = type === 'BOOKMARK' ? [resourceVersion] : [name, uid, resourceVersion, namespace ?? 'x'];
  return texts.every((one) => typeof one === 'string' && one !== '');
}

function byKey(objects: Widget[]): Map<string, Widget> {
  return new Map(objects.map((object) => [keyOf(object), object]));
}

export const watchStreams: Part = { name: 'watch', runsInTest: 30, open: alone(fc.asyncProperty(situation, play)) };
