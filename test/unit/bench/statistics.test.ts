import { describe, expect, test } from '@jest/globals';
import { exponentOf, median, quantile, quantileOfBuckets, summarize } from '../../bench/statistics.ts';

describe('quantile', () => {
  test('is a value, or lies between the two nearest', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([10, 20], 0.99)).toBeCloseTo(19.9);
  });

  test('of no values throws', () => {
    expect(() => median([])).toThrow(RangeError);
  });

  test('summarize has the ends as well', () => {
    expect(summarize([5, 1, 9])).toEqual({ median: 5, least: 1, most: 9 });
  });
});

describe('exponentOf', () => {
  const sizes = [10, 100, 1_000];

  test.each([0, 1, 2])('finds the exponent %d', (exponent) => {
    expect(exponentOf(sizes.map((size) => [size, 7 * size ** exponent] as const))).toBeCloseTo(exponent);
  });

  test('needs two sizes', () => {
    expect(() => exponentOf([[10, 1]])).toThrow(RangeError);
    expect(() => exponentOf([])).toThrow(RangeError);
  });
});

describe('quantileOfBuckets', () => {
  const buckets = [
    [0.1, 50],
    [0.5, 90],
    [Number.POSITIVE_INFINITY, 100],
  ] as const;

  test('lies within the bucket that has the rank', () => {
    expect(quantileOfBuckets(buckets, 0.25)).toBeCloseTo(0.05);
    expect(quantileOfBuckets(buckets, 0.7)).toBeCloseTo(0.3);
  });

  test('is the last finite bound above it', () => {
    expect(quantileOfBuckets(buckets, 0.99)).toBe(0.5);
  });

  test('of an empty histogram throws', () => {
    expect(() => quantileOfBuckets([[Number.POSITIVE_INFINITY, 0]], 0.5)).toThrow(RangeError);
  });
});
