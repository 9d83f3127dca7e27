import { expect, test } from '@jest/globals';
import { seenDelivery } from '../../../../src/forwarding/observed/observe-delivery.ts';
import type { WebhookStatus } from '../../../../src/konnect/schema.ts';
import type { SeenDelivery } from '../../../../src/status/delivery.ts';

const [on, off] = [true, false];

/** By what the webhook itself shows, then by what its status says. */
test.each<[boolean, WebhookStatus, SeenDelivery['state']]>([
  [on, { enabled: true, word: 'active' }, 'NoAttemptYet'],
  [on, { enabled: true, word: 'active', lastResponseCode: 204 }, 'Delivered'],
  [on, { enabled: true, word: 'active', lastResponseCode: 503 }, 'Failing'],
  [on, { enabled: true, word: 'inactive', lastResponseCode: 503 }, 'Failing'],
  [on, { enabled: true, word: 'inactive', lastResponseCode: 200 }, 'Failing'],
  [on, { enabled: true, word: 'inactive' }, 'Failing'],
  [on, { word: 'inactive' }, 'Failing'],
  [on, { enabled: false, word: 'inactive', lastResponseCode: 503 }, 'SwitchedOff'],
  [on, { enabled: false, word: 'active', lastResponseCode: 200 }, 'Delivered'],
  [off, { enabled: false, word: 'inactive', lastResponseCode: 401 }, 'SwitchedOff'],
  [off, { enabled: true, word: 'inactive' }, 'SwitchedOff'],
  [off, { enabled: false, word: 'active' }, 'NoAttemptYet'],
  [off, { enabled: false, word: 'active', lastResponseCode: 200 }, 'Delivered'],
  [off, { enabled: false, word: 'unconfigured' }, 'NoAttemptYet'],
  [off, { enabled: false, word: 'paused', lastResponseCode: 503 }, 'Failing'],
  [off, {}, 'NoAttemptYet'],
  [on, { word: 'active', lastAttemptAt: '2026-01-02T03:04:05Z' }, 'Delivered'],
  [on, { word: 'active', lastAttemptAt: '2026-01-02T03:04:05Z', lastFailure: 'connection' }, 'Failing'],
])('enabled %j with the status %j: %s', (isOn, status, expected) => {
  expect(seenDelivery(status, isOn).state).toBe(expected);
});

test('an inactive webhook that is on may be switched off all the same', () => {
  const attempt = { lastAttemptAt: '2026-01-02T03:04:05Z', lastFailure: 'name' } as const;
  const seen = { kind: 'seen', attemptTime: '2026-01-02T03:04:05Z', failure: 'name' };
  expect(seenDelivery({ word: 'inactive', ...attempt }, on)).toEqual({ ...seen, state: 'Failing', isInactive: true });
  expect(seenDelivery({ word: 'active', ...attempt }, on)).toEqual({ ...seen, state: 'Failing' });
  expect(seenDelivery({ word: 'inactive', ...attempt }, off)).toEqual({ ...seen, state: 'SwitchedOff' });
});
