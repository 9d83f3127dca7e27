import { describe, expect, test } from '@jest/globals';
import type { DeliveryStatus } from '../../../src/api/v1alpha1.ts';
import {
  type DeliveryLook,
  deliveryOf,
  isStopped,
  isSwitchOnDue,
  nextLookMs,
  type SeenDelivery,
  withDeliveries,
  withSwitchOns,
} from '../../../src/status/delivery.ts';
import type { RecordedState } from '../../../src/status/recorded-state.ts';

const start = Date.parse('2026-01-02T03:04:05Z');
const at = (minutes: number) => new Date(start + minutes * 60_000);
const time = (minutes: number) => at(minutes).toISOString();
const undisturbed = { diverted: new Set<string>(), restored: new Set<string>() };
const problem = (severity: 'stalled' | 'unavailable') => ({ reason: 'X', severity, message: 'x' });

const delivered = (minutes: number): SeenDelivery => ({
  kind: 'seen',
  state: 'Delivered',
  attemptTime: time(minutes),
  code: 200,
});
const failing = (minutes: number, code?: number): SeenDelivery => ({
  kind: 'seen',
  state: 'Failing',
  attemptTime: time(minutes),
  code,
});
const switchedOff: SeenDelivery = { kind: 'seen', state: 'SwitchedOff', attemptTime: time(0), code: 503 };
const noAttempt: SeenDelivery = { kind: 'seen', state: 'NoAttemptYet' };

/** Returns what is recorded after these looks, each at its minute. */
function after(...looks: readonly (readonly [number, DeliveryLook])[]): RecordedState {
  return looks.reduce<RecordedState>(
    (recorded, [minutes, look]) =>
      withDeliveries(recorded, new Map([['p', look]]), { ...undisturbed, now: at(minutes), mayWrite: true }),
    {},
  );
}

function entry(recorded: RecordedState): DeliveryStatus | undefined {
  return deliveryOf(recorded, 'p');
}

describe('a look at a webhook', () => {
  const since = time(5);
  const sent = { lastAttemptTime: time(4), lastResponseCode: 200, lastDeliveredTime: time(4) };
  const wait = { switchOn: { attempts: 0, notBefore: time(6) } };

  test.each<[string, readonly (readonly [number, DeliveryLook])[], Omit<DeliveryStatus, 'key'>]>([
    ['that delivers', [[5, delivered(4)]], { state: 'Delivered', ...sent }],
    ['that is just attached', [[5, { kind: 'attached' }]], { state: 'NoAttemptYet', since }],
    ['without an attempt', [[5, noAttempt]], { state: 'NoAttemptYet' }],
    ['that is off', [[5, { kind: 'off' }]], { state: 'Off' }],
    [
      'that fails from the start',
      [[5, failing(4, 503)]],
      { state: 'Failing', lastAttemptTime: time(4), lastResponseCode: 503, failingSince: since },
    ],
    [
      'whose endpoint does not answer',
      [[5, failing(4)]],
      { state: 'Failing', lastAttemptTime: time(4), failingSince: since },
    ],
    [
      'that delivered before it fails',
      [
        [4, delivered(4)],
        [5, failing(5, 401)],
        [6, failing(6, 403)],
      ],
      {
        state: 'Failing',
        lastAttemptTime: time(6),
        lastResponseCode: 403,
        failingSince: since,
        lastDeliveredTime: time(4),
      },
    ],
    [
      'that delivers again',
      [
        [1, failing(1, 503)],
        [5, delivered(4)],
      ],
      { state: 'Delivered', ...sent },
    ],
    [
      'that is attached elsewhere while it fails',
      [
        [5, failing(4, 503)],
        [6, { kind: 'attached' }],
      ],
      { state: 'NoAttemptYet', failingSince: since, since: time(6) },
    ],
    [
      'that Konnect switched off',
      [[5, switchedOff]],
      { state: 'SwitchedOff', lastAttemptTime: time(0), lastResponseCode: 503, failingSince: since, ...wait },
    ],
    [
      'that is on again, and has no attempt since',
      [
        [5, switchedOff],
        [7, noAttempt],
      ],
      { state: 'NoAttemptYet', failingSince: since, ...wait },
    ],
    [
      'that delivers after Konnect switched it off',
      [
        [3, switchedOff],
        [5, delivered(4)],
      ],
      { state: 'Delivered', ...sent },
    ],
    [
      'that a client switches off',
      [
        [5, delivered(4)],
        [6, { kind: 'off' }],
      ],
      { state: 'Off', lastDeliveredTime: time(4) },
    ],
    ['that Konnect refuses to show', [[5, { kind: 'unknown', problem: problem('stalled') }]], { state: 'Unknown' }],
    [
      'that Konnect refuses to show since it failed',
      [
        [5, failing(4, 503)],
        [6, { kind: 'unknown', problem: problem('stalled') }],
      ],
      { state: 'Unknown', lastAttemptTime: time(4), lastResponseCode: 503, failingSince: since },
    ],
    [
      'that Konnect cannot show for the moment',
      [
        [5, delivered(4)],
        [6, { kind: 'unknown', problem: problem('unavailable') }],
      ],
      { state: 'Delivered', ...sent },
    ],
  ])('%s', (_title, looks, expected) => {
    expect(entry(after(...looks))).toEqual({ key: 'p', ...expected });
  });

  test('changes nothing for an hour if only the time of the attempt is new', () => {
    const first = after([0, delivered(0)]);
    const looks = [10, 59, 60, 70, 120].map((minutes) => {
      const last = after([0, delivered(0)], ...(minutes > 60 ? [[60, delivered(60)] as const] : []));
      return entry(
        withDeliveries(last, new Map([['p', delivered(minutes)]]), {
          ...undisturbed,
          now: at(minutes),
          mayWrite: true,
        }),
      );
    });
    expect(looks.map((one) => one?.lastAttemptTime)).toEqual([time(0), time(0), time(60), time(60), time(120)]);
    expect(looks.map((one) => one?.lastDeliveredTime)).toEqual([time(0), time(0), time(60), time(60), time(120)]);
    expect(entry(first)?.lastAttemptTime).toBe(time(0));
  });

  test('leaves out a webhook that is no longer in place', () => {
    expect(withDeliveries(after([0, switchedOff]), new Map(), { ...undisturbed, now: at(1), mayWrite: true })).toEqual(
      {},
    );
  });

  test('records no wait if the operator may not write', () => {
    const recorded = withDeliveries({}, new Map([['p', switchedOff]]), { ...undisturbed, now: at(0), mayWrite: false });
    expect(entry(recorded)).not.toHaveProperty('switchOn');
    expect(isSwitchOnDue(entry(recorded), at(600))).toBe(false);
  });
});

describe('a webhook that Konnect switched off', () => {
  test('may be switched on after a minute, then after twice the last wait, at most an hour', () => {
    let recorded: RecordedState = {};
    const waits: number[] = [];
    for (let minutes = 0; waits.length < 8; minutes += 1) {
      const isDue = isSwitchOnDue(entry(recorded), at(minutes));
      if (isDue) {
        waits.push(minutes - waits.reduce((sum, wait) => sum + wait, 0));
        recorded = withSwitchOns(recorded, new Set(['p']), at(minutes));
      }
      recorded = withDeliveries(recorded, new Map([['p', switchedOff]]), {
        ...undisturbed,
        now: at(minutes),
        mayWrite: true,
      });
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test('is due if the clock was set back since its wait was recorded', () => {
    const recorded = entry(after([0, switchedOff]));
    const due = [-1, 0, 0.5, 1].map((minutes) => isSwitchOnDue(recorded, at(minutes)));
    expect(due).toEqual([true, false, false, true]);
  });

  test('can be switched on before it was recorded', () => {
    const recorded = withSwitchOns(after([0, delivered(0)]), new Set(['q']), at(0));
    expect(deliveryOf(recorded, 'q')).toEqual({
      key: 'q',
      state: 'SwitchedOff',
      switchOn: { attempts: 1, notBefore: time(2) },
    });
    expect(entry(recorded)?.state).toBe('Delivered');
    expect(withSwitchOns(recorded, new Set(), at(1))).toBe(recorded);
  });

  test('has stopped, also if it is shown as on and there is no attempt since the recorded one', () => {
    const inactive = (minutes: number): SeenDelivery => ({ ...failing(minutes, 503), isInactive: true });
    const recorded = after([0, inactive(0)]);
    expect(entry(recorded)?.switchOn).toEqual({ attempts: 0, notBefore: time(1) });
    expect(isStopped(entry(recorded), switchedOff)).toBe(true);
    expect(isStopped(entry(recorded), inactive(0))).toBe(true);
    expect(isStopped(entry(recorded), inactive(1))).toBe(false);
    expect(isStopped(entry(recorded), failing(0, 503))).toBe(false);
    expect(isStopped(entry(recorded), { kind: 'attached' })).toBe(false);
    expect(isStopped(undefined, undefined)).toBe(false);
  });
});

describe('the next look is due', () => {
  test('after 1, 2, 4, 8 minutes while a webhook fails', () => {
    const recorded = after([0, failing(0, 503)]);
    expect([0, 1, 3, 7].map((minutes) => nextLookMs(recorded, at(minutes)))).toEqual(
      [1, 2, 4, 8].map((minutes) => minutes * 60_000),
    );
  });

  test('a minute after the clock was set back', () => {
    expect(nextLookMs(after([0, failing(0, 503)]), at(-600))).toBe(60_000);
  });

  test('a minute after the last one if the recorded time is not valid', () => {
    const edited = {
      key: 'p',
      state: 'Failing',
      failingSince: 'long ago',
      switchOn: { attempts: 1, notBefore: '' },
    } as const;
    expect(nextLookMs({ delivery: [edited] }, at(0))).toBe(60_000);
    expect(isSwitchOnDue(edited, at(0))).toBe(true);
  });

  test('when a webhook may be switched on', () => {
    const recorded = withSwitchOns(after([0, switchedOff]), new Set(['p']), at(30));
    expect(nextLookMs(recorded, at(30))).toBe(120_000);
    expect(nextLookMs(recorded, at(31))).toBe(60_000);
    expect(nextLookMs(recorded, at(32))).toBe(33 * 60_000);
  });

  test('after the interval if no webhook fails', () => {
    expect(nextLookMs(after([0, delivered(0)]), at(1))).toBeUndefined();
    expect(nextLookMs(after([0, noAttempt]), at(1))).toBeUndefined();
    expect(nextLookMs({}, at(1))).toBeUndefined();
  });
});
