import { describe, expect, test } from '@jest/globals';
import { parseQuery } from '../../../../sandbox/sumologic/query.ts';
import { messageTime, parseSearchTime } from '../../../../sandbox/sumologic/time.ts';

const message = {
  line: '2025-06-18T21:02:36Z konghq.com CEF:0|KongInc|Konnect|1.0|konnect|Authz.control-planes|1|action=list granted=true',
  source: 'Konnect',
  category: 'Http Input',
};

function matches(query: string): boolean | string {
  const parsed = parseQuery(query);
  return parsed.kind === 'query' ? parsed.matches(message) : parsed.message;
}

describe('a query', () => {
  test.each([
    '_sourcecategory="Http Input"',
    '_sourceCategory="http input"',
    '_source=Konnect',
    '_source="konnect"',
    '_source = kon*',
    '_source=Konnect AND _sourcecategory="Http*"',
    '_source=Konnect Authz.control-planes',
    '_source=Konnect "action=list granted"',
    'authz',
    'Auth*',
    '*',
  ])('%s finds the line', (query) => {
    expect(matches(query)).toBe(true);
  });

  test.each([
    '_source=Kong',
    '_sourcecategory="Http"',
    '_sourcecategory=Http Input',
    '_source=Konnect Auth',
    'k.nnect',
  ])('%s does not find the line', (query) => {
    expect(matches(query)).toBe(false);
  });

  test.each([
    '',
    '  ',
    'a OR b',
    'NOT a',
    '!a',
    '(a)',
    '_collector=x',
    'granted=true',
    '_source=',
    '"open',
    '* | count by _source',
  ])('%s is refused', (query) => {
    expect(parseQuery(query).kind).toBe('invalid');
  });
});

describe('a search time', () => {
  test.each([
    [1750688927556, 'UTC', 1750688927556],
    ['1750688927556', 'UTC', 1750688927556],
    ['2025-06-23T14:28:47', 'UTC', Date.parse('2025-06-23T14:28:47Z')],
    ['2025-06-23T14:28:47', 'Europe/Berlin', Date.parse('2025-06-23T12:28:47Z')],
    ['2025-03-30T03:00:00', 'Europe/Berlin', Date.parse('2025-03-30T01:00:00Z')],
    ['2025-01-01T00:00:00', 'America/New_York', Date.parse('2025-01-01T05:00:00Z')],
  ])('%s in %s is read', (value, timeZone, expected) => {
    expect(parseSearchTime(value, timeZone)).toBe(expected);
  });

  test.each([
    '-15m',
    'now',
    '2025-06-23',
    '2025-06-23T14:28:47.123',
    '2025-06-23T14:28:47+02:00',
    '2025-13-23T14:28:47',
    -1,
  ])('%s is refused', (value) => {
    expect(parseSearchTime(value, 'UTC')).toBeUndefined();
  });

  test('of a line is the first timestamp in it', () => {
    expect(messageTime(message.line)).toBe(Date.parse('2025-06-18T21:02:36Z'));
    expect(messageTime('{"event":{"event_ts":"2025-06-18T21:02:36Z"}}')).toBe(Date.parse('2025-06-18T21:02:36Z'));
    expect(messageTime('no time at all')).toBeUndefined();
  });
});
