import { describe, expect, test } from '@jest/globals';
import type { SpecChoice } from '../../../support/forwarding-spec.ts';
import { shop } from '../../../support/konnect-fixtures.ts';
import { attempt, next } from '../support/deliveries.ts';
import { dayMs, entryOf, minuteMs, nowIn, oneShop, shown } from '../support/gaps.ts';
import type { Harness } from '../support/harness.ts';
import { useHarness } from '../support/use-harness.ts';

const { inPlace } = useHarness();

/** A webhook that failed and delivers again, with a replay that Konnect has not got yet. */
async function beforeReplay(choice: SpecChoice = {}): Promise<Harness> {
  const harness = await inPlace({ ...oneShop, gapRecovery: 'Replay', ...choice });
  attempt(harness, harness.portal(shop), 503);
  await next(harness, 10 * minuteMs);
  attempt(harness, harness.portal(shop), 200);
  harness.clock.ms += minuteMs;
  harness.clearRecords();
  return harness;
}

describe('a replay', () => {
  test('waits while Konnect runs another one of that webhook, and is then requested', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.behave({ replayDurationMs: 5 * minuteMs });
    const job = {
      startAt: nowIn(harness),
      endAt: nowIn(harness),
      acceptedAt: new Date(harness.clock.ms),
      pending: 0,
      failed: false,
    };
    harness.portal(shop).replay = { ...job, startedAt: new Date(harness.clock.ms) };
    const waits = [await next(harness, 0)];
    expect(entryOf(harness)?.replay?.state).toBe('Requested');
    for (let count = 0; count < 2; count += 1) waits.push(await next(harness, minuteMs));
    expect(waits).toEqual([1, 2, 3].map((one) => one * minuteMs));
    expect(harness.konnectWrites).toHaveLength(1);
    await next(harness, 3 * minuteMs);
    expect(harness.konnectWrites).toHaveLength(2);
    expect(entryOf(harness)?.replay?.state).toBe('Accepted');
  });

  test('whose answer is lost is found, however Konnect shows its times', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.behave({ replayTimes: 'with-offset' });
    harness.konnect.control.fail({ kind: 'drop-after', match: { method: 'PUT' }, times: 1 });
    await next(harness, 0);
    expect(entryOf(harness)?.replay?.state).toBe('Requested');
    await next(harness, minuteMs);
    expect(entryOf(harness)?.replay?.state).toBe('Completed');
    expect(harness.konnectWrites).toHaveLength(1);
  });

  test('that fails is requested once more after an hour, then it stays said', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.behave({ replayOutcome: 'failed' });
    await next(harness, 0);
    expect(await next(harness, minuteMs)).toBe(10 * minuteMs);
    expect(shown(harness, 'LogsUndelivered')).toMatch(
      /^ReplayFailed: the replay of .* failed: the operator requests it once more at 2026-/,
    );
    for (let count = 0; count < 12; count += 1) await next(harness, 10 * minuteMs);
    expect(harness.konnectWrites).toHaveLength(2);
    expect(shown(harness, 'LogsUndelivered')).toMatch(
      /^ReplayFailed: .* failed: correct the cause, then run: kubectl annotate/,
    );
    expect(harness.reasons.filter((reason) => reason === 'ReplayFailed')).toHaveLength(2);
    expect(entryOf(harness)).toHaveProperty('gap.to');
    harness.clearRecords();
    for (let count = 0; count < 12; count += 1) await next(harness, 10 * minuteMs);
    expect([harness.konnectWrites, harness.cluster.writes]).toEqual([[], 0]);
  });

  test('that Konnect refuses counts as failed, and the message has the status', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { method: 'PUT' } });
    await next(harness, 0);
    expect(entryOf(harness)?.replay).toMatchObject({ state: 'Failed', code: 403 });
    expect(shown(harness, 'LogsUndelivered')).toContain(
      'failed, because Konnect refused it (HTTP 403): the operator requests it once more',
    );
    expect(harness.readiness).toBe('True InSync');
  });

  test('is not requested before deliveries succeed, nor by a forwarding that observes', async () => {
    const harness = await beforeReplay({ mode: 'Enforce' });
    harness.cluster.edit((spec) => ({ ...spec, mode: 'Observe' }));
    await harness.work();
    expect(harness.konnectWrites).toEqual([]);
    expect(shown(harness, 'LogsUndelivered')).toContain('set spec.mode to Enforce');
    attempt(harness, harness.portal(shop), 503);
    harness.cluster.edit((spec) => ({ ...spec, mode: 'Enforce' }));
    await harness.work();
    expect(harness.konnectWrites.filter((call) => call.includes('replay'))).toEqual([]);
    const [first, second] = ['2026-01-02T03:04:05.000Z', '2026-01-02T03:14:05.000Z'];
    expect(entryOf(harness)).toMatchObject({ earlierGaps: [{ from: first, to: second }], gap: { from: second } });
  });

  test('is requested for each webhook with its own window, after one status that has them all', async () => {
    const harness = await inPlace({ ...oneShop, organization: { enabled: true }, gapRecovery: 'Replay' });
    const webhooks = [harness.portal(shop), harness.webhook()];
    for (const webhook of webhooks) attempt(harness, webhook, 503);
    await next(harness, 10 * minuteMs);
    for (const webhook of webhooks) {
      attempt(harness, webhook, 200);
      harness.clock.ms += minuteMs;
    }
    harness.clearRecords();
    await next(harness, minuteMs);
    expect(harness.konnectWrites.toSorted()).toEqual([
      `PUT us/v3/audit-log-replay-job`,
      `PUT us/v3/portals/${shop}/audit-log-replay-job`,
    ]);
    expect(harness.cluster.statuses[0]?.delivery?.map(({ replay }) => replay?.state)).toEqual([
      'Requested',
      'Requested',
    ]);
    expect(webhooks.map(({ replay }) => replay?.endAt)).toEqual(['2026-01-02T03:14:05Z', '2026-01-02T03:15:05Z']);
  });
});

describe('a gap that gets old', () => {
  test('is warned of after six days, is being lost after seven, and the loss is said', async () => {
    const harness = await inPlace({ ...oneShop, gapRecovery: 'Replay' });
    attempt(harness, harness.portal(shop), 503);
    await next(harness, minuteMs);
    harness.clock.ms += 6 * dayMs - 5 * minuteMs;
    expect(await next(harness, 0)).toBeLessThanOrEqual(4 * minuteMs);
    expect(harness.condition('LogLossImminent')).toBeUndefined();
    harness.clearRecords();
    await next(harness, 4 * minuteMs);
    expect(shown(harness, 'LogLossImminent')).toBe(
      `GapSixDaysOld: audit logs of portal ${shop} since 2026-01-02T03:04:05Z were not delivered, and Konnect deletes them after 7 days: see LogsUndelivered`,
    );
    expect(harness.reasons).toContain('GapSixDaysOld');
    harness.clearRecords();
    await next(harness, dayMs);
    expect(shown(harness, 'LogLossImminent')).toContain('LogsLost: Konnect deletes audit logs of');
    expect(harness.reasons).toContain('LogsLost');

    harness.clearRecords();
    attempt(harness, harness.portal(shop), 200);
    await next(harness, 60 * minuteMs);
    const from = new Date(harness.clock.ms - 7 * dayMs + 5 * minuteMs).toISOString().replace('.000', '');
    expect(entryOf(harness)?.replay).toMatchObject({ from });
    expect(harness.cluster.announcements.find(({ reason }) => reason === 'LogsLost')?.note).toBe(
      `audit logs of portal ${shop} from 2026-01-02T03:04:05Z to ${from} are lost: they were not delivered, and Konnect keeps audit logs for 7 days`,
    );
    await next(harness, minuteMs);
    expect(harness.condition('LogLossImminent')).toBeUndefined();
  });

  test('is given up with mode Report when all of it is lost', async () => {
    const harness = await inPlace(oneShop);
    attempt(harness, harness.portal(shop), 503);
    await next(harness, 10 * minuteMs);
    attempt(harness, harness.portal(shop), 200);
    await next(harness, minuteMs);
    harness.clearRecords();
    await next(harness, 7 * dayMs);
    expect(entryOf(harness)).not.toHaveProperty('gap');
    expect(harness.reasons).toContain('LogsLost');
    expect(harness.condition('LogsUndelivered')).toBeUndefined();
    expect(harness.condition('LogLossImminent')).toBeUndefined();
  });

  test('is given up with its replay although spec has switched the webhook off', async () => {
    const harness = await beforeReplay();
    harness.konnect.control.fail({ kind: 'status', status: 403, match: { method: 'PUT' }, times: 1 });
    await next(harness, 0);
    harness.cluster.edit((spec) => ({ ...spec, portals: [{ id: shop, enabled: false }] }));
    await harness.work();
    expect(entryOf(harness)).toMatchObject({
      state: 'Off',
      replay: { state: 'Failed', retryTime: expect.any(String) },
    });
    harness.clearRecords();
    await next(harness, 7 * dayMs);
    expect(entryOf(harness)?.replay).not.toHaveProperty('retryTime');
    expect(await next(harness, 10 * minuteMs)).toBe(10 * minuteMs);
    expect(entryOf(harness)).not.toHaveProperty('gap');
    expect(harness.reasons).toContain('LogsLost');
    expect(harness.condition('LogLossImminent')).toBeUndefined();
    expect(harness.konnectWrites).toEqual([]);
  });
});
