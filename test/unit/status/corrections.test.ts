import { describe, expect, test } from '@jest/globals';
import {
  isContested,
  withCorrection,
  withoutAnyCorrections,
  withoutCorrections,
} from '../../../src/status/corrections.ts';
import type { RecordedState } from '../../../src/status/recorded-state.ts';

const now = new Date('2026-01-02T00:00:00Z');
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const after = (...hours: number[]) =>
  hours.reduce<RecordedState>((recorded, ago) => withCorrection(recorded, 'destination', hoursAgo(ago)), {});

describe('an object is contested', () => {
  test.each([
    [[], false],
    [[3, 2], false],
    [[3, 2, 1], true],
    [[23.9, 2, 1], true],
    [[24, 2, 1], false],
    [[25, 2, 1], false],
    [[30, 29, 28], false],
    [[5, 4, 3, 2, 1], true],
    [[26, 25, 3, 2], false],
  ] as const)('corrected %j hours ago: %j', (hours, expected) => {
    expect(isContested(after(...hours), 'destination', now.getTime())).toBe(expected);
  });

  test('objects are counted separately', () => {
    expect(isContested(after(3, 2, 1), 'organization', now.getTime())).toBe(false);
  });
});

test('at most three corrections are kept, and none that is older than a day', () => {
  expect(after(5, 4, 3, 2, 1).corrections).toEqual([
    { object: 'destination', at: [3, 2, 1].map((hours) => hoursAgo(hours).toISOString()) },
  ]);
  expect(after(40, 1).corrections).toEqual([{ object: 'destination', at: [hoursAgo(1).toISOString()] }]);
});

test('corrections are removed for one object or for all, and the last one removes the list', () => {
  const recorded: RecordedState = { ...withCorrection(after(1), 'organization', now), portalsReady: '1/1' };
  const one = withoutCorrections(recorded, 'destination');
  expect(one.corrections).toEqual([{ object: 'organization', at: [now.toISOString()] }]);
  expect(withoutCorrections(one, 'organization')).toEqual({ portalsReady: '1/1' });
  expect(withoutAnyCorrections(recorded)).toEqual({ portalsReady: '1/1' });
});
