import { describe, expect, test } from '@jest/globals';
import { metricTable } from '../../../src/telemetry/metric-table.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

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
    metrics.konnectCalled({ operation: 'create destination', status: 201, kind: undefined, durationMs: 500 });
    metrics.konnectCalled({ operation: 'create destination', status: 429, kind: 'RateLimited', durationMs: 0 });
    metrics.konnectCalled({ operation: 'get portal', status: undefined, kind: 'Unreachable', durationMs: 0 });
    expect(await samples(metrics, 'konnect_audit_log_konnect_request')).toEqual([
      'konnect_audit_log_konnect_requests_total{operation="create destination",code="201"} 1',
      'konnect_audit_log_konnect_requests_total{operation="create destination",code="429"} 1',
      'konnect_audit_log_konnect_requests_total{operation="get portal",code="Unreachable"} 1',
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
      'konnect_audit_log_konnect_organizations{region="us",state="failing"} 2',
    ]);
    readings = [{ region: 'us', state: 'open', count: 2 }];
    expect(await samples(metrics, 'konnect_audit_log_konnect_organizations')).toEqual([
      'konnect_audit_log_konnect_organizations{region="us",state="open"} 2',
    ]);
  });

  test('show the current sizes of the queue', async () => {
    const metrics = bare();
    const queue = { size: 1, delayedSize: 2, inWorkSize: 3, oldestWaitingMs: 4000 };
    metrics.watchQueue('forwarding', queue);
    queue.size = 7;
    expect(await samples(metrics, 'workqueue_')).toEqual(['workqueue_depth{name="forwarding"} 7']);
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

  test('show the conditions of a resource, and none after its deletion', async () => {
    const metrics = bare();
    const resource = { namespace: 'platform', name: 'sumologic' };
    metrics.setConditions(resource, [
      { type: 'Ready', status: 'False', reason: 'Creating' },
      { type: 'Reconciling', status: 'True', reason: 'Creating' },
    ]);
    metrics.setConditions(resource, [{ type: 'Ready', status: 'True', reason: 'InSync' }]);
    metrics.setConditions({ namespace: 'other', name: 'one' }, [
      { type: 'Ready', status: 'Unknown', reason: 'Suspended' },
    ]);
    expect(await samples(metrics, 'konnect_audit_log_condition')).toEqual([
      'konnect_audit_log_condition{namespace="platform",name="sumologic",type="Ready",status="True",reason="InSync"} 1',
      'konnect_audit_log_condition{namespace="other",name="one",type="Ready",status="Unknown",reason="Suspended"} 1',
    ]);
    metrics.forget(resource);
    metrics.forget({ namespace: 'never', name: 'seen' });
    expect(await samples(metrics, 'konnect_audit_log_condition')).toHaveLength(1);
  });

  test('show a reason that no operator writes as other', async () => {
    const metrics = bare();
    for (const [index, reason] of ['a b', 'R'.repeat(65)].entries())
      metrics.setConditions({ namespace: 'own', name: String(index) }, [{ type: 'Ready', status: 'True', reason }]);
    expect(await samples(metrics, 'konnect_audit_log_condition')).toEqual([
      'konnect_audit_log_condition{namespace="own",name="0",type="Ready",status="True",reason="other"} 1',
      'konnect_audit_log_condition{namespace="own",name="1",type="Ready",status="True",reason="other"} 1',
    ]);
  });

  test('show how many webhooks of a resource are in each state, and none after its deletion', async () => {
    const metrics = bare();
    const resource = { namespace: 'platform', name: 'sumologic' };
    metrics.setDeliveries(resource, ['Failing', 'Delivered']);
    metrics.setDeliveries(resource, ['Delivered', 'Delivered', 'Off']);
    expect(await samples(metrics, 'konnect_audit_log_webhooks')).toEqual([
      'konnect_audit_log_webhooks{namespace="platform",name="sumologic",state="Delivered"} 2',
      'konnect_audit_log_webhooks{namespace="platform",name="sumologic",state="Off"} 1',
    ]);
    metrics.forget(resource);
    expect(await samples(metrics, 'konnect_audit_log_webhooks')).toEqual([]);
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
});
