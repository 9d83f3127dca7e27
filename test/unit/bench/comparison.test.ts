import { describe, expect, test } from '@jest/globals';
import { compare, ratioTo, verdictsOf } from '../../bench/comparison.ts';
import type { FigureResult, RowResult } from '../../bench/results.ts';

const seconds = (ours: number[], others: Record<string, number[]> = {}): FigureResult => ({
  name: 'seconds',
  unit: 's',
  values: { ours, ...others },
});

function result(figure: FigureResult, forwardings = 300): RowResult {
  const run = { title: 'a row', measuredAt: '', commit: '', machine: {}, versions: {} };
  return { row: 'row', forwardings, figures: [figure], ...run };
}

describe('ratioTo', () => {
  test('divides the medians', () => {
    expect(ratioTo(seconds([1, 2, 30], { go: [4, 4, 4] }), 'go')).toBe(0.5);
  });

  test('is undefined without the other, or if that is 0', () => {
    expect(ratioTo(seconds([1]), 'go')).toBeUndefined();
    expect(ratioTo(seconds([1], { go: [0] }), 'go')).toBeUndefined();
  });
});

describe('verdictsOf', () => {
  test('looks at the ratio or at the value', () => {
    const targets = [{ ratioTo: 'go', limit: 0.6 }, { limit: 3 }];
    const verdicts = verdictsOf({ ...seconds([4], { go: [8] }), targets });
    expect(verdicts.map(({ reached, isMet }) => [reached, isMet])).toEqual([
      [0.5, true],
      [4, false],
    ]);
  });

  test('turns around where more is better, and leaves out what was not measured', () => {
    const targets = [
      { ratioTo: 'bare', limit: 0.8 },
      { ratioTo: 'go', limit: 1.5 },
    ];
    const verdicts = verdictsOf({ ...seconds([9], { bare: [10] }), better: 'more', targets });
    expect(verdicts.map(({ isMet }) => isMet)).toEqual([true]);
  });
});

describe('compare', () => {
  const regressions = (then: RowResult[], now: RowResult[]) => compare(then, now).worse;
  const before = [result(seconds([10], { go: [20] }))];

  test('allows a third, and a machine that is slower for both', () => {
    expect(regressions(before, [result(seconds([13], { go: [20] }))])).toEqual([]);
    expect(regressions(before, [result(seconds([50], { go: [100] }))])).toEqual([]);
  });

  test('names a ratio that is worse by more', () => {
    expect(regressions(before, [result(seconds([14], { go: [20] }))])).toEqual([
      'row, seconds, 300 forwardings: ratio to go was 0.50 and is 0.70',
    ]);
  });

  const count = (value: number): FigureResult => ({ ...seconds([value]), isCount: true });

  test('compares a count by itself, and nothing else without the other contender', () => {
    expect(regressions([result(count(10))], [result(count(14))])).toEqual([
      'row, seconds, 300 forwardings was 10.00 and is 14.00',
    ]);
    expect(regressions([result(seconds([10]))], [result(seconds([99]))])).toEqual([]);
  });

  test('names a count that was 0', () => {
    expect(regressions([result(count(0))], [result(count(1))])).toHaveLength(1);
  });

  test('turns around where more is better', () => {
    const rate = (value: number): FigureResult => ({ ...seconds([value], { go: [10] }), better: 'more' });
    expect(regressions([result(rate(20))], [result(rate(16))])).toEqual([]);
    expect(regressions([result(rate(20))], [result(rate(14))])).toHaveLength(1);
  });

  test('says how much it compared', () => {
    expect(compare(before, before).compared).toBe(1);
    expect(compare([], before).compared).toBe(0);
  });

  test('compares only rows with the same number of forwardings', () => {
    expect(regressions(before, [result(seconds([99], { go: [20] }), 1_000)])).toEqual([]);
  });
});
