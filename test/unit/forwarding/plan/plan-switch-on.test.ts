import { expect, test } from '@jest/globals';
import type { ObservedDelivery } from '../../../../src/forwarding/observed/observe-delivery.ts';
import { planSwitchOn, switchedOnBy } from '../../../../src/forwarding/plan/plan-switch-on.ts';
import type { WebhookStep } from '../../../../src/forwarding/plan/steps.ts';
import { waiting } from '../../../../src/forwarding/problems.ts';

const isOff: WebhookStep = { kind: 'attach', because: 'enabled', isForeign: true };
const hasOtherSettings: WebhookStep = { kind: 'attach', because: 'settings', isForeign: true };
const keep: WebhookStep = { kind: 'keep', updatedAt: '2026-01-01T00:00:00Z' };
const switchOn: WebhookStep = { kind: 'attach', because: 'switched off' };
const unavailable = { ...waiting('KonnectUnavailable', 'x'), severity: 'unavailable' } as const;
const inUse = waiting('Detaching', 'x');
const refused = { ...waiting('PermissionDenied', 'x'), severity: 'stalled' } as const;

const [due, early] = [true, false];
const [recovering, fine] = [true, false];

test.each<[string, WebhookStep, ObservedDelivery | undefined, boolean, boolean, WebhookStep]>([
  ['that Konnect switched off waits', isOff, 'SwitchedOff', early, fine, { kind: 'keep' }],
  ['that Konnect switched off is switched on when that is due', isOff, 'SwitchedOff', due, recovering, switchOn],
  ['that is off only in its status waits', keep, 'SwitchedOff', early, fine, keep],
  ['that is off only in its status is switched on', keep, 'SwitchedOff', due, recovering, switchOn],
  ['that a client switched off is corrected', isOff, 'Delivered', due, recovering, isOff],
  ['that a client switched off before its first attempt is corrected', isOff, 'NoAttemptYet', early, fine, isOff],
  [
    'that is off for an unknown reason is left',
    isOff,
    { kind: 'unknown', problem: unavailable },
    due,
    fine,
    { kind: 'unknown', problem: unavailable },
  ],
  [
    'whose status is refused for a while is left',
    isOff,
    { kind: 'unknown', problem: inUse },
    due,
    fine,
    { kind: 'unknown', problem: inUse },
  ],
  ['whose status is refused for good is corrected', isOff, { kind: 'unknown', problem: refused }, early, fine, isOff],
  ['that has no status is corrected', isOff, 'unreadable', early, fine, isOff],
  ['with other settings was changed by a client', hasOtherSettings, undefined, early, fine, hasOtherSettings],
  [
    'with other settings may have been changed by Konnect',
    hasOtherSettings,
    'Failing',
    early,
    recovering,
    { ...hasOtherSettings, isForeign: false },
  ],
  ['that matches is left', keep, 'Failing', due, recovering, keep],
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
  ]);
  const destination = { kind: 'none' } as const;
  expect(switchedOnBy({ destination, portals, organization: keep })).toEqual(new Set(['p']));
  expect(switchedOnBy({ destination, portals, organization: switchOn })).toEqual(new Set(['p', 'organization']));
});
