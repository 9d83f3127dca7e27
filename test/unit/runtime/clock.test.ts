import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { systemClock } from '../../../src/runtime/clock.ts';

const dayMs = 24 * 3_600_000;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

function scheduled(delayMs: number) {
  const calledAt: number[] = [];
  const startMs = systemClock.now();
  const cancel = systemClock.schedule(() => calledAt.push(systemClock.now() - startMs), delayMs);
  return { calledAt, cancel };
}

test('calls back once, after the delay', () => {
  const { calledAt } = scheduled(1_000);
  jest.advanceTimersByTime(5_000);
  expect(calledAt).toEqual([1_000]);
});

test('does not call back after it was canceled', () => {
  const { calledAt, cancel } = scheduled(1_000);
  cancel();
  jest.advanceTimersByTime(5_000);
  expect(calledAt).toEqual([]);
});

// Node calls back after 1 ms where a delay is longer than its timers can hold.
test.each([2 ** 31, 400 * dayMs, Number.POSITIVE_INFINITY])(
  'waits for more than 24 days with a delay of %s',
  (delayMs) => {
    const { calledAt } = scheduled(delayMs);
    jest.advanceTimersByTime(24 * dayMs);
    expect(calledAt).toEqual([]);
    jest.advanceTimersByTime(dayMs);
    expect(calledAt).toEqual([2 ** 31 - 1]);
  },
);
