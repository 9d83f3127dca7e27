import { ours } from '../ours.ts';
import { controller, p99, type RowSpec, rate, window } from '../panel.ts';

/** The operator itself. */
export const operator: RowSpec = {
  title: 'Operator',
  panels: [
    {
      kind: 'state',
      title: 'Who leads',
      description: 'The replica that leads, if there is a leader election.',
      texts: ['leads', 'stands by'],
      width: 12,
      queries: [
        {
          expr: `max by (namespace, instance) (leader_election_master_status ${ours})`,
          legend: '{{namespace}} {{instance}}',
        },
      ],
      empty: 'No leader election.',
    },
    {
      kind: 'table',
      title: 'Versions',
      description: 'The versions of the operator and of Node in each replica.',
      width: 12,
      labels: ['namespace', 'instance', 'version', 'node'],
      queries: [{ expr: 'sum by (version, node, namespace, instance) (konnect_audit_log_build_info)' }],
    },
    {
      kind: 'time',
      title: 'From a change to Konnect, 99th percentile',
      description: 'From the moment when the operator sees a change until Konnect is as wanted. The objective is 10 s.',
      unit: 's',
      width: 8,
      queries: [{ expr: p99('konnect_audit_log_apply_duration_seconds', ', cause'), legend: '{{cause}}' }],
      empty: 'No change in this time.',
    },
    {
      kind: 'time',
      title: 'Reconciliations',
      description: 'By result. requeue is a retry, and error is unexpected.',
      unit: 'ops',
      width: 8,
      queries: [
        { expr: rate('controller_runtime_reconcile_total', 'result', `{${controller}}`), legend: '{{result}}' },
      ],
    },
    {
      kind: 'time',
      title: 'Wait in the queue, 99th percentile',
      description: 'How long forwardings wait for a worker.',
      unit: 's',
      width: 8,
      queries: [{ expr: p99('workqueue_queue_duration_seconds', '', `{${controller}}`), legend: 'wait' }],
      empty: 'No reconciliation in this time.',
    },
    {
      kind: 'time',
      title: 'Silence of the API server',
      description: 'Time since the API server last sent data. About 60 s is normal.',
      unit: 's',
      width: 8,
      queries: [
        {
          expr: 'max by (instance, resource) (konnect_audit_log_watch_silent_seconds)',
          legend: '{{instance}} {{resource}}',
        },
      ],
    },
    {
      kind: 'time',
      title: 'Requests to the API server',
      description: 'By method and HTTP status.',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: `sum by (code, method) (rate(rest_client_requests_total[${window}]) ${ours})`,
          legend: '{{method}} {{code}}',
        },
      ],
    },
    {
      kind: 'time',
      title: 'Memory',
      description: 'Resident memory of each replica.',
      unit: 'bytes',
      width: 4,
      queries: [{ expr: `max by (instance) (process_resident_memory_bytes ${ours})`, legend: '{{instance}}' }],
    },
    {
      kind: 'time',
      title: 'Event loop lag',
      description:
        'The 99th percentile of the interval of a timer of 100 ms in each replica. More than 200 ms say that the process is too busy.',
      unit: 's',
      width: 4,
      queries: [{ expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds ${ours})`, legend: '{{instance}}' }],
    },
  ],
};
