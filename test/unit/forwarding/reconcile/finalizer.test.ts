import { describe, expect, test } from '@jest/globals';
import { finalizer } from '../../../../src/api/v1alpha1.ts';
import { laden } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();

function finalizers(harness: Harness): readonly string[] | undefined {
  return harness.cluster.object?.metadata.finalizers;
}

describe('a finalizer that another client has removed', () => {
  const situations: Record<string, (harness: Harness) => void> = {
    'in normal operation': () => undefined,
    'while suspended': (harness) => harness.cluster.edit((spec) => ({ ...spec, suspend: true })),
    'while only observing': (harness) => harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' })),
    'without a token': (harness) => harness.cluster.secrets.clear(),
    'while Konnect is unavailable': (harness) => void harness.konnect.control.fail({ kind: 'drop-before' }),
  };

  test.each(Object.entries(situations))('is added again at once %s, and an event says so', async (_title, begin) => {
    const harness = await inPlace();
    await harness.work();
    begin(harness);
    // From here on, only the watch enqueues the forwarding.
    await harness.work();
    harness.clearRecords();
    harness.cluster.replace();
    await harness.work(() => finalizers(harness)?.length === 1);
    expect(finalizers(harness)).toEqual([finalizer]);
    expect(harness.cluster.announcements[0]).toMatchObject({ type: 'Warning', reason: 'FinalizerRestored' });
    expect(harness.konnectWrites).toEqual([]);
  });

  test('is added again before anything is read from Konnect', async () => {
    const harness = await inPlace();
    harness.cluster.replace();
    harness.crashAfter(1);
    await expect(harness.reconcile()).rejects.toThrow('died before the answer');
    expect(finalizers(harness)).toEqual([finalizer]);
    expect(harness.calls).toEqual([]);
  });

  test('is not added to a forwarding that owns nothing in Konnect', async () => {
    const harness = await open({ portals: [{ id: laden, enabled: true }] });
    await harness.reconcile();
    harness.cluster.replace();
    await harness.work();
    expect(finalizers(harness)).toEqual([]);
    expect(harness.reasons).not.toContain('FinalizerRestored');
  });

  test('is not added to a forwarding that is being deleted', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'drop-before' });
    harness.delete();
    await harness.reconcile();
    expect(harness.cluster.object).toBeDefined();
    expect(harness.reasons).not.toContain('FinalizerRestored');
  });
});
