import { describe, expect, test } from '@jest/globals';
import { metricTable } from '../../../src/telemetry/metric-table.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { eventually } from '../../support/eventually.ts';

const bare = () => createMetrics({ version: '1.2.3', nodeVersion: 'v24.0.0', hasProcessMetrics: false });

/** Returns the lines with a value, of the metrics whose name begins with `name`. */
async function samples(metrics: ReturnType<typeof bare>, prefix = ''): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line.startsWith(prefix) && !/^#|^$|_bucket\{/.test(line));
}

describe('metrics', () => {
  test('all exist from the start, with the type and help of the table', async () => {
    const text = await bare().text();
    for (const { name, type, help } of Object.values(metricTable)) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    }
    expect(text.match(/^# TYPE/gm)).toHaveLength(Object.keys(metricTable).length);
  });

  test('count reconciliations with the names of controller-runtime', async () => {
    const metrics = bare();
    for (const outcome of ['done', 'requeue', 'requeue', 'retry', 'failed', 'aborted'] as const) {
      metrics.reconciled({ controller: 'forwarding', outcome, durationMs: 250 });
    }
    expect(await samples(metrics, 'controller_runtime_reconcile')).toEqual([
      'controller_runtime_reconcile_total{controller="forwarding",result="success"} 1',
      'controller_runtime_reconcile_total{controller="forwarding",result="requeue_after"} 2',
      'controller_runtime_reconcile_total{controller="forwarding",result="requeue"} 1',
      'controller_runtime_reconcile_total{controller="forwarding",result="error"} 1',
      'controller_runtime_reconcile_total{controller="forwarding",result="cut_off"} 1',
      'controller_runtime_reconcile_errors_total{controller="forwarding"} 1',
      'controller_runtime_reconcile_time_seconds_sum{controller="forwarding"} 1.5',
      'controller_runtime_reconcile_time_seconds_count{controller="forwarding"} 6',
    ]);
  });

  test('count requests to Konnect by operation and code', async () => {
    const metrics = bare();
    metrics.konnectCalled({
      operation: 'create destination',
      region: 'global',
      status: 201,
      kind: undefined,
      durationMs: 500,
    });
    metrics.konnectCalled({
      operation: 'create destination',
      region: 'global',
      status: 429,
      kind: 'RateLimited',
      durationMs: 0,
    });
    metrics.konnectCalled({
      operation: 'get portal',
      region: 'us',
      status: undefined,
      kind: 'Unreachable',
      durationMs: 0,
    });
    expect(await samples(metrics, 'konnect_audit_log_konnect_request')).toEqual([
      'konnect_audit_log_konnect_requests_total{operation="create destination",region="global",code="201"} 1',
      'konnect_audit_log_konnect_requests_total{operation="create destination",region="global",code="429"} 1',
      'konnect_audit_log_konnect_requests_total{operation="get portal",region="us",code="Unreachable"} 1',
      'konnect_audit_log_konnect_request_duration_seconds_sum{operation="create destination"} 0.5',
      'konnect_audit_log_konnect_request_duration_seconds_count{operation="create destination"} 2',
      'konnect_audit_log_konnect_request_duration_seconds_sum{operation="get portal"} 0',
      'konnect_audit_log_konnect_request_duration_seconds_count{operation="get portal"} 1',
    ]);
  });

  test('show how long requests waited, how many were not sent, and the states of organizations', async () => {
    const metrics = bare();
    metrics.konnectWaited('resync', 1_500);
    metrics.konnectWithheld('limited');
    metrics.konnectWithheld('limited');
    let readings = [{ region: 'us', state: 'failing', count: 2 }];
    metrics.watchOrganizations(() => readings);
    expect(await samples(metrics, 'konnect_audit_log_konnect')).toEqual([
      'konnect_audit_log_konnect_wait_seconds_sum{rank="resync"} 1.5',
      'konnect_audit_log_konnect_wait_seconds_count{rank="resync"} 1',
      'konnect_audit_log_konnect_withheld_total{cause="limited"} 2',
      'konnect_audit_log_konnect_withheld_total{cause="failing"} 0',
      'konnect_audit_log_konnect_organizations{region="us",state="failing"} 2',
    ]);
    readings = [{ region: 'us', state: 'open', count: 2 }];
    expect(await samples(metrics, 'konnect_audit_log_konnect_organizations')).toEqual([
      'konnect_audit_log_konnect_organizations{region="us",state="open"} 2',
    ]);
  });

  test('show the current sizes of the queue', async () => {
    const metrics = bare();
    const queue = { size: 1, delayedSize: 2, inWorkSize: 3, oldestWaitingMs: 4000, inWorkMs: [500, 2_000] };
    metrics.watchQueue('forwarding', queue);
    queue.size = 7;
    expect(await samples(metrics, 'workqueue_')).toEqual([
      'workqueue_adds_total{name="forwarding",controller="forwarding"} 0',
      'workqueue_retries_total{name="forwarding",controller="forwarding"} 0',
      'workqueue_depth{name="forwarding"} 7',
      'workqueue_unfinished_work_seconds{name="forwarding",controller="forwarding"} 2.5',
      'workqueue_longest_running_processor_seconds{name="forwarding",controller="forwarding"} 2',
    ]);
    expect(await samples(metrics, 'konnect_audit_log_workqueue')).toEqual([
      'konnect_audit_log_workqueue_delayed{name="forwarding"} 2',
      'konnect_audit_log_workqueue_oldest_seconds{name="forwarding"} 4',
    ]);
    expect(await samples(metrics, 'controller_runtime_active')).toEqual([
      'controller_runtime_active_workers{controller="forwarding"} 3',
    ]);
  });

  test('show how long the API server has sent nothing about a resource', async () => {
    const metrics = bare();
    const silence = new Map([['secrets', 500]]);
    metrics.watchSilence(() => silence);
    silence.set('secrets', 71_500);
    expect(await samples(metrics, 'konnect_audit_log_watch_silent_seconds')).toEqual([
      'konnect_audit_log_watch_silent_seconds{resource="secrets"} 71.5',
    ]);
  });

  test('show which namespace may not be read, as long as that is so', async () => {
    const metrics = bare();
    const forbidden = [{ resource: 'secrets', namespace: 'gone' }];
    metrics.watchForbidden(() => forbidden);
    expect(await samples(metrics, 'konnect_audit_log_watch_forbidden')).toEqual([
      'konnect_audit_log_watch_forbidden{resource="secrets",namespace="gone"} 1',
    ]);
    forbidden.pop();
    expect(await samples(metrics, 'konnect_audit_log_watch_forbidden')).toEqual([]);
  });

  test('show which watched namespace does not exist, as long as that is so', async () => {
    const metrics = bare();
    const missing = ['platfrom'];
    metrics.watchMissing(() => missing);
    expect(await samples(metrics, 'konnect_audit_log_watch_namespace_missing')).toEqual([
      'konnect_audit_log_watch_namespace_missing{namespace="platfrom"} 1',
    ]);
    missing.pop();
    expect(await samples(metrics, 'konnect_audit_log_watch_namespace_missing')).toEqual([]);
  });

  test('have the counters of a controller from its start, so that no first event is missed', async () => {
    const metrics = bare();
    metrics.watchQueue('forwarding', { size: 0, delayedSize: 0, inWorkSize: 0, oldestWaitingMs: 0, inWorkMs: [] });
    expect(await samples(metrics, 'controller_runtime_reconcile_')).toEqual([
      ...['success', 'requeue_after', 'requeue', 'error', 'cut_off'].map(
        (result) => `controller_runtime_reconcile_total{controller="forwarding",result="${result}"} 0`,
      ),
      'controller_runtime_reconcile_errors_total{controller="forwarding"} 0',
    ]);
  });

  test('show the work of the queue with the names of client-go', async () => {
    const metrics = bare();
    metrics.queueAdded('forwarding');
    metrics.queueTaken('forwarding', 1_500);
    metrics.reconciled({ controller: 'forwarding', outcome: 'retry', durationMs: 250 });
    const labels = 'name="forwarding",controller="forwarding"';
    expect(await samples(metrics, 'workqueue_')).toEqual([
      `workqueue_adds_total{${labels}} 1`,
      `workqueue_queue_duration_seconds_sum{${labels}} 1.5`,
      `workqueue_queue_duration_seconds_count{${labels}} 1`,
      `workqueue_work_duration_seconds_sum{${labels}} 0.25`,
      `workqueue_work_duration_seconds_count{${labels}} 1`,
      `workqueue_retries_total{${labels}} 1`,
    ]);
  });

  test('count requests to the API server as client-go does', async () => {
    const metrics = bare();
    metrics.apiCalled('10.0.0.1:443', 'GET', '200');
    metrics.apiCalled('10.0.0.1:443', 'GET', '<error>');
    expect(await samples(metrics, 'rest_client')).toEqual([
      'rest_client_requests_total{code="200",method="GET",host="10.0.0.1:443"} 1',
      'rest_client_requests_total{code="<error>",method="GET",host="10.0.0.1:443"} 1',
    ]);
  });

  test('count requests to regions beyond the first twenty as other', async () => {
    const metrics = bare();
    for (let index = 0; index < 25; index += 1) {
      const region = `r${String(index)}`;
      metrics.konnectCalled({ operation: 'get portal', region, status: 200, kind: undefined, durationMs: 0 });
    }
    const lines = await samples(metrics, 'konnect_audit_log_konnect_requests_total');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe(
      'konnect_audit_log_konnect_requests_total{operation="get portal",region="other",code="200"} 5',
    );
  });

  test('show how near each organization is to the limit of Konnect and to its own budget', async () => {
    const metrics = bare();
    metrics.watchLimits(() => [
      { organization: 'blue', region: 'us', budget: 7, rateLimit: { limit: 3_000, remaining: 20 } },
      { organization: 'blue', region: 'eu', budget: -1, rateLimit: undefined },
    ]);
    expect(await samples(metrics, 'konnect_audit_log_konnect_ratelimit')).toEqual([
      'konnect_audit_log_konnect_ratelimit_limit{organization="blue",region="us"} 3000',
      'konnect_audit_log_konnect_ratelimit_remaining{organization="blue",region="us"} 20',
    ]);
    expect(await samples(metrics, 'konnect_audit_log_konnect_budget')).toEqual([
      'konnect_audit_log_konnect_budget_available{organization="blue",region="us"} 7',
      'konnect_audit_log_konnect_budget_available{organization="blue",region="eu"} -1',
    ]);
  });

  test('show how long changes take until they are applied', async () => {
    const metrics = bare();
    metrics.applied('secret', 2_000);
    expect(await samples(metrics, 'konnect_audit_log_apply')).toEqual([
      'konnect_audit_log_apply_duration_seconds_sum{cause="spec"} 0',
      'konnect_audit_log_apply_duration_seconds_count{cause="spec"} 0',
      'konnect_audit_log_apply_duration_seconds_sum{cause="secret"} 2',
      'konnect_audit_log_apply_duration_seconds_count{cause="secret"} 1',
    ]);
  });

  test('show whether this process is the leader', async () => {
    const metrics = bare();
    expect(await samples(metrics, 'leader_election')).toEqual([]);
    metrics.setLeader('operator', false);
    expect(await samples(metrics, 'leader_election')).toEqual(['leader_election_master_status{name="operator"} 0']);
    metrics.setLeader('operator', true);
    expect(await samples(metrics, 'leader_election')).toEqual(['leader_election_master_status{name="operator"} 1']);
  });

  test('show the versions of the operator and of Node, and process metrics if wanted', async () => {
    expect(await samples(bare(), 'konnect_audit_log_build_info')).toEqual([
      'konnect_audit_log_build_info{version="1.2.3",node="v24.0.0"} 1',
    ]);
    const whole = createMetrics({ version: 'dev', nodeVersion: 'v24.0.0' });
    expect(await whole.text()).toContain('process_resident_memory_bytes');
  });

  test('show the event loop with a timer that is slow enough to cost nothing', async () => {
    const metrics = createMetrics({ version: 'dev', nodeVersion: 'v24.0.0' });
    // Each request of the metrics begins a new measurement, and a measurement without an interval has the largest number.
    const measured = async () => {
      const [line = ''] = await samples(metrics, 'nodejs_eventloop_lag_min_seconds');
      const seconds = Number(line.split(' ').at(-1));
      if (seconds > 1_000) throw new Error(line);
      return seconds;
    };
    const fewestSeconds = await eventually(measured, { everyMs: 250 });
    expect(fewestSeconds).toBeGreaterThan(0.09);
  });
});
