import { describe, expect, test } from '@jest/globals';
import type { DeliveryStatus, GapStatus, ReplayStatus } from '../../../src/api/v1alpha1.ts';
import {
  covers,
  type GapCause,
  type GapNews,
  gapAfter,
  withFailed,
  withGapOpen,
  withoutReplayed,
} from '../../../src/status/gaps.ts';

const start = Date.parse('2026-01-02T03:00:00Z');
const at = (minutes: number) => new Date(start + minutes * 60_000);
const time = (minutes: number) => at(minutes).toISOString();
const now = at(60);

const failing: GapCause = { isForeign: false, observedTime: time(30), attemptTime: time(55), now };
const foreign: GapCause = { ...failing, isForeign: true };
const entry: DeliveryStatus = { key: 'p', state: 'Failing' };

function replay(from: number, to: number, more: Partial<ReplayStatus> = {}): ReplayStatus {
  return { from: time(from), to: time(to), state: 'Running', requestedTime: time(to), ...more };
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

  test('where the last one began that was not replayed', () => {
    const ended = { ...entry, gap: { from: time(10), to: time(20) }, lastDeliveredTime: time(40) };
    expect(withGapOpen(ended, failing).gap).toEqual({ from: time(10) });
  });

  test.each<[string, ReplayStatus, string]>([
    ['runs', replay(10, 20), time(40)],
    ['waits for its second try', replay(10, 20, { state: 'Failed', retryTime: time(70) }), time(40)],
    ['has failed for good', replay(10, 20, { state: 'Failed' }), time(10)],
    ['does not cover it', replay(10, 19), time(10)],
    ['a user requested', replay(10, 20, { isManual: true }), time(10)],
  ])('beside the last one, if a replay of that one %s', (_, running, from) => {
    const ended = { ...entry, gap: { from: time(10), to: time(20) }, lastDeliveredTime: time(40), replay: running };
    expect(withGapOpen(ended, failing).gap).toEqual({ from });
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
  test.each<[string, GapStatus | undefined, GapStatus | undefined]>([
    ['ends the gap', sent, undefined],
    ['ends a shorter gap', { from: time(11), to: time(19) }, undefined],
    ['moves the beginning of a longer gap', { from: time(11), to: time(30) }, { from: time(20), to: time(30) }],
    ['moves the beginning of an open gap', { from: time(10) }, { from: time(20) }],
    ['leaves a gap that began earlier', { from: time(9), to: time(20) }, { from: time(9), to: time(20) }],
    ['leaves a later gap', { from: time(20), to: time(30) }, { from: time(20), to: time(30) }],
    ['leaves nothing', undefined, undefined],
  ])('%s', (_, gap, expected) => {
    expect(withoutReplayed(gap, sent)).toEqual(expected);
  });

  test('covers no open gap', () => {
    expect(covers(sent, { from: time(12) })).toBe(false);
    expect(covers(undefined, sent)).toBe(false);
  });
});

test('what a replay failed to send joins the gap', () => {
  const lost = { from: time(10), to: time(20) };
  expect(withFailed(undefined, lost)).toEqual(lost);
  expect(withFailed({ from: time(30) }, lost)).toEqual({ from: time(10) });
  expect(withFailed({ from: time(5), to: time(15) }, lost)).toEqual({ from: time(5), to: time(20) });
  expect(withFailed({ from: time(15), to: time(30) }, lost)).toEqual({ from: time(10), to: time(30) });
});
