import { expect, test } from '@jest/globals';
import type { ObservedDelivery } from '../../../../src/forwarding/observed/observe-delivery.ts';
import { planSwitchOn, switchedOnBy } from '../../../../src/forwarding/plan/plan-switch-on.ts';
import type { WebhookStep } from '../../../../src/forwarding/plan/steps.ts';
import { waiting } from '../../../../src/forwarding/problems.ts';

const isOff: WebhookStep = { kind: 'attach', because: 'enabled', isForeign: true };
const hasOtherSettings: WebhookStep = { kind: 'attach', because: 'settings', isForeign: true };
const keep: WebhookStep = { kind: 'keep', updatedAt: '2026-01-01T00:00:00Z' };
const switchOn: WebhookStep = { kind: 'attach', because: 'switched off' };
const setAgain: WebhookStep = { kind: 'attach', because: 'inactive' };
const unavailable = { ...waiting('KonnectUnavailable', 'x'), severity: 'unavailable' } as const;
const inUse = waiting('Detaching', 'x');
const refused = { ...waiting('PermissionDenied', 'x'), severity: 'stalled' } as const;

const [due, early] = [true, false];
const [recovering, fine] = [true, false];

const seen = (state: 'Delivered' | 'NoAttemptYet' | 'Failing' | 'SwitchedOff') => ({ kind: 'seen', state }) as const;

test.each<[string, WebhookStep, ObservedDelivery | undefined, boolean, boolean, WebhookStep]>([
  ['that Konnect switched off waits', isOff, seen('SwitchedOff'), early, fine, { kind: 'keep' }],
  ['that Konnect switched off is switched on when that is due', isOff, seen('SwitchedOff'), due, recovering, switchOn],
  ['that is off only in its status waits', keep, seen('SwitchedOff'), early, fine, keep],
  ['that is off only in its status is switched on', keep, seen('SwitchedOff'), due, recovering, switchOn],
  ['that a client switched off is corrected', isOff, seen('Delivered'), early, recovering, isOff],
  ['that a client switched off before its first attempt is corrected', isOff, seen('NoAttemptYet'), early, fine, isOff],
  [
    'that is off for an unknown reason is left',
    isOff,
    { kind: 'unknown', problem: unavailable },
    early,
    fine,
    { kind: 'unknown', problem: unavailable },
  ],
  [
    'whose status is refused for a while is left',
    isOff,
    { kind: 'unknown', problem: inUse },
    early,
    fine,
    { kind: 'unknown', problem: inUse },
  ],
  ['whose status is refused for good is corrected', isOff, { kind: 'unknown', problem: refused }, early, fine, isOff],
  ['with other settings was changed by a client', hasOtherSettings, undefined, early, fine, hasOtherSettings],
  [
    'with other settings may have been changed by Konnect',
    hasOtherSettings,
    seen('Failing'),
    early,
    recovering,
    { ...hasOtherSettings, isForeign: false },
  ],
  ['that is on and has stopped is set again', keep, seen('Failing'), due, recovering, setAgain],
  ['that matches is left', keep, seen('Failing'), early, recovering, keep],
  [
    'that another forwarding owns is left',
    { kind: 'lost', to: 'a/b' },
    undefined,
    due,
    fine,
    { kind: 'lost', to: 'a/b' },
  ],
])('a webhook %s', (_title, step, delivery, isDue, isRecovering, expected) => {
  expect(planSwitchOn(step, delivery, { isDue, isRecovering })).toEqual(expected);
});

test('the webhooks that a plan switches on have the keys of status.delivery', () => {
  const portals = new Map([
    ['p', switchOn],
    ['q', isOff],
    ['r', setAgain],
  ]);
  const destination = { kind: 'none' } as const;
  expect(switchedOnBy({ destination, portals, organization: keep })).toEqual(new Set(['p', 'r']));
  expect(switchedOnBy({ destination, portals, organization: switchOn })).toEqual(new Set(['p', 'r', 'organization']));
});
