/** Lists and watches that no API server sends. */
import { expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { rejection } from '../konnect/scripted-konnect.ts';
import { json, WIDGETS, type Widget } from './api-server.ts';
import { useInformers } from './informers.ts';

const { at, start } = useInformers();
const metadata = { name: 'x', namespace: 'a', uid: 'u', resourceVersion: '7' };

test.each<[string, unknown]>([
  ['an item that is nothing', [null]],
  ['an item without metadata', [{}]],
  ['an item without a name', [{ metadata: { ...metadata, name: undefined } }]],
  ['an item without a uid', [{ metadata: { ...metadata, uid: '' } }]],
  ['an item whose resourceVersion is a number', [{ metadata: { ...metadata, resourceVersion: 7 } }]],
  ['an item whose namespace is a list', [{ metadata: { ...metadata, namespace: ['a'] } }]],
  ['items that are no list', { length: 1 }],
  ['no items at all', undefined],
])('a list with %s is retried, and missing objects do not count as deleted', async (_what, items) => {
  at.server.put('there', 1);
  at.server.listFaults.push((_seen, response) => {
    json(response, 200, { kind: 'WidgetList', metadata: { resourceVersion: '10' }, items });
    return true;
  });
  const { informer, summaries } = start();
  await informer.synced;
  expect(summaries()).toEqual(['added a/there 1']);
});

test('an empty list may be null, as Go encodes it', async () => {
  at.server.listFaults.push((_seen, response) => {
    json(response, 200, { kind: 'WidgetList', metadata: { resourceVersion: '10' }, items: null });
    return true;
  });
  expect(await at.server.client().list(WIDGETS)).toMatchObject({ items: [] });
});

test('a list that is only null is a KubeError', async () => {
  at.server.listFaults.push((_seen, response) => {
    response.end('null');
    return true;
  });
  expect(await rejection(at.server.client().list(WIDGETS))).toMatchObject({ name: 'KubeError', kind: 'Other' });
});

test.each<[string, unknown]>([
  ['null', null],
  ['no object', { type: 'ADDED', object: null }],
  ['an object without a name', { type: 'ADDED', object: { metadata: { ...metadata, name: '' } } }],
  ['an object without a uid', { type: 'MODIFIED', object: { metadata: { ...metadata, uid: undefined } } }],
  ['a namespace that is a number', { type: 'DELETED', object: { metadata: { ...metadata, namespace: 7 } } }],
  ['a bookmark without a resourceVersion', { type: 'BOOKMARK', object: { metadata: {} } }],
])('a watch with %s is restarted, and nothing of it is stored', async (_what, event) => {
  at.server.put('there', 1);
  at.server.watchFaults.push((_seen, response) => {
    at.server.startWatch(response);
    response.write(`${JSON.stringify(event)}\n`);
    return true;
  });
  const { informer } = start();
  await eventually(() => expect(at.server.watches().length).toBeGreaterThanOrEqual(2));
  at.server.put('later', 2);
  const names = (objects: Widget[]) => objects.map(({ metadata: { name } }) => name).toSorted();
  await eventually(() => expect(names(informer.store.list())).toEqual(['later', 'there']));
});
