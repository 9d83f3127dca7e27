/** Every metric of the operator. The names of controller-runtime have the same meaning as there. */

export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  name: string;
  help: string;
  labels: readonly string[];
  /** The upper bounds of the buckets of a histogram, in seconds. */
  buckets?: readonly number[];
}

export const metricTable = {
  reconcileTotal: {
    type: 'counter',
    name: 'controller_runtime_reconcile_total',
    help: 'Reconciliations of a resource. result: success, requeue_after (a resync follows), requeue (a retry follows), error (failed unexpectedly), cut_off (the process is stopping).',
    labels: ['controller', 'result'],
  },
  reconcileErrors: {
    type: 'counter',
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Reconciliations of a resource that failed unexpectedly.',
    labels: ['controller'],
  },
  reconcileSeconds: {
    type: 'histogram',
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Duration of the reconciliations of a resource.',
    labels: ['controller'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  activeWorkers: {
    type: 'gauge',
    name: 'controller_runtime_active_workers',
    help: 'Resources that are being reconciled now.',
    labels: ['controller'],
  },
  queueDepth: {
    type: 'gauge',
    name: 'workqueue_depth',
    help: 'Resources that wait for a worker now.',
    labels: ['name'],
  },
  queueDelayed: {
    type: 'gauge',
    name: 'konnect_audit_log_workqueue_delayed',
    help: 'Resources with a delayed reconciliation.',
    labels: ['name'],
  },
  queueOldestSeconds: {
    type: 'gauge',
    name: 'konnect_audit_log_workqueue_oldest_seconds',
    help: 'How long the oldest waiting resource has waited for a worker.',
    labels: ['name'],
  },
  konnectRequests: {
    type: 'counter',
    name: 'konnect_audit_log_konnect_requests_total',
    help: 'Requests to Konnect. code: the HTTP status, or Unreachable if there was no answer.',
    labels: ['operation', 'code'],
  },
  konnectSeconds: {
    type: 'histogram',
    name: 'konnect_audit_log_konnect_request_duration_seconds',
    help: 'Duration of the requests to Konnect.',
    labels: ['operation'],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30],
  },
  watchSilentSeconds: {
    type: 'gauge',
    name: 'konnect_audit_log_watch_silent_seconds',
    help: 'Time since the API server last sent data about a resource. It sends data about once a minute.',
    labels: ['resource'],
  },
  watchForbidden: {
    type: 'gauge',
    name: 'konnect_audit_log_watch_forbidden',
    help: '1 for each watched namespace in which the API server forbids to list or watch a resource, while it permits that in another one.',
    labels: ['resource', 'namespace'],
  },
  watchNamespaceMissing: {
    type: 'gauge',
    name: 'konnect_audit_log_watch_namespace_missing',
    help: '1 for each namespace of --watch-namespaces that does not exist.',
    labels: ['namespace'],
  },
  konnectWaitSeconds: {
    type: 'histogram',
    name: 'konnect_audit_log_konnect_wait_seconds',
    help: 'How long requests to Konnect waited for the budget of their organization and region. rank: write, new (for new or changed resources), resync.',
    labels: ['rank'],
    buckets: [0.01, 0.1, 0.5, 1, 5, 15, 60, 300],
  },
  konnectWithheld: {
    type: 'counter',
    name: 'konnect_audit_log_konnect_withheld_total',
    help: 'Requests to Konnect that were not sent. cause: limited (Konnect asked to wait), failing (Konnect does not answer, or answers 5xx).',
    labels: ['cause'],
  },
  konnectOrganizations: {
    type: 'gauge',
    name: 'konnect_audit_log_konnect_organizations',
    help: 'Organizations with recent requests, by region. A token of an unknown organization counts, too. Regions beyond the 20 with the most organizations are counted as other. state: open (requests are sent), limited, failing.',
    labels: ['region', 'state'],
  },
  condition: {
    type: 'gauge',
    name: 'konnect_audit_log_condition',
    help: '1 for the current status and reason of each condition of an AuditLogForwarding. A reason that no operator writes is shown as other. The series of a deleted resource are removed.',
    labels: ['namespace', 'name', 'type', 'status', 'reason'],
  },
  webhooks: {
    type: 'gauge',
    name: 'konnect_audit_log_webhooks',
    help: 'Webhooks of an AuditLogForwarding by the state of their deliveries, as in status.delivery. The series of a deleted resource are removed.',
    labels: ['namespace', 'name', 'state'],
  },
  leaderStatus: {
    type: 'gauge',
    name: 'leader_election_master_status',
    help: '1 if this process is the leader, 0 if it is on standby. Absent without leader election. name: the name of the Lease.',
    labels: ['name'],
  },
  buildInfo: {
    type: 'gauge',
    name: 'konnect_audit_log_build_info',
    help: 'Always 1. The labels are the versions of the operator and of Node.',
    labels: ['version', 'node'],
  },
} as const satisfies Record<string, MetricDefinition>;
