import { describe, expect, test } from '@jest/globals';
import { describeForbidden, silenceMs, staleWatches } from '../../../src/kube/watch-staleness.ts';

const anywhere = { namespace: undefined, isForbidden: false, isOptional: false };
const synced = (resource: string, silentMs: number) => ({ resource, silentMs, hasSynced: true, ...anywhere });
const unsynced = (resource: string, silentMs: number) => ({ resource, silentMs, hasSynced: false, ...anywhere });

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

describe('a namespace that may not be read', () => {
  const forbidden = (resource: string, namespace: string) => ({
    ...unsynced(resource, 400_000),
    namespace,
    isForbidden: true,
  });

  test('is named, and does not count for the probe, if another one may be read', () => {
    const informers = [forbidden('widgets', 'gone'), { ...synced('widgets', 5), namespace: 'team' }];
    expect(staleWatches(informers, 180_000)).toBeUndefined();
    expect(describeForbidden(informers)).toBe('the API server forbids to list or watch widgets in gone');
    expect(Object.fromEntries(silenceMs(informers))).toEqual({ widgets: 5 });
  });

  test('fails the probe if no other one may be read', () => {
    const informers = [forbidden('widgets', 'gone'), { ...synced('secrets', 5), namespace: 'team' }];
    expect(staleWatches(informers, 180_000)).toBe('not listed yet: widgets');
    expect(describeForbidden(informers)).toBeUndefined();
  });

  test('is named, and does not count for the probe, if the process can do without the resource', () => {
    const optional = { ...forbidden('widgets', 'team'), isOptional: true };
    expect(staleWatches([optional], 180_000)).toBeUndefined();
    expect(describeForbidden([optional])).toBe('the API server forbids to list or watch widgets in team');
    expect(describeForbidden([{ ...optional, namespace: undefined }])).toMatch(/widgets in all namespaces$/);
  });
});
