import { expect, test } from '@jest/globals';
import { rateLimitOf } from '../../../src/konnect/rate-limit.ts';

const minute = { 'x-ratelimit-limit-minute': '600', 'x-ratelimit-remaining-minute': '599' };

test.each<[string, Record<string, string>, object | undefined]>([
  ['no header', {}, undefined],
  [
    'the headers of the draft',
    { 'ratelimit-limit': '3000', 'ratelimit-remaining': '0' },
    { limit: 3_000, remaining: 0 },
  ],
  ['the headers of a minute', minute, { limit: 600, remaining: 599 }],
  ['both', { ...minute, 'ratelimit-limit': '10', 'ratelimit-remaining': '1' }, { limit: 10, remaining: 1 }],
  ['only one of two', { 'ratelimit-limit': '3000' }, undefined],
  ['text', { 'ratelimit-limit': 'many', 'ratelimit-remaining': '1' }, undefined],
  ['a negative number', { 'ratelimit-limit': '10', 'ratelimit-remaining': '-1' }, undefined],
])('the limit of an answer with %s', (_what, headers, expected) => {
  expect(rateLimitOf((name) => headers[name])).toEqual(expected);
});
