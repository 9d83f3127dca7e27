import { expect, test } from '@jest/globals';
import { AuditLogForwarding, apiVersion, kind } from '../../../../src/api/v1alpha1.ts';
import { sharedLists } from '../../../../src/forwarding/reconcile/reconcile-process.ts';
import { specOf } from '../../../support/forwarding-spec.ts';

const forwarding = AuditLogForwarding.parse({
  apiVersion,
  kind,
  metadata: { namespace: 'platform', name: 'one', uid: 'uid', resourceVersion: '1', generation: 1 },
  spec: specOf({ interval: '10m' }),
});

test.each<[string, number | undefined, number | undefined]>([
  ['was taken at once', 1_000_000, undefined],
  ['waited for a second', 999_000, undefined],
  ['waited for longer than a second', 998_999, 998_999],
  ['waited for half a minute', 970_000, 970_000],
  ['waited for longer than half a minute', 900_000, 970_000],
  ['has no known wait', undefined, undefined],
])('a forwarding that %s', (_, enqueuedAtMs, decideSinceMs) => {
  const options = { now: () => new Date(0), nowMs: () => 1_000_000, enqueuedAtMs: () => enqueuedAtMs };
  const lists = sharedLists(options, 'platform/one', { forwarding, isRequested: false });
  expect(lists).toEqual({ confirmSinceMs: 700_000, decideSinceMs });
});

test('a requested reconciliation shares no list', () => {
  const options = { now: () => new Date(0), nowMs: () => 1_000_000, enqueuedAtMs: () => 0 };
  const lists = sharedLists(options, 'platform/one', { forwarding, isRequested: true });
  expect(lists).toEqual({ confirmSinceMs: undefined, decideSinceMs: undefined });
});
