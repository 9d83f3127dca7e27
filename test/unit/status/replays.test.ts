import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { DeliveryStatus, ReplayStatus } from '../../../src/api/v1alpha1.ts';
import {
  afterRead,
  afterStart,
  nextReplayLookMs,
  planReplay,
  type ReplayContext,
  requestReplay,
  type SeenJob,
} from '../../../src/status/replays.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const start = Date.parse('2026-01-10T00:00:00Z');
const at = (minutes: number) => new Date(start + minutes * minuteMs);
const time = (minutes: number) => at(minutes).toISOString().replace('.000', '');

const context: ReplayContext = { now: at(60), delivery: 'proved', isAutomatic: true, mayWrite: true };
const gap = { from: time(10), to: time(20) };
const requested: ReplayStatus = { ...gap, state: 'Requested', requestedTime: at(60).toISOString() };
const job: SeenJob = { ...gap, state: 'running', updatedAt: time(60) };
const other: SeenJob = { ...job, from: time(1) };

function entryWith(more: Partial<DeliveryStatus>): DeliveryStatus {
  return { key: 'p', state: 'Delivered', ...more };
}

describe('a gap that has ended', () => {
  test('is requested once, with the intent in status before the call', () => {
    const step = planReplay(entryWith({ gap }), context);
    expect(step).toEqual({ entry: entryWith({ gap, replay: requested }), action: 'start' });
    expect(planReplay(step.entry, context)).toEqual({ entry: step.entry, action: 'read' });
  });

  test('is requested in whole seconds, once the last one has passed', () => {
    const exact = { from: '2026-01-10T00:10:00.9Z', to: '2026-01-10T01:00:00.1Z' };
    expect(
      planReplay(entryWith({ gap: exact }), { ...context, now: new Date(start + hourMs + 500) }).action,
    ).toBeUndefined();
    const { entry } = planReplay(entryWith({ gap: exact }), { ...context, now: new Date(start + hourMs + 1_000) });
    expect(entry.replay).toMatchObject({ from: '2026-01-10T00:10:00Z', to: '2026-01-10T01:00:01Z' });
  });

  test.each<[string, Partial<DeliveryStatus>, Partial<ReplayContext>]>([
    ['while it is open', { gap: { from: time(10) } }, {}],
    ['before a delivery is proved', { gap }, { delivery: 'unknown' }],
    ['while deliveries fail', { gap }, { delivery: 'failing' }],
    ['with mode Report', { gap }, { isAutomatic: false }],
    ['with mode Observe', { gap }, { mayWrite: false }],
    ['again after it failed for good', { gap: { ...gap, isFailed: true } }, {}],
    ['without a gap', {}, {}],
  ])('is not requested %s', (_, known, more) => {
    const entry = entryWith(known);
    expect(planReplay(entry, { ...context, ...more })).toEqual({ entry, action: undefined });
  });

  test('is cut at seven days, and the loss is said', () => {
    const now = at(7 * 24 * 60 + 10);
    const { entry, action, lost } = planReplay(entryWith({ gap }), { ...context, now });
    expect(action).toBe('start');
    expect(lost).toEqual([{ from: time(10), to: time(15) }]);
    expect(entry.replay).toMatchObject({ from: time(15), to: time(20) });
    expect(entry.gap).toEqual({ from: time(15), to: time(20) });
  });

  test('is forgotten when all of it is lost, and that is said, also with mode Report', () => {
    const step = planReplay(entryWith({ gap }), { ...context, isAutomatic: false, now: at(7 * 24 * 60 + 15) });
    expect(step).toEqual({ entry: entryWith({}), action: undefined, lost: [gap] });
  });

  test('is requested when the earlier ones have been replayed, one after another', () => {
    const newest = { from: time(40), to: time(50) };
    const first = planReplay(entryWith({ earlierGaps: [gap], gap: newest }), context).entry;
    expect(first.replay).toEqual(requested);
    const ended = afterRead(first, { ...job, state: 'completed' }, context).entry;
    expect(ended).toEqual(entryWith({ gap: newest, replay: { ...requested, state: 'Completed' } }));
    expect(planReplay(ended, context).entry.replay).toEqual({ ...requested, ...newest });
  });

  test('is forgotten beside others that are lost, and those that are not stay', () => {
    const known = { earlierGaps: [gap, { from: time(30), to: time(35) }], gap: { from: time(40), to: time(50) } };
    const step = planReplay(entryWith(known), { ...context, isAutomatic: false, now: at(7 * 24 * 60 + 31) });
    expect(step).toEqual({ entry: entryWith({ gap: known.gap }), action: undefined, lost: known.earlierGaps });
  });
});

describe('a replay that is requested', () => {
  const entry = entryWith({ gap, replay: requested });

  test.each<[SeenJob['state'], ReplayStatus['state']]>([
    ['accepted', 'Accepted'],
    ['pending', 'Pending'],
    ['running', 'Running'],
    [undefined, 'Accepted'],
  ])('and whose answer was lost is found by its window (%s)', (state, expected) => {
    const step = afterRead(entry, { ...job, state }, context);
    expect(step).toEqual({ entry: entryWith({ gap, replay: { ...requested, state: expected } }), action: undefined });
  });

  test('is found whatever the form of the times is', () => {
    const shown = { ...job, from: '2026-01-10T01:10:00.000+01:00', to: '2026-01-10T00:20:00.000000000Z' };
    expect(afterRead(entry, shown, context).entry.replay?.state).toBe('Running');
  });

  test('ends its gap when Konnect has completed it', () => {
    const step = afterRead(entry, { ...job, state: 'completed' }, context);
    expect(step.entry).toEqual(entryWith({ replay: { ...requested, state: 'Completed' } }));
    expect(planReplay(step.entry, context).action).toBeUndefined();
  });

  test.each<[string, SeenJob | undefined]>([
    ['Konnect has none', undefined],
    ['there was never one', { state: 'unconfigured' }],
    ['another one has ended', { ...other, state: 'completed' }],
    ['another one has failed', { ...other, state: 'failed' }],
  ])('is sent if %s', (_, seen) => {
    expect(afterRead(entry, seen, context)).toEqual({ entry, action: 'start' });
    expect(afterRead(entry, seen, { ...context, delivery: 'failing' }).action).toBeUndefined();
    expect(afterRead(entry, seen, { ...context, mayWrite: false }).action).toBeUndefined();
  });

  test.each(['accepted', 'pending', 'running'] as const)('waits while another one is %s', (state) => {
    expect(afterRead(entry, { ...other, state }, context)).toEqual({ entry, action: undefined });
  });

  test.each<[string, Parameters<typeof afterStart>[1], Partial<ReplayStatus>]>([
    ['accepted', { kind: 'accepted', job: { ...job, state: 'accepted' } }, { state: 'Accepted' }],
    ['accepted without a body', { kind: 'accepted', job: undefined }, { state: 'Accepted' }],
    ['busy', { kind: 'busy' }, { state: 'Requested' }],
    ['unknown', { kind: 'unknown' }, { state: 'Requested' }],
    ['refused', { kind: 'refused', code: 403 }, { state: 'Failed', code: 403, retryTime: at(120).toISOString() }],
  ])('is recorded after the answer: %s', (_, outcome, expected) => {
    expect(afterStart(entry, outcome, at(60)).replay).toEqual({ ...requested, ...expected });
    expect(afterStart(entryWith({}), outcome, at(60))).toEqual(entryWith({}));
  });
});

describe('a replay that Konnect has accepted', () => {
  const entry = entryWith({ gap, replay: { ...requested, state: 'Accepted' } });

  test.each<[string, SeenJob | undefined]>([
    ['failed', { ...job, state: 'failed' }],
    ['replaced by another one', other],
    ['gone', undefined],
  ])('and that is %s is requested once more after an hour, and then never again', (_, seen) => {
    const first = afterRead(entry, seen, context).entry;
    expect(first.replay).toEqual({ ...requested, state: 'Failed', retryTime: at(120).toISOString() });
    expect(planReplay(first, { ...context, now: at(119) })).toEqual({ entry: first, action: undefined });
    expect(planReplay(first, { ...context, now: at(120), delivery: 'unknown' }).action).toBeUndefined();
    const second = planReplay(first, { ...context, now: at(120), isAutomatic: false });
    expect(second.action).toBe('start');
    expect(second.entry.replay).toEqual({
      ...gap,
      state: 'Requested',
      requestedTime: at(120).toISOString(),
      isRetry: true,
    });
    const last = afterRead(
      second.entry,
      { ...job, state: 'failed', updatedAt: time(125) },
      { ...context, now: at(130) },
    ).entry;
    expect(last.replay).toMatchObject({ state: 'Failed', isRetry: true });
    expect(last.replay).not.toHaveProperty('retryTime');
    expect(planReplay(last, { ...context, now: at(600) })).toEqual({ entry: last, action: undefined });
    expect(last.gap).toEqual({ ...gap, isFailed: true });
  });

  test('that failed is not taken for its second try', () => {
    const second = entryWith({ gap, replay: { ...requested, requestedTime: at(120).toISOString(), isRetry: true } });
    const old: SeenJob = { ...job, state: 'failed', updatedAt: time(61) };
    expect(afterRead(second, old, { ...context, now: at(121) }).action).toBe('start');
    expect(afterRead(second, { ...old, updatedAt: undefined }, { ...context, now: at(121) }).action).toBe('start');
    expect(afterRead(second, { ...old, state: 'completed' }, context).entry.replay?.state).toBe('Completed');
  });

  test('that failed for good leaves its gap, and the next gap follows', () => {
    const replay = { ...requested, state: 'Running' as const, isRetry: true };
    const known = { earlierGaps: [gap, { from: time(30), to: time(35) }], gap: { from: time(40) } };
    const last = afterRead(entryWith({ ...known, replay }), { ...job, state: 'failed' }, context).entry;
    expect(last).toMatchObject({ ...known, earlierGaps: [{ ...gap, isFailed: true }, known.earlierGaps[1]] });
    expect(planReplay(last, context).entry.replay).toEqual({ ...requested, from: time(30), to: time(35) });
  });

  test('that waits for its second try until its logs are lost gives up', () => {
    const replay = { ...requested, state: 'Failed' as const, retryTime: time(120) };
    const later = { ...context, now: at(7 * 24 * 60 + 15) };
    const { entry: last } = planReplay(entryWith({ gap, replay }), later);
    expect(last.replay).not.toHaveProperty('retryTime');
    expect(planReplay(last, later)).toMatchObject({ entry: { replay: { state: 'Failed' } }, lost: [gap] });
  });
});

describe('a replay that a user requests', () => {
  const window = { from: '2026-01-10T01:05:00+01:00', to: time(15) };

  test('needs no gap, and waits while deliveries fail', () => {
    const replay = { ...requested, from: time(5), to: time(15), isManual: true };
    expect(requestReplay(entryWith({}), window, context)).toEqual({ entry: entryWith({ replay }), action: 'start' });
    const failing = requestReplay(entryWith({ gap }), window, { ...context, delivery: 'failing' });
    expect(failing).toEqual({ entry: entryWith({ gap, replay }), action: undefined });
  });

  test('ends no later than now, although its end is rounded', () => {
    const now = new Date(start + hourMs + 300);
    const step = requestReplay(entryWith({}), { from: time(5), to: now.toISOString() }, { ...context, now });
    expect(step.entry.replay).toMatchObject({ from: time(5), to: time(60) });
  });

  test('moves the beginning of the gap', () => {
    const { entry } = requestReplay(entryWith({ gap }), window, context);
    const { gap: rest } = afterRead(entry, { ...job, ...window, state: 'completed' }, context).entry;
    expect(rest).toEqual({ from: time(15), to: time(20) });
  });

  test('takes the place of one that waits for its second try, whose gap stays', () => {
    const replay = { ...requested, state: 'Failed' as const, retryTime: time(120) };
    const known = { earlierGaps: [gap], gap: { from: time(40) } };
    const { entry } = requestReplay(entryWith({ ...known, replay }), window, context);
    expect(entry).toMatchObject({ ...known, replay: { to: window.to, isManual: true } });
  });

  test('makes no gap if it fails twice', () => {
    const { entry } = requestReplay(entryWith({}), window, context);
    const first = afterStart(entry, { kind: 'refused', code: 400 }, context.now);
    const second = planReplay(first, { ...context, now: at(120) }).entry;
    expect(second.replay).toMatchObject({ isManual: true, isRetry: true });
    expect(afterStart(second, { kind: 'refused', code: 400 }, at(120))).not.toHaveProperty('gap');
  });
});

test('the operator looks again soon, then after twice the time, and when something is due', () => {
  const look = (more: Partial<DeliveryStatus>, minutes: number) => nextReplayLookMs(entryWith(more), at(minutes));
  expect([60, 61, 70].map((minutes) => look({ replay: requested }, minutes))).toEqual(
    [1, 2, 11].map((one) => one * minuteMs),
  );
  const failed = { ...requested, state: 'Failed' as const, retryTime: time(120) };
  expect([60, 120, 180].map((minutes) => look({ replay: failed }, minutes))).toEqual(
    [60, 1, 61].map((one) => one * minuteMs),
  );
  expect(look({ gap: { from: time(1), to: '2026-01-10T01:00:00.3Z' } }, 60)).toBe(1_000);
  expect(look({ gap }, 60)).toBeUndefined();
  expect(look({ replay: { ...requested, state: 'Completed' } }, 60)).toBeUndefined();
  expect(look({ replay: { ...requested, requestedTime: 'soon' } }, 60)).toBe(minuteMs);
});

function jobOf({ replay }: DeliveryStatus, state: SeenJob['state'], updatedAt: string | undefined): SeenJob {
  return { from: replay?.from, to: replay?.to, state, updatedAt };
}

test('whatever Konnect shows and answers, a period is accepted at most twice, and never again once it is completed', () => {
  const word = fc.constantFrom('accepted', 'pending', 'running', 'completed', 'failed') satisfies fc.Arbitrary<
    SeenJob['state']
  >;
  const event = fc.record({
    minutes: fc.integer({ min: 1, max: 200 }),
    delivery: fc.constantFrom('proved', 'failing', 'unknown') satisfies fc.Arbitrary<ReplayContext['delivery']>,
    state: word,
    answer: fc.constantFrom('accepted', 'lost', 'crash', 'busy', 'refused'),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      let entry = entryWith({ gap });
      let konnect: SeenJob | undefined;
      let accepted = 0;
      let hasCompleted = false;
      let minutes = 60;
      for (const one of events) {
        minutes += one.minutes;
        const now = { ...context, delivery: one.delivery, now: at(minutes) };
        const hasEnded = konnect?.state === 'completed' || konnect?.state === 'failed';
        if (konnect !== undefined && !hasEnded) konnect = jobOf(entry, one.state, konnect.updatedAt);
        hasCompleted ||= konnect?.state === 'completed';
        let step = planReplay(entry, now);
        if (step.action === 'read') step = afterRead(step.entry, konnect, now);
        entry = step.entry;
        if (step.action !== 'start') continue;
        expect(hasCompleted).toBe(false);
        if (one.answer === 'busy') entry = afterStart(entry, { kind: 'busy' }, now.now);
        if (one.answer === 'refused') entry = afterStart(entry, { kind: 'refused', code: 400 }, now.now);
        if (one.answer === 'busy' || one.answer === 'refused') continue;
        accepted += 1;
        konnect = {
          from: entry.replay?.from,
          to: entry.replay?.to,
          state: 'accepted',
          updatedAt: now.now.toISOString(),
        };
        if (one.answer === 'accepted') entry = afterStart(entry, { kind: 'accepted', job: konnect }, now.now);
      }
      expect(accepted).toBeLessThanOrEqual(2);
      expect(entry.gap === undefined).toBe(entry.replay?.state === 'Completed');
    }),
  );
});
