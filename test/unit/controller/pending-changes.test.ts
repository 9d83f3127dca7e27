import { expect, test } from '@jest/globals';
import { PendingChanges } from '../../../src/controller/pending-changes.ts';

function setUp() {
  const time = { ms: 0 };
  const changes = new PendingChanges<'spec' | 'secret'>(() => time.ms);
  const applied = { outcome: 'requeue', durationMs: 10, isApplied: true } as const;
  return { time, changes, applied };
}

test('a change counts from when it was seen until the work has ended, once', () => {
  const { time, changes, applied } = setUp();
  changes.add('a', 'spec');
  time.ms = 1_000;
  changes.add('a', 'secret');
  time.ms = 5_000;
  expect(changes.ended('b', applied)).toBeUndefined();
  expect(changes.ended('a', { ...applied, outcome: 'retry' })).toBeUndefined();
  expect(changes.ended('a', { ...applied, outcome: 'failed' })).toBeUndefined();
  time.ms = 6_000;
  expect(changes.ended('a', applied)).toEqual({ cause: 'spec', tookMs: 6_000 });
  expect(changes.ended('a', applied)).toBeUndefined();
});

test('a change during a reconciliation waits for the next one', () => {
  const { time, changes, applied } = setUp();
  time.ms = 100;
  changes.add('a', 'spec');
  time.ms = 150;
  expect(changes.ended('a', { ...applied, durationMs: 100 })).toBeUndefined();
  time.ms = 200;
  expect(changes.ended('a', { ...applied, durationMs: 40 })).toEqual({ cause: 'spec', tookMs: 100 });
});

test('a second change during a reconciliation is measured by the next one', () => {
  const { time, changes, applied } = setUp();
  changes.add('a', 'spec');
  time.ms = 150;
  changes.add('a', 'secret');
  time.ms = 200;
  // Ready is not yet for the second change.
  expect(changes.ended('a', { ...applied, durationMs: 100, isApplied: false })).toBeUndefined();
  time.ms = 300;
  expect(changes.ended('a', { ...applied, durationMs: 90 })).toEqual({ cause: 'secret', tookMs: 150 });
  expect(changes.ended('a', applied)).toBeUndefined();
});

test.each([
  ['a user has to act', 'requeue'],
  ['the forwarding is deleted', 'done'],
] as const)('a change no longer counts if %s', (_why, outcome) => {
  const { time, changes, applied } = setUp();
  changes.add('a', 'spec');
  time.ms = 100;
  expect(changes.ended('a', { ...applied, outcome, isApplied: false })).toBeUndefined();
  expect(changes.ended('a', applied)).toBeUndefined();
});
