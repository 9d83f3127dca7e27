/** `status.lastObservedTime` says when the operator last compared Konnect with spec, to the hour. */
import { expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import { usual } from '../../../support/forwarding-spec.ts';
import type { Harness } from '../support/harness.ts';
import { nextResync, useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const hourMs = 3_600_000;

const nowOf = ({ clock }: Harness) => new Date(clock.ms + clock.jumpMs).toISOString();

test('at rest it is written once an hour, with nothing else', async () => {
  const harness = await inPlace();
  const first = harness.status;
  expect(first.lastObservedTime).toBe(nowOf(harness));
  for (let count = 0; count < 5; count += 1) await nextResync(harness);
  expect([harness.status, harness.cluster.observations]).toEqual([first, 0]);
  await nextResync(harness);
  expect([harness.status, harness.cluster.observations]).toEqual([{ ...first, lastObservedTime: nowOf(harness) }, 1]);
  for (let count = 0; count < 12; count += 1) await nextResync(harness);
  expect([harness.cluster.observations, harness.cluster.writes, harness.reasons]).toEqual([3, 0, []]);
});

test.each(['2h', '24h'])('with an interval of %s every reconciliation writes it', async (interval) => {
  const harness = await inPlace({ ...usual, interval });
  for (let count = 1; count <= 3; count += 1) {
    harness.clock.ms += 2 * hourMs;
    await harness.reconcile();
    expect([harness.status.lastObservedTime, harness.cluster.observations]).toEqual([nowOf(harness), count]);
  }
});

test('with mode Observe it is written as well, whether Konnect differs or not', async () => {
  const harness = await open({ ...usual, mode: 'Observe' });
  await harness.reconcile();
  expect(harness.readiness).toBe('False Drifted');
  harness.clock.ms += hourMs;
  await harness.reconcile();
  expect(harness.status.lastObservedTime).toBe(nowOf(harness));
  expect(harness.konnectWrites).toEqual([]);
});

test('it stays when the operator saw nothing: in an outage, without a token, and while suspended', async () => {
  const harness = await inPlace();
  const before = harness.status.lastObservedTime;
  async function nothingSeen(readiness: string): Promise<void> {
    harness.clock.ms += 2 * hourMs;
    harness.cluster.annotate(reconcileAnnotation, nowOf(harness));
    await harness.reconcile();
    expect([harness.readiness, harness.status.lastObservedTime]).toEqual([readiness, before]);
  }
  harness.konnect.control.fail({ kind: 'status', status: 503 });
  await nothingSeen('True InSync Reconciling');
  harness.konnect.control.clearFaults();
  harness.konnect.control.fail({ kind: 'status', status: 401 });
  await nothingSeen('False TokenRejected Stalled');
  harness.konnect.control.clearFaults();
  harness.cluster.edit((spec) => ({ ...spec, suspend: true }));
  await nothingSeen('Unknown Suspended');
  harness.cluster.edit((spec) => ({ ...spec, suspend: false }));
  await harness.settle();
  expect(harness.status.lastObservedTime).toBe(nowOf(harness));
});

test('it is written again after the clock was set back, and then once an hour', async () => {
  const harness = await inPlace();
  harness.clock.jumpMs -= 30 * hourMs;
  await nextResync(harness);
  expect([harness.status.lastObservedTime, harness.cluster.observations]).toEqual([nowOf(harness), 1]);
  await nextResync(harness);
  expect(harness.cluster.observations).toBe(1);
});
