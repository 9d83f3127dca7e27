import { expect, test } from '@jest/globals';
import { areLeaseTimes } from '../../../src/leader-election/lease.ts';

test.each([
  [15_000, 10_000, 2_000, true],
  [10_000, 10_000, 2_000, false],
  [15_000, 2_400, 2_000, false],
  [15_000, 2_401, 2_000, true],
])(
  'a lease duration of %i, a deadline of %i and a retry period of %i ms are valid: %s',
  (leaseDurationMs, renewDeadlineMs, retryPeriodMs, isValid) => {
    expect(areLeaseTimes({ leaseDurationMs, renewDeadlineMs, retryPeriodMs })).toBe(isValid);
  },
);
