/** Somebody sets the clock of the operator's machine: patience lasts as long as it would have; the next process has it once more. */
import { describe, expect, test } from '@jest/globals';
import { pointWebhook, touchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { key } from '../../../support/forwarding-spec.ts';
import { forum, laden, shop } from '../../../support/konnect-fixtures.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { open, inPlace } = useHarness();
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const jumps = [-30, -5, 5, 30].map((hours) => [hours] as const);

function jump(harness: Harness, hours: number): void {
  harness.clock.jumpMs += hours * hourMs;
}

const posts = (harness: Harness) => harness.konnectWrites.filter((call) => call.startsWith('POST')).length;

describe.each(jumps)('by %i hours', (hours) => {
  test('a creation whose answer was lost is looked for as long as it would have been, then made again', async () => {
    const harness = await open();
    harness.konnect.control.fail({ kind: 'drop-before', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    jump(harness, hours);
    harness.clock.ms += 29_000;
    await harness.reconcile();
    expect(harness.readiness).toBe('False Creating Reconciling');
    expect(posts(harness)).toBe(1);
    harness.clock.ms += 2_000;
    await harness.reconcile();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.destinations).toHaveLength(1);
  });

  test('the next process looks for it for the same time again, and finds it', async () => {
    const harness = await open(undefined, { staleListMs: 25_000, duplicateNames: 'allowed' });
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await harness.reconcile();
    jump(harness, hours);
    harness.restart();
    await harness.reconcile();
    harness.clock.ms += 31_000;
    await harness.settle();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.destinations).toHaveLength(1);
    expect(posts(harness)).toBe(1);
  });

  test('Ready stays as long as it would have during an outage of Konnect', async () => {
    const harness = await inPlace();
    harness.konnect.control.fail({ kind: 'status', status: 503 });
    harness.clock.ms += 10 * minuteMs;
    await harness.reconcile();
    jump(harness, hours);
    harness.clock.ms += 29 * minuteMs;
    await harness.reconcile();
    expect(harness.condition('Ready')?.status).toBe('True');
    harness.clock.ms += minuteMs;
    await harness.reconcile();
    expect(harness.condition('Ready')).toMatchObject({
      status: 'Unknown',
      lastTransitionTime: new Date(harness.clock.ms + harness.clock.jumpMs).toISOString().replace('.000Z', 'Z'),
    });
  });

  test('a deletion has as much patience as it would have had with a destination in use', async () => {
    const harness = await inPlace();
    const id = harness.destinations[0]?.id ?? '';
    pointWebhook(harness.konnect.model, harness.organization, harness.portal(laden), { kind: 'destination', id });
    harness.delete();
    await harness.reconcile();
    jump(harness, hours);
    harness.clock.ms += 9 * minuteMs;
    await harness.reconcile();
    expect(harness.cluster.object).toBeDefined();
    harness.clock.ms += 2 * minuteMs;
    expect(await harness.reconcile()).toEqual({ kind: 'done' });
    expect(harness.cluster.object).toBeUndefined();
  });

  test('a webhook waits as long as it would have for whom it is handed over to', async () => {
    const portals = [{ id: shop, enabled: true }];
    const harness = await inPlace({ portals });
    harness.add({ portals }, 'platform/younger');
    await harness.work();
    harness.delete();
    await harness.reconcile();
    jump(harness, hours);
    harness.clock.ms += 119_000;
    expect(await harness.reconcile()).toMatchObject({ kind: 'retry' });
    expect(harness.pointsAt(harness.portal(shop))).toBe('platform/sumologic on');
    harness.clock.ms += 1_000;
    await harness.reconcile();
    expect(harness.pointsAt(harness.portal(shop))).toBe('nothing off');
  });

  test('a webhook of a forwarding that was deleted by another clock is handed over, or detached in time', async () => {
    const portals = [{ id: shop, enabled: true }];
    const harness = await inPlace({ portals });
    harness.add({ portals }, 'platform/younger');
    await harness.work();
    jump(harness, hours);
    harness.delete();
    await harness.reconcile();
    harness.clock.ms += 121_000;
    await harness.reconcile();
    expect(harness.pointsAt(harness.portal(shop))).toBe('nothing off');
    await harness.work();
    expect(harness.pointsAt(harness.portal(shop))).toBe('platform/younger on');
    expect(harness.cluster.objects.has(key)).toBe(false);
  });

  test('a conflict over an object continues, or its count begins again, and ends a day after the old time', async () => {
    const harness = await inPlace();
    async function strike(): Promise<string> {
      const webhook = harness.portal(forum);
      webhook.enabled = false;
      touchWebhook(harness.konnect.model, webhook);
      await harness.resync();
      return harness.readiness;
    }
    for (let count = 0; count < 3; count += 1) expect(await strike()).toBe('True InSync');
    expect(await strike()).toBe('False Contested Stalled');
    jump(harness, hours);
    const after = await strike();
    expect(after).toBe(Math.abs(hours) > 24 ? 'True InSync' : 'False Contested Stalled');
    harness.clock.ms += (24 + Math.abs(hours)) * hourMs;
    await harness.resync();
    expect(harness.readiness).toBe('True InSync');
    expect(harness.pointsAt(harness.portal(forum))).toBe('platform/sumologic on');
  });
});
