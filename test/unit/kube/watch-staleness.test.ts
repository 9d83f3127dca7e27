import { expect, test } from '@jest/globals';
import { silenceMs, staleWatches } from '../../../src/kube/watch-staleness.ts';

const synced = (resource: string, silentMs: number) => ({ resource, silentMs, hasSynced: true });
const unsynced = (resource: string, silentMs: number) => ({ resource, silentMs, hasSynced: false });

test.each([
  [[synced('secrets', 0), synced('widgets', 180_000)], undefined],
  [[synced('secrets', 180_001), synced('widgets', 0)], 'no data from the API server for 180 s: secrets'],
  [[synced('secrets', 181_000), synced('widgets', 300_400)], 'no data from the API server for 300 s: secrets, widgets'],
  [[synced('secrets', 9), synced('secrets', 200_000)], 'no data from the API server for 200 s: secrets'],
  [[unsynced('secrets', 5), unsynced('secrets', 5), synced('widgets', 0)], 'not listed yet: secrets'],
  [[], undefined],
])('%j: %s', (informers, words) => {
  expect(staleWatches(informers, 180_000)).toBe(words);
});

test('of several informers of one resource, the longest silence counts', () => {
  const silence = silenceMs([
    synced('secrets', 5),
    synced('widgets', 2),
    synced('secrets', 70),
    unsynced('secrets', 6),
  ]);
  expect(Object.fromEntries(silence)).toEqual({ secrets: 70, widgets: 2 });
});
