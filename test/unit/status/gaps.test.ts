import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type DeliveryStatus, type GapStatus, maxEarlierGaps } from '../../../src/api/v1alpha1.ts';
import {
  type GapCause,
  type GapNews,
  gapAfter,
  gapsOf,
  withGapOpen,
  withGaps,
  withoutPeriod,
} from '../../../src/status/gaps.ts';

const start = Date.parse('2026-01-02T03:00:00Z');
const at = (minutes: number) => new Date(start + minutes * 60_000);
const time = (minutes: number) => at(minutes).toISOString();
const now = at(60);

const failing: GapCause = { isForeign: false, observedTime: time(30), attemptTime: time(55), now };
const foreign: GapCause = { ...failing, isForeign: true };
const entry: DeliveryStatus = { key: 'p', state: 'Failing' };

function period(from: number, to?: number): GapStatus {
  return { from: time(from), ...(to === undefined ? {} : { to: time(to) }) };
}

describe('a gap begins', () => {
  test.each<[string, Partial<DeliveryStatus>, string]>([
    ['at the last delivery', { lastDeliveredTime: time(40), since: time(10) }, time(40)],
    [
      'when the webhook was attached, if nothing was delivered since',
      { lastDeliveredTime: time(5), since: time(10) },
      time(10),
    ],
    ['at the last comparison of an unknown webhook', {}, time(30)],
    ['at the last comparison if status is no time', { lastDeliveredTime: 'yesterday' }, time(30)],
  ])('%s', (_, known, from) => {
    expect(withGapOpen({ ...entry, ...known }, failing).gap).toEqual({ from });
  });

  test.each<[string, GapCause, string]>([
    ['at the failed attempt', { ...failing, observedTime: undefined }, time(55)],
    ['now', { ...failing, observedTime: undefined, attemptTime: undefined }, time(60)],
  ])('%s, if nothing else is known', (_, cause, from) => {
    expect(withGapOpen(entry, cause).gap).toEqual({ from });
  });

  test('and waits for a delivery after now, if another client keeps the logs away', () => {
    const opened = withGapOpen({ ...entry, lastDeliveredTime: time(40) }, foreign);
    expect(opened.gap).toEqual({ from: time(40), closesAfter: time(60) });
    expect(withGapOpen(opened, { ...foreign, now: at(90) })).toBe(opened);
    expect(withGapOpen(opened, { ...failing, now: at(90) })).toBe(opened);
  });

  test('once, however long the webhook fails', () => {
    const opened = withGapOpen(entry, failing);
    expect(withGapOpen(opened, { ...failing, now: at(90) })).toBe(opened);
    expect(withGapOpen(opened, foreign).gap).toEqual({ from: time(30), closesAfter: time(60) });
  });

  test('after the last one, which stays until it is replayed', () => {
    const ended = { ...entry, gap: period(10, 20), lastDeliveredTime: time(40) };
    const opened = withGapOpen(ended, foreign);
    expect(gapsOf(opened)).toEqual([period(10, 20), { ...period(40), closesAfter: time(60) }]);
    const later = withGapOpen({ ...opened, gap: period(40, 50), lastDeliveredTime: time(55) }, failing);
    expect(gapsOf(later)).toEqual([period(10, 20), period(40, 50), period(55)]);
  });

  test('where the last one began, if nothing is known to have been delivered in between', () => {
    const ended = { ...entry, gap: period(10, 20), lastDeliveredTime: time(15) };
    expect(gapsOf(withGapOpen(ended, failing))).toEqual([period(10)]);
  });
});

describe('a gap ends', () => {
  const open: GapStatus = { from: time(10) };
  const waiting: GapStatus = { from: time(10), closesAfter: time(30) };
  test.each<[string, GapStatus | undefined, GapNews | undefined, GapStatus | undefined]>([
    ['with the first delivery', open, { kind: 'delivered', at: time(40) }, { from: time(10), to: time(40) }],
    ['not with a delivery to another endpoint', waiting, { kind: 'delivered', at: time(30) }, waiting],
    ['with one after that', waiting, { kind: 'delivered', at: time(31) }, { from: time(10), to: time(31) }],
    ['later, if the webhook is put right', open, { kind: 'restored' }, { from: time(10), closesAfter: time(60) }],
    ['when spec switches the webhook off', waiting, { kind: 'off' }, { from: time(10), to: time(60) }],
    ['without news: not', open, undefined, open],
    [
      'only once',
      { from: time(10), to: time(20) },
      { kind: 'delivered', at: time(40) },
      { from: time(10), to: time(20) },
    ],
    ['and is gone if it is empty', { from: time(40) }, { kind: 'delivered', at: time(40) }, undefined],
    ['never, if there is none', undefined, { kind: 'delivered', at: time(40) }, undefined],
  ])('%s', (_, gap, news, expected) => {
    expect(gapAfter(gap, news, now)).toEqual(expected);
  });
});

describe('what a replay has sent', () => {
  const sent = { from: time(10), to: time(20) };
  test.each<[string, GapStatus, readonly GapStatus[]]>([
    ['ends the gap', period(10, 20), []],
    ['ends a shorter gap', period(11, 19), []],
    ['moves the beginning of a longer gap', period(11, 30), [period(20, 30)]],
    [
      'moves the beginning of an open gap',
      { ...period(10), closesAfter: time(5) },
      [{ ...period(20), closesAfter: time(5) }],
    ],
    ['moves the end of a gap that began earlier', period(9, 20), [period(9, 10)]],
    [
      'divides an open gap',
      { ...period(9), closesAfter: time(5) },
      [period(9, 10), { ...period(20), closesAfter: time(5) }],
    ],
    ['leaves a later gap', period(20, 30), [period(20, 30)]],
    [
      'leaves an earlier gap, also one whose replay failed',
      { ...period(5, 10), isFailed: true },
      [{ ...period(5, 10), isFailed: true }],
    ],
    ['leaves a rest that may be requested again', { ...period(5, 15), isFailed: true }, [period(5, 10)]],
  ])('%s', (_, one, expected) => {
    expect(withoutPeriod(one, sent)).toEqual(expected);
  });
});

describe('the gaps of a webhook', () => {
  test.each<[string, readonly GapStatus[], readonly GapStatus[]]>([
    ['are in order', [period(30), period(10, 20)], [period(10, 20), period(30)]],
    ['stay apart if a delivery lies between them', [period(10, 20), period(20)], [period(10, 20), period(20)]],
    ['are one if they overlap', [period(10, 20), period(15, 30)], [period(10, 30)]],
    [
      'are one open gap if the later one is open',
      [period(10, 20), { ...period(15), closesAfter: time(5) }],
      [{ ...period(10), closesAfter: time(5) }],
    ],
    [
      'are the longer one if that has the other',
      [{ ...period(10, 20), isFailed: true }, period(15, 20)],
      [{ ...period(10, 20), isFailed: true }],
    ],
    [
      'may be requested again if they became one',
      [
        { ...period(10, 20), isFailed: true },
        { ...period(15, 30), isFailed: true },
      ],
      [period(10, 30)],
    ],
    ['are none', [], []],
  ])('%s', (_, gaps, expected) => {
    expect(gapsOf(withGaps(entry, gaps))).toEqual(expected);
  });

  test('become one where the least was delivered in between, if status has no room', () => {
    const gaps = [period(0, 10), period(20, 30), period(35, 40), period(50, 60), period(70, 80), period(90)];
    const merged = { ...period(20, 40), isMerged: true };
    expect(gapsOf(withGaps(entry, gaps))).toEqual([period(0, 10), merged, period(50, 60), period(70, 80), period(90)]);
    expect(gapsOf(withGaps(entry, [merged, period(30, 50)]))).toEqual([{ ...period(20, 50), isMerged: true }]);
  });

  test('lose no moment, and have no other one unless status says so', () => {
    const minute = fc.integer({ min: 0, max: 60 });
    const some = fc.record({ from: minute, length: fc.option(minute, { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 12 }), (spans) => {
        const gaps = spans.map(({ from, length }) =>
          period(from, length === undefined ? undefined : from + length + 1),
        );
        const result = withGaps(entry, gaps);
        const has = (of: readonly GapStatus[], minutes: number) =>
          of.some(({ from, to }) => from <= time(minutes) && (to === undefined || time(minutes) < to));
        const isMerged = gapsOf(result).some((one) => one.isMerged === true);
        for (let minutes = 0.5; minutes < 130; minutes += 1) {
          const [was, is] = [has(gaps, minutes), has(gapsOf(result), minutes)];
          expect(is === was || (is && isMerged)).toBe(true);
        }
        expect((result.earlierGaps ?? []).length).toBeLessThanOrEqual(maxEarlierGaps);
        expect((result.earlierGaps ?? []).every(({ to }) => to !== undefined)).toBe(true);
        expect(gapsOf(result).map(({ from }) => from)).toEqual(
          gapsOf(result)
            .map(({ from }) => from)
            .toSorted(),
        );
      }),
    );
  });
});
