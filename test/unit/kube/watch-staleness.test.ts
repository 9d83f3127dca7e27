import { expect, test } from '@jest/globals';
import { deafness, silenceMs } from '../../../src/kube/watch-staleness.ts';

const heard = (resource: string, silentMs: number) => ({ resource, silentMs, hasHeard: true });
const mute = (resource: string, silentMs: number) => ({ resource, silentMs, hasHeard: false });

test.each([
  [[heard('secrets', 0), heard('widgets', 180_000)], undefined],
  [[heard('secrets', 180_001), heard('widgets', 0)], 'the API server has told nothing of secrets for 180 s'],
  [
    [heard('secrets', 181_000), heard('widgets', 300_400)],
    'the API server has told nothing of secrets, widgets for 300 s',
  ],
  [[heard('secrets', 9), heard('secrets', 200_000)], 'the API server has told nothing of secrets for 200 s'],
  [[mute('secrets', 5), mute('secrets', 5), heard('widgets', 0)], 'the API server has not yet told of secrets'],
  [[], undefined],
])('%j: %s', (informers, words) => {
  expect(deafness(informers, 180_000)).toBe(words);
});

test('of several informers of one resource, the deafest counts', () => {
  const silence = silenceMs([heard('secrets', 5), heard('widgets', 2), heard('secrets', 70), mute('secrets', 6)]);
  expect(Object.fromEntries(silence)).toEqual({ secrets: 70, widgets: 2 });
});
