import { describe, expect, test } from '@jest/globals';
import {
  AuditLogForwarding,
  apiVersion,
  type Condition,
  kind,
  reconcileAnnotation,
  type Status,
} from '../../../src/api/v1alpha1.ts';
import { dueOf, gapOf, waitAfter, withMissingLines, withSince } from '../../../src/status/verification.ts';
import { type SpecChoice, specOf } from '../../support/forwarding-spec.ts';
import { shop } from '../../support/konnect-fixtures.ts';

const now = new Date('2026-01-02T03:00:00Z');
const minuteMs = 60_000;
const organization: SpecChoice = { organization: { enabled: true } };
const on: Status = { delivery: [{ key: 'organization', state: 'Delivered' }] };

function forwarding(choice: SpecChoice, status: Status = on): AuditLogForwarding {
  const metadata = { namespace: 'platform', name: 'sumologic', uid: 'uid', resourceVersion: '1', generation: 2 };
  return AuditLogForwarding.parse({ apiVersion, kind, metadata, spec: specOf(choice), status });
}

function due(
  verification: Parameters<typeof dueOf>[1],
  {
    observedGeneration = 2,
    choice = organization,
    request = '',
    delayMs = 10 * minuteMs,
    intervalMs = 15 * minuteMs,
    isProblem = true,
  } = {},
) {
  const verified: Condition = {
    type: 'Verified',
    status: isProblem ? 'False' : 'True',
    reason: isProblem ? 'LinesMissing' : 'AllFound',
    message: '1 entry is missing',
    observedGeneration,
    lastTransitionTime: '2026-01-02T02:00:00Z',
  };
  const { metadata, ...rest } = forwarding(choice, { ...on, conditions: [verified], verification });
  const annotations = request === '' ? {} : { [reconcileAnnotation]: request };
  return dueOf({ ...rest, metadata: { ...metadata, annotations } }, verification, {
    intervalMs,
    windowMs: 60 * minuteMs,
    delayMs,
    now,
  });
}

describe('lines of the organization are expected', () => {
  test('from when its webhook was first seen on, until it is seen off', () => {
    expect(withSince(forwarding(organization), now)).toEqual({ since: now.toISOString() });
    const known = { ...on, verification: { since: '2026-01-01T00:00:00Z', missing: 1 } };
    expect(withSince(forwarding(organization, known), now)).toEqual(known.verification);
    const off: Status = { ...known, delivery: [{ key: 'organization', state: 'Off' }] };
    expect(withSince(forwarding(organization, off), now)).toEqual({ missing: 1 });
    expect(withSince(forwarding({ portals: [{ id: shop, enabled: true }] }, known), now)).toEqual({ missing: 1 });
    expect(withSince(forwarding({ organization: { enabled: false } }, known), now)).toEqual({ missing: 1 });
  });
});

describe('a verification is due', () => {
  const since = '2026-01-01T00:00:00Z';

  test('after the interval, at once after a change of spec, and of the window that ends ten minutes ago', () => {
    const lastVerifiedTime = '2026-01-02T02:50:00Z';
    expect(due({ since, lastVerifiedTime })).toEqual({ kind: 'later', inMs: 5 * minuteMs });
    const period = { from: new Date('2026-01-02T01:50:00Z'), to: new Date('2026-01-02T02:50:00Z') };
    const expected = { kind: 'due', period, latest: period, newFrom: new Date('2026-01-02T02:20:00Z') };
    const window = { from: '2026-01-02T01:20:00Z', to: '2026-01-02T02:20:00Z' };
    expect(due({ since, window, lastVerifiedTime }, { observedGeneration: 1 })).toEqual(expected);
    expect(due({ since, window, lastVerifiedTime: '2026-01-02T02:45:00Z' })).toEqual(expected);
    expect(due({ since, window })).toEqual(expected);
  });

  test('15 minutes after the webhook was seen on, of what it sent since', () => {
    expect(due({ since: '2026-01-02T02:55:00Z' })).toEqual({ kind: 'later', inMs: 10 * minuteMs });
    expect(due({ since: '2026-01-02T02:45:00Z' })).toMatchObject({
      kind: 'due',
      period: { from: new Date('2026-01-02T02:45:00Z'), to: new Date('2026-01-02T02:50:00Z') },
    });
  });

  test('at once after a request for a reconciliation, until a verification has answered it', () => {
    const verified = { since, lastVerifiedTime: '2026-01-02T02:50:00Z' };
    expect(due(verified, { request: 'now' })).toMatchObject({ kind: 'due' });
    expect(due({ ...verified, lastHandledReconcileAt: 'now' }, { request: 'now' })).toMatchObject({ kind: 'later' });
    expect(due({ ...verified, lastHandledReconcileAt: 'now' }, { request: 'again' })).toMatchObject({ kind: 'due' });
    // A request does not make lines older.
    expect(due({ since: '2026-01-02T02:55:00Z' }, { request: 'now' })).toMatchObject({ kind: 'later' });
  });

  test('of the window that ends a shorter or longer delay ago', () => {
    expect(due({ since: now.toISOString() }, { delayMs: 2_000 })).toEqual({ kind: 'later', inMs: 3_000 });
    expect(due({ since: now.toISOString() }, { delayMs: 60 * minuteMs })).toEqual({
      kind: 'later',
      inMs: 65 * minuteMs,
    });
    expect(due({ since: '2026-01-02T02:59:50Z' }, { delayMs: 2_000 })).toMatchObject({
      kind: 'due',
      period: { from: new Date('2026-01-02T02:59:50Z'), to: new Date('2026-01-02T02:59:58Z') },
    });
  });

  test('never while the webhook is not on', () => {
    expect(due({})).toEqual({ kind: 'not on' });
    expect(due({}, { choice: { portals: [{ id: shop, enabled: true }] } })).toMatchObject({ kind: 'due' });
  });

  test('at the interval at the latest if another clock recorded the times, or a user edited them', () => {
    expect(due({ since, lastVerifiedTime: '2027-01-01T00:00:00Z' })).toEqual({ kind: 'later', inMs: 15 * minuteMs });
    expect(due({ since: 'yesterday', lastVerifiedTime: 'never' })).toMatchObject({ kind: 'due' });
  });
});

describe('every entry is compared', () => {
  const since = '2025-12-01T00:00:00Z';

  /** Returns what a verification compares at 03:00 if the last one compared what is until `to`. */
  const after = (to: string, more: { since?: string; intervalMs?: number } = {}) => {
    const { intervalMs, ...rest } = more;
    const verification = { since, window: { from: to, to }, entries: 1, ...rest };
    const found = due(verification, intervalMs === undefined ? {} : { intervalMs });
    if (found.kind !== 'due') throw new TypeError('it is not due');
    const { period, latest, newFrom, lost } = found;
    const shown = (one: typeof period) => [one.from, one.to].map((time) => time.toISOString().slice(5, 16));
    return {
      period: shown(period),
      latest: shown(latest),
      newFrom,
      ...(lost === undefined ? {} : { lost: shown(lost) }),
    };
  };

  test('also if the interval is longer than the window', () => {
    const day = { intervalMs: 24 * 60 * minuteMs };
    expect(after('2026-01-01T02:50:00Z', day).period).toEqual(['01-01T02:50', '01-02T02:50']);
    // A search takes its time, and a retry as well.
    expect(after('2026-01-01T02:00:00Z', day).period).toEqual(['01-01T02:00', '01-02T02:50']);
  });

  test('after an outage, step by step, the oldest first', () => {
    const newFrom = new Date('2026-01-02T01:40:00Z');
    expect(after('2026-01-02T01:40:00Z')).toEqual({
      period: ['01-02T01:40', '01-02T02:50'],
      latest: ['01-02T01:50', '01-02T02:50'],
      newFrom,
    });
    expect(after('2026-01-01T22:00:00Z').period).toEqual(['01-01T22:00', '01-01T23:15']);
    expect(after('2026-01-01T23:15:00Z').period).toEqual(['01-01T23:15', '01-02T00:30']);
  });

  test('as long as Konnect keeps it, and not from before the webhook was seen on', () => {
    expect(after('2025-12-20T00:00:00Z')).toMatchObject({
      period: ['12-26T04:00', '12-26T05:15'],
      lost: ['12-20T00:00', '12-26T04:00'],
    });
    expect(after('2026-01-01T22:00:00Z', { since: '2026-01-02T02:00:00Z' }).period).toEqual([
      '01-02T02:00',
      '01-02T02:50',
    ]);
    // The first verification failed for hours.
    expect(due({ since: '2026-01-01T22:00:00Z' })).toMatchObject({
      period: { from: new Date('2026-01-01T22:00:00Z'), to: new Date('2026-01-01T23:15:00Z') },
    });
  });

  test('although another clock recorded a later time', () => {
    expect(after('2027-01-01T00:00:00Z').period).toEqual(['01-02T01:50', '01-02T02:50']);
  });

  test('at once while newer entries are not compared, and later if there is a problem to be seen', () => {
    const lastVerifiedTime = '2026-01-02T02:59:00Z';
    const behind = {
      since,
      lastVerifiedTime,
      entries: 0,
      window: { from: '2026-01-02T00:00:00Z', to: '2026-01-02T00:20:00Z' },
    };
    expect(due(behind, { isProblem: false })).toMatchObject({ kind: 'due' });
    expect(due(behind)).toEqual({ kind: 'later', inMs: 9 * minuteMs });
    const times = { intervalMs: 15 * minuteMs, windowMs: 60 * minuteMs, delayMs: 10 * minuteMs };
    expect(waitAfter(behind, false, times)).toBe(0);
    expect(waitAfter({ ...behind, window: { ...behind.window, from: '2026-01-01T00:00:00Z' } }, true, times)).toBe(
      times.intervalMs,
    );
    // Without the list, it has looked at the latest lines, and the list is still to be compared from there.
    expect(waitAfter({ ...behind, entries: undefined }, false, times)).toBe(times.intervalMs);
    const complete = { ...behind, window: { from: '2026-01-02T01:49:00Z', to: '2026-01-02T02:49:00Z' } };
    expect(waitAfter(complete, false, times)).toBe(times.intervalMs);
    expect(waitAfter({}, false, times)).toBe(times.intervalMs);
  });
});

describe('missing lines make a gap', () => {
  const window = { from: '2026-01-02T01:50:00.000Z', to: '2026-01-02T02:50:00.000Z' };
  const missing = { oldestMs: Date.parse('2026-01-02T02:10:00Z'), newestMs: Date.parse('2026-01-02T02:30:00Z') };

  test('of exactly the window', () => {
    expect(gapOf({ window }, missing)).toEqual({ gap: window, gapUntil: window.to });
  });

  test('once: those that stay missing make no other one, and newer ones only of the time since', () => {
    const after = (gapUntil: string) => gapOf({ window, gapUntil }, missing);
    expect(after('2026-01-02T02:35:00.000Z')).toEqual({ gapUntil: '2026-01-02T02:35:00.000Z' });
    const from = '2026-01-02T02:20:00.000Z';
    expect(after(from)).toEqual({ gap: { from, to: window.to }, gapUntil: window.to });
    expect(after('2026-01-01T00:00:00.000Z')).toEqual({ gap: window, gapUntil: window.to });
  });

  test.each([
    ['all of them', { from: '2026-01-02T02:10:00Z', to: '2026-01-02T02:30:00Z' }, undefined, undefined],
    ['not the oldest', { from: '2026-01-02T02:10:01Z', to: '2026-01-02T02:30:00Z' }, undefined, window],
    ['not the newest', { from: '2026-01-02T02:10:00Z', to: '2026-01-02T02:29:59Z' }, undefined, window],
    [
      'all but those of an earlier gap',
      { from: '2026-01-02T02:20:00Z', to: '2026-01-02T02:30:00Z' },
      '2026-01-02T02:20:00.000Z',
      undefined,
    ],
  ])('unless a replay sends %s, or a gap that the webhook has', (_name, period, gapUntil, gap) => {
    const replay = { ...period, state: 'Running', requestedTime: now.toISOString() } as const;
    expect(gapOf({ window, gapUntil }, missing, { replay })).toEqual({ gap, gapUntil: window.to });
    expect(gapOf({ window, gapUntil }, missing, { gap: period })).toEqual({ gap, gapUntil: window.to });
    expect(gapOf({ window, gapUntil }, missing, { earlierGaps: [period] })).toEqual({ gap, gapUntil: window.to });
  });

  test('unless they are in the gap that is still open', () => {
    const open = (from: string) => gapOf({ window }, missing, { gap: { from } }).gap;
    expect(open('2026-01-02T02:10:00Z')).toBeUndefined();
    expect(open('2026-01-02T02:10:01Z')).toEqual(window);
  });

  test('in the organization’s webhook, together with the gap that it has', () => {
    const portal = { key: shop, state: 'Delivered' } as const;
    const own = { key: 'organization', state: 'Delivered' } as const;
    expect(withMissingLines([own, portal], window)).toEqual([{ ...own, gap: window }, portal]);
    const ended = { ...own, gap: { from: '2026-01-02T01:00:00.000Z', to: '2026-01-02T02:00:00.000Z' } };
    expect(withMissingLines([ended], window)).toEqual([{ ...own, gap: { from: ended.gap.from, to: window.to } }]);
    const open = { ...own, gap: { from: '2026-01-02T02:00:00.000Z' } };
    expect(withMissingLines([open], window)).toEqual([{ ...own, gap: { from: window.from } }]);
  });
});
