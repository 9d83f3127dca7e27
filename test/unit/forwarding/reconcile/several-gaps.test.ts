/** Gaps of one webhook that open before the earlier ones are replayed. */
import { describe, expect, test } from '@jest/globals';
import { clearWebhook, switchWebhook } from '../../../../sandbox/konnect/model/webhooks.ts';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();
const minuteMs = 60_000;
const oneShop: SpecChoice = { portals: [{ id: shop, enabled: true }], interval: '5m' };

/** The webhook fails for ten minutes and then delivers, this number of times. Each delivery follows the last one after ten minutes. */
async function failAgainAndAgain(harness: Harness, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    for (const code of [503, 200]) {
      harness.clock.ms += 5 * minuteMs;
      attempt(harness, harness.portal(shop), code);
      await next(harness, minuteMs);
    }
  }
}

function windowsIn({ status }: Harness): string[] {
  const [{ earlierGaps = [], gap } = { gap: undefined }] = status.delivery ?? [];
  return [...earlierGaps, ...(gap === undefined ? [] : [gap])].map(({ from, to = '' }) =>
    [from, to].map((time) => time.slice(11, 16)).join('-'),
  );
}

describe('the gaps of a webhook that fails again and again', () => {
  test('are replayed one after another, and nothing that was delivered in between', async () => {
    const harness = await inPlace(oneShop);
    await failAgainAndAgain(harness, 3);
    expect(windowsIn(harness)).toEqual(['03:04-03:15', '03:15-03:27', '03:27-03:39']);
    harness.konnect.control.behave({ replayDurationMs: 2 * minuteMs });
    harness.cluster.edit((spec) => ({ ...spec, gapRecovery: { mode: 'Replay' } }));
    harness.clearRecords();
    const windows: (string | undefined)[] = [];
    await harness.work();
    for (let count = 0; count < 12; count += 1) {
      windows.push(harness.portal(shop).replay?.startAt.slice(11, 16));
      await next(harness, minuteMs);
    }
    expect([...new Set(windows)]).toEqual(['03:04', '03:15', '03:27']);
    expect(harness.konnectWrites).toHaveLength(3);
    expect(windowsIn(harness)).toEqual([]);
    expect(harness.reasons.filter((reason) => reason === 'ReplayCompleted')).toHaveLength(3);
    expect(harness.condition('LogsUndelivered')).toBeUndefined();
  });

  test('are said with a command for each, and those that have no room become one', async () => {
    const harness = await inPlace(oneShop);
    await failAgainAndAgain(harness, 2);
    const message = harness.condition('LogsUndelivered')?.message ?? '';
    expect(message.split('; ')).toEqual([
      expect.stringMatching(/^audit logs of .* from 2026-01-02T03:04:05Z .* were not delivered: .* run: kubectl /),
      expect.stringMatching(/^audit logs of .* from 2026-01-02T03:15:05Z .* were not delivered: .* run: kubectl /),
    ]);
    await failAgainAndAgain(harness, 4);
    expect(windowsIn(harness)).toHaveLength(5);
    expect(harness.status.delivery?.[0]?.earlierGaps?.filter(({ isMerged }) => isMerged)).toHaveLength(1);
    expect(harness.condition('LogsUndelivered')?.message).toContain(
      ', apart from some in between, were not delivered: to have them',
    );
  });

  test('stay said if their replay fails, while the later ones are replayed', async () => {
    const harness = await inPlace(oneShop);
    await failAgainAndAgain(harness, 2);
    harness.konnect.control.behave({ replayOutcome: 'failed' });
    harness.cluster.edit((spec) => ({ ...spec, gapRecovery: { mode: 'Replay' } }));
    await harness.work();
    await next(harness, minuteMs);
    await next(harness, 60 * minuteMs);
    await next(harness, minuteMs);
    harness.konnect.control.behave({ replayOutcome: 'delivered' });
    attempt(harness, harness.portal(shop), 200);
    for (let count = 0; count < 6; count += 1) await next(harness, 10 * minuteMs);
    expect(windowsIn(harness)).toEqual(['03:04-03:15']);
    expect(harness.portal(shop).replay?.startAt).toBe('2026-01-02T03:15:05Z');
    expect(harness.condition('LogsUndelivered')).toMatchObject({
      reason: 'ReplayFailed',
      message: expect.stringMatching(/from 2026-01-02T03:04:05Z to .* failed: correct the cause, then run: kubectl /),
    });
    harness.clearRecords();
    for (let count = 0; count < 6; count += 1) await next(harness, 10 * minuteMs);
    expect(harness.konnectWrites).toEqual([]);
  });

  test('end with the last delivery before another client switched the webhook off again', async () => {
    const harness = await inPlace(oneShop);
    const { model } = harness.konnect;
    clearWebhook(model, harness.organization, harness.portal(shop));
    await next(harness, 10 * minuteMs);
    harness.clock.ms += minuteMs;
    attempt(harness, harness.portal(shop), 200);
    harness.clock.ms += minuteMs;
    switchWebhook(model, harness.portal(shop), false);
    await next(harness, 10 * minuteMs);
    expect(windowsIn(harness)).toEqual(['03:04-03:15', '03:15-']);
  });
});
