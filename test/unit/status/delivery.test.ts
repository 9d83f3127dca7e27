import { describe, expect, test } from '@jest/globals';
import { isSwitchOnDue, type SeenDelivery, switchOnInMs, withDeliveries } from '../../../src/status/delivery.ts';
import type { RecordedState } from '../../../src/status/recorded-state.ts';

const start = Date.parse('2026-01-02T03:04:05Z');
const at = (minutes: number) => new Date(start + minutes * 60_000);
const none: ReadonlySet<string> = new Set();

function look(recorded: RecordedState, state: SeenDelivery | undefined, minutes: number, switchedOn = none) {
  return withDeliveries(recorded, new Map([['p', state]]), switchedOn, at(minutes));
}

describe('a webhook that Konnect switched off', () => {
  test('may be switched on after a minute, then after twice the last wait, at most an hour', () => {
    let recorded = look({}, 'SwitchedOff', 0);
    const waits: number[] = [];
    for (let minutes = 0; waits.length < 8; minutes += 1) {
      recorded = look(recorded, 'SwitchedOff', minutes);
      if (!isSwitchOnDue(recorded, 'p', at(minutes))) continue;
      waits.push(minutes - waits.reduce((sum, wait) => sum + wait, 0));
      recorded = look(recorded, 'SwitchedOff', minutes, new Set(['p']));
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test.each<[SeenDelivery | undefined, boolean]>([
    ['SwitchedOff', true],
    ['Failing', true],
    ['NoAttemptYet', true],
    [undefined, true],
    ['Delivered', false],
  ])('that is %s next keeps its wait: %s', (state, isKept) => {
    const recorded = look({}, 'SwitchedOff', 0);
    expect(look(recorded, state, 5)).toEqual(isKept ? recorded : {});
  });

  test('is forgotten if the operator no longer looks at it', () => {
    expect(withDeliveries(look({}, 'SwitchedOff', 0), new Map(), none, at(1))).toEqual({});
  });

  test('is due if the clock was set back since its wait was recorded', () => {
    const recorded = look({}, 'SwitchedOff', 0);
    expect([at(-1), at(0), at(0.5), at(1)].map((now) => isSwitchOnDue(recorded, 'p', now))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});

test('a webhook that Konnect has not switched off is not recorded, and never due', () => {
  for (const state of ['Delivered', 'Failing', 'NoAttemptYet', undefined] as const) {
    expect(look({}, state, 0)).toEqual({});
  }
  expect(isSwitchOnDue({}, 'p', at(0))).toBe(false);
});

test('the next reconciliation is due when the first wait ends', () => {
  const one = withDeliveries({}, new Map([['p', 'SwitchedOff']]), none, at(0));
  const both = withDeliveries(
    one,
    new Map([
      ['p', 'SwitchedOff'],
      ['q', 'SwitchedOff'],
    ]),
    none,
    at(0.5),
  );
  expect(switchOnInMs(both, at(0.5))).toBe(30_000);
  expect(switchOnInMs(both, at(1))).toBe(30_000);
  expect(switchOnInMs(both, at(2))).toBeUndefined();
  expect(switchOnInMs({}, at(0))).toBeUndefined();
});
