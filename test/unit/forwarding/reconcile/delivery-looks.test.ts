import { describe, expect, test } from '@jest/globals';
import { reconcileAnnotation } from '../../../../src/api/v1alpha1.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { forum, otherSiem, shop, tokens } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();
const minuteMs = 60_000;
const twoPortals: SpecChoice = { portals: [shop, forum].map((id) => ({ id, enabled: true })) };

function delivering(harness: Harness): string {
  const { status = '-', reason = '-' } = harness.condition('Delivering') ?? {};
  return `${status} ${reason}`;
}

function statusReads(harness: Harness): string[] {
  return harness.calls.filter((call) => call.endsWith('/status'));
}

describe('within the interval after a good look, the status is not read', () => {
  async function looked(): Promise<Harness> {
    const harness = await inPlace(twoPortals);
    for (const id of [shop, forum]) attempt(harness, harness.portal(id), 200);
    await next(harness, 600_000);
    harness.clearRecords();
    return harness;
  }

  test('if spec changes and Konnect need not, and the resync follows an interval after the look', async () => {
    const harness = await looked();
    harness.cluster.edit((spec) => ({ ...spec, interval: '20m' }));
    expect(await next(harness, 5 * minuteMs)).toBe(15 * minuteMs);
    expect(harness.calls.filter((call) => call.includes('audit-log-webhook'))).toHaveLength(2);
    expect([statusReads(harness), delivering(harness)]).toEqual([[], 'True Delivered']);
    await next(harness, 15 * minuteMs);
    expect(statusReads(harness)).toHaveLength(2);
  });

  test('if another token of the organization is used', async () => {
    const harness = await looked();
    harness.cluster.putSecret('konnect', { token: tokens.blueAgain });
    await next(harness, minuteMs);
    expect(statusReads(harness)).toEqual([]);
  });

  test.each<[string, (harness: Harness) => void]>([
    ['but before the destination changes', (harness) => harness.cluster.putSecret('siem', otherSiem)],
    ['but if a user requests it', (harness) => harness.cluster.annotate(reconcileAnnotation, 'now')],
  ])('%s', async (_title, change) => {
    const harness = await looked();
    change(harness);
    await next(harness, minuteMs);
    expect(statusReads(harness)).toHaveLength(2);
  });

  test('but if the operator has attached one of the webhooks since', async () => {
    const harness = await looked();
    harness.cluster.edit((spec) => ({ ...spec, organization: { enabled: true } }));
    expect(await next(harness, minuteMs)).toBe(9 * minuteMs);
    expect(statusReads(harness)).toEqual([]);
    await next(harness, minuteMs);
    expect(statusReads(harness)).toHaveLength(3);
  });

  test('but if status does not say what the last look has shown', async () => {
    const harness = await looked();
    attempt(harness, harness.portal(shop), 401);
    const { around } = harness.cluster;
    harness.cluster.around = (name, deed) => (name === 'write status' ? Promise.reject(new Error(name)) : deed());
    harness.clock.ms += 10 * minuteMs;
    await expect(harness.reconcile()).rejects.toThrow('write status');
    harness.cluster.around = around;
    await next(harness, minuteMs);
    expect(delivering(harness)).toBe('False EndpointRejected');
  });
});
