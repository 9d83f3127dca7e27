/** Somebody sets the clock of the operator's machine: patience lasts as long as it would have; the next process has it once more. */
import { describe, expect, test } from '@jest/globals';
import { pointWebhook, touchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import { forum, key, laden, type Stage, shop } from '../support/harness.ts';
import { useStages } from '../support/use-harness.ts';

const { open, inPlace } = useStages();
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const jumps = [-30, -5, 5, 30].map((hours) => [hours] as const);

function jump(stage: Stage, hours: number): void {
  stage.clock.jumpMs += hours * hourMs;
}

const posts = (stage: Stage) => stage.konnectWrites.filter((call) => call.startsWith('POST')).length;

describe.each(jumps)('by %i hours', (hours) => {
  test('a creation whose answer was lost is looked for as long as it would have been, then made again', async () => {
    const stage = await open();
    stage.konnect.control.fail({ kind: 'drop-before', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    jump(stage, hours);
    stage.clock.ms += 29_000;
    await stage.pass();
    expect(stage.verdict).toBe('False Creating Reconciling');
    expect(posts(stage)).toBe(1);
    stage.clock.ms += 2_000;
    await stage.pass();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.destinations).toHaveLength(1);
  });

  test('a next process looks for it as long once more, and finds it', async () => {
    const stage = await open(undefined, { staleListMs: 25_000, duplicateNames: 'allowed' });
    stage.konnect.control.fail({ kind: 'drop-after', match: { method: 'POST' }, times: 1 });
    await stage.pass();
    jump(stage, hours);
    stage.restart();
    await stage.pass();
    stage.clock.ms += 31_000;
    await stage.settle();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.destinations).toHaveLength(1);
    expect(posts(stage)).toBe(1);
  });

  test('Ready stays for as long as it would have while Konnect is in trouble', async () => {
    const stage = await inPlace();
    stage.konnect.control.fail({ kind: 'status', status: 503 });
    stage.clock.ms += 10 * minuteMs;
    await stage.pass();
    jump(stage, hours);
    stage.clock.ms += 29 * minuteMs;
    await stage.pass();
    expect(stage.condition('Ready')?.status).toBe('True');
    stage.clock.ms += minuteMs;
    await stage.pass();
    expect(stage.condition('Ready')).toMatchObject({
      status: 'Unknown',
      lastTransitionTime: new Date(stage.clock.ms + stage.clock.jumpMs).toISOString().replace('.000Z', 'Z'),
    });
  });

  test('a deletion has as much patience as it would have had with a destination in use', async () => {
    const stage = await inPlace();
    const id = stage.destinations[0]?.id ?? '';
    pointWebhook(stage.konnect.model, stage.organization, stage.portal(laden), { kind: 'destination', id });
    stage.delete();
    await stage.pass();
    jump(stage, hours);
    stage.clock.ms += 9 * minuteMs;
    await stage.pass();
    expect(stage.cluster.object).toBeDefined();
    stage.clock.ms += 2 * minuteMs;
    expect(await stage.pass()).toEqual({ kind: 'done' });
    expect(stage.cluster.object).toBeUndefined();
  });

  test('a webhook waits as long as it would have for whom it is handed over to', async () => {
    const portals = [{ id: shop, enabled: true }];
    const stage = await inPlace({ portals });
    stage.add({ portals }, 'platform/younger');
    await stage.work();
    stage.delete();
    await stage.pass();
    jump(stage, hours);
    stage.clock.ms += 119_000;
    expect(await stage.pass()).toMatchObject({ kind: 'retry' });
    expect(stage.pointsAt(stage.portal(shop))).toBe('platform/sumologic on');
    stage.clock.ms += 1_000;
    await stage.pass();
    expect(stage.pointsAt(stage.portal(shop))).toBe('nothing off');
  });

  test('a webhook of one that was deleted by another clock is handed over, or let go of in time', async () => {
    const portals = [{ id: shop, enabled: true }];
    const stage = await inPlace({ portals });
    stage.add({ portals }, 'platform/younger');
    await stage.work();
    jump(stage, hours);
    stage.delete();
    await stage.pass();
    stage.clock.ms += 121_000;
    await stage.pass();
    expect(stage.pointsAt(stage.portal(shop))).toBe('nothing off');
    await stage.work();
    expect(stage.pointsAt(stage.portal(shop))).toBe('platform/younger on');
    expect(stage.cluster.objects.has(key)).toBe(false);
  });

  test('a war over an object is still one, or begins to be counted anew; it is over a day after the old time', async () => {
    const stage = await inPlace();
    async function strike(): Promise<string> {
      const webhook = stage.portal(forum);
      webhook.enabled = false;
      touchWebhook(stage.konnect.model, webhook);
      await stage.interval();
      return stage.verdict;
    }
    for (let count = 0; count < 3; count += 1) expect(await strike()).toBe('True InSync');
    expect(await strike()).toBe('False Contested Stalled');
    jump(stage, hours);
    const after = await strike();
    expect(after).toBe(Math.abs(hours) > 24 ? 'True InSync' : 'False Contested Stalled');
    stage.clock.ms += (24 + Math.abs(hours)) * hourMs;
    await stage.interval();
    expect(stage.verdict).toBe('True InSync');
    expect(stage.pointsAt(stage.portal(forum))).toBe('platform/sumologic on');
  });
});
