import { describe, expect, test } from '@jest/globals';
import type { ForwardingSample } from '../../../src/telemetry/forwarding-metrics.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

const resource = { namespace: 'platform', name: 'sumologic' };

function setUp() {
  const time = { ms: 1_000_000 };
  const metrics = createMetrics({
    version: '1.2.3',
    nodeVersion: 'v24.0.0',
    hasProcessMetrics: false,
    nowMs: () => time.ms,
  });
  /** Resolves with the series of the metrics whose name begins with `prefix`, without the namespace and the name. */
  const series = async (prefix: string) =>
    (await metrics.text())
      .split('\n')
      .filter((line) => line.startsWith(`konnect_audit_log_${prefix}`))
      .map((line) => line.replace('konnect_audit_log_', '').replace(/namespace="platform",name="sumologic",?/, ''));
  return { metrics, time, series };
}

const condition = (status: string, reason: string): ForwardingSample => ({
  metric: 'condition',
  labels: { type: 'Ready', status, reason },
  value: 1,
});

describe('the metrics of a forwarding', () => {
  test('are replaced as a whole, and removed with the forwarding', async () => {
    const { metrics, series } = setUp();
    metrics.show(resource, [condition('False', 'Creating'), { metric: 'interval', labels: {}, value: 600 }]);
    metrics.show(resource, [condition('True', 'InSync')]);
    expect(await series('condition')).toEqual(['condition{type="Ready",status="True",reason="InSync"} 1']);
    expect(await series('forwarding_interval')).toEqual([]);
    metrics.lookedAt(resource);
    metrics.forget(resource);
    metrics.forget({ namespace: 'never', name: 'seen' });
    expect(await series('')).toEqual(expect.not.arrayContaining([expect.stringMatching(/platform|^[a-z_]+\{\}/)]));
  });

  test('leave those of other forwardings alone', async () => {
    const { metrics, series } = setUp();
    metrics.show(resource, [condition('True', 'InSync')]);
    metrics.show({ namespace: 'other', name: 'one' }, [condition('Unknown', 'Suspended')]);
    metrics.forget(resource);
    expect(await series('condition')).toEqual([
      'condition{namespace="other",name="one",type="Ready",status="Unknown",reason="Suspended"} 1',
    ]);
  });

  test('say when the forwarding was last ready: now, or when that ended, whatever Ready was in between', async () => {
    const { metrics, time, series } = setUp();
    const last = () => series('forwarding_last_ready');
    metrics.show(resource, []);
    expect(await last()).toEqual([]);
    metrics.show(resource, [{ metric: 'lastReady', labels: {}, value: 'now' }]);
    time.ms = 2_000_000;
    expect(await last()).toEqual(['forwarding_last_ready_timestamp_seconds{} 2000']);
    metrics.show(resource, [{ metric: 'lastReady', labels: {}, value: 2_100 }]);
    metrics.show(resource, [{ metric: 'lastReady', labels: {}, value: 2_200 }]);
    time.ms = 3_000_000;
    expect(await last()).toEqual(['forwarding_last_ready_timestamp_seconds{} 2100']);
  });

  test('say when a reconciliation last ended that needs no retry', async () => {
    const { metrics, time, series } = setUp();
    metrics.lookedAt(resource);
    expect(await series('forwarding_last_reconcile')).toEqual([]);
    metrics.show(resource, []);
    time.ms = 5_000;
    metrics.lookedAt(resource);
    expect(await series('forwarding_last_reconcile')).toEqual(['forwarding_last_reconcile_timestamp_seconds{} 5']);
  });

  test('count replays from zero', async () => {
    const { metrics, series } = setUp();
    metrics.show(resource, []);
    for (const reason of ['ReplayStarted', 'ReplayCompleted', 'ReplayStarted', 'ReplayFailed', 'ReplayRejected'])
      metrics.eventRecorded(resource, reason);
    expect(await series('replays')).toEqual([
      'replays_total{result="requested"} 2',
      'replays_total{result="completed"} 1',
      'replays_total{result="failed"} 1',
    ]);
  });

  test('count corrections from zero, and no other events', async () => {
    const { metrics, series } = setUp();
    metrics.eventRecorded(resource, 'WebhookCorrected');
    metrics.show(resource, []);
    metrics.show(resource, []);
    for (const reason of ['WebhookCorrected', 'WebhookCorrected', 'DestinationCorrected', 'InSync'])
      metrics.eventRecorded(resource, reason);
    expect(await series('corrections')).toEqual([
      'corrections_total{object="destination"} 1',
      'corrections_total{object="webhook"} 2',
    ]);
  });
});

test('1,000 forwardings with 3 webhooks have less than 32 series each, and one request for them takes less than a second of a core', async () => {
  const { metrics } = setUp();
  const webhooks = ['organization', ...[1, 2].map((index) => `3e551b39-227d-4297-b911-e68fd5d7000${String(index)}`)];
  const region = 'us';
  for (let index = 0; index < 1_000; index += 1) {
    const name = `forwarding-${String(index)}`;
    metrics.show({ namespace: 'platform', name }, [
      {
        metric: 'forwardingInfo',
        labels: { region, organization: name, destination: name, log_format: 'cef', mode: 'Enforce' },
        value: 1,
      },
      ...['Ready', 'SecretsResolved', 'DestinationReady', 'WebhooksReady', 'Delivering'].map(
        (type): ForwardingSample => ({
          metric: 'condition',
          labels: { type, status: 'True', reason: 'InSync' },
          value: 1,
        }),
      ),
      { metric: 'lastReady', labels: {}, value: 'now' },
      { metric: 'interval', labels: {}, value: 600 },
      { metric: 'driftObjects', labels: {}, value: 0 },
      { metric: 'webhooks', labels: { state: 'Failing' }, value: 3 },
      ...webhooks.flatMap((webhook): ForwardingSample[] => [
        { metric: 'webhookState', labels: { region, webhook, state: 'on', reason: '' }, value: 1 },
        ...(['webhookDelivering', 'webhookLastAttempt', 'webhookLastResponseCode', 'webhookGapStart'] as const).map(
          (metric): ForwardingSample => ({ metric, labels: { region, webhook }, value: 1 }),
        ),
      ]),
    ]);
    metrics.lookedAt({ namespace: 'platform', name });
  }
  await metrics.text();
  const before = process.cpuUsage();
  const text = await metrics.text();
  const { user, system } = process.cpuUsage(before);
  const series = text.split('\n').filter((line) => line.includes('name="forwarding-')).length;
  expect(series).toBeGreaterThan(25_000);
  expect(series).toBeLessThan(32_000);
  expect(text.length).toBeLessThan(6 * 2 ** 20);
  expect((user + system) / 1_000).toBeLessThan(1_000);
});
