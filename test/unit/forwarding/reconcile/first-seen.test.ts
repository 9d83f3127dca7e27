import { expect, test } from '@jest/globals';
import { FirstSeen } from '../../../../src/forwarding/reconcile/first-seen.ts';

function setUp() {
  const clock = { ms: 5_000 };
  return { clock, ages: new FirstSeen(() => clock.ms, 8) };
}

test('are counted from the first call, not from the value of the time', () => {
  const { clock, ages } = setUp();
  for (const time of ['1999-01-01T00:00:00Z', '2099-01-01T00:00:00Z']) expect(ages.ageMs('a', time)).toBe(0);
  clock.ms += 30_000;
  for (const time of ['1999-01-01T00:00:00Z', '2099-01-01T00:00:00Z']) expect(ages.ageMs('a', time)).toBe(30_000);
});

test('are each owner’s own, forgotten with it, and kept of no more times than it can need', () => {
  const { clock, ages } = setUp();
  ages.ageMs('a', 'first');
  ages.ageMs('b', 'first');
  clock.ms += 1_000;
  ages.forget('b');
  expect([ages.ageMs('a', 'first'), ages.ageMs('b', 'first')]).toEqual([1_000, 0]);
  for (let count = 0; count < 8; count += 1) ages.ageMs('a', `later ${String(count)}`);
  expect(ages.ageMs('a', 'first')).toBe(0);
});
