/** Every metric of our own, in the one place that makes and documents them. Names that controller-runtime has are used in its meaning. */

export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  name: string;
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram's buckets, in seconds. */
  buckets?: readonly number[];
}

export const metricTable = {
  reconcileTotal: {
    type: 'counter',
    name: 'controller_runtime_reconcile_total',
    help: 'Passes over a resource. result: success, requeue_after (another look later), requeue (will be retried), error (failed unexpectedly), cut_off (the process is stopping).',
    labels: ['controller', 'result'],
  },
  reconcileErrors: {
    type: 'counter',
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Passes over a resource that failed unexpectedly.',
    labels: ['controller'],
  },
  reconcileSeconds: {
    type: 'histogram',
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'How long a pass over a resource took.',
    labels: ['controller'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  activeWorkers: {
    type: 'gauge',
    name: 'controller_runtime_active_workers',
    help: 'Resources being worked on now.',
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
    help: 'Resources to be looked at again later.',
    labels: ['name'],
  },
  queueOldestSeconds: {
    type: 'gauge',
    name: 'konnect_audit_log_workqueue_oldest_seconds',
    help: 'For how long the resource that has waited longest could have been worked on.',
    labels: ['name'],
  },
  konnectRequests: {
    type: 'counter',
    name: 'konnect_audit_log_konnect_requests_total',
    help: 'Requests to Konnect. code: the HTTP status, or Unreachable where no answer came.',
    labels: ['operation', 'code'],
  },
  konnectSeconds: {
    type: 'histogram',
    name: 'konnect_audit_log_konnect_request_duration_seconds',
    help: 'How long a request to Konnect took.',
    labels: ['operation'],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30],
  },
  watchSilentSeconds: {
    type: 'gauge',
    name: 'konnect_audit_log_watch_silent_seconds',
    help: 'For how long the API server has told nothing of a resource; it says something about once a minute.',
    labels: ['resource'],
  },
  konnectWaitSeconds: {
    type: 'histogram',
    name: 'konnect_audit_log_konnect_wait_seconds',
    help: 'How long a request to Konnect waited before it was sent, for the budget of its organization and region. rank: write, new (for what is new or has changed), resync.',
    labels: ['rank'],
    buckets: [0.01, 0.1, 0.5, 1, 5, 15, 60, 300],
  },
  konnectWithheld: {
    type: 'counter',
    name: 'konnect_audit_log_konnect_withheld_total',
    help: 'Requests to Konnect that were not sent. cause: limited (Konnect asked to wait), failing (it does not answer, or with 5xx).',
    labels: ['cause'],
  },
  konnectOrganizations: {
    type: 'gauge',
    name: 'konnect_audit_log_konnect_organizations',
    help: 'Organizations that were asked about lately (tokens, where it is not known whose they are), by region. state: open (all is well), limited, failing.',
    labels: ['region', 'state'],
  },
  condition: {
    type: 'gauge',
    name: 'konnect_audit_log_condition',
    help: "1 for the status that a condition of an AuditLogForwarding has now. A deleted resource's series are removed.",
    labels: ['namespace', 'name', 'type', 'status'],
  },
  leaderStatus: {
    type: 'gauge',
    name: 'leader_election_master_status',
    help: '1 while this process leads, 0 while it stands by; absent without leader election. name: of the Lease.',
    labels: ['name'],
  },
  buildInfo: {
    type: 'gauge',
    name: 'konnect_audit_log_build_info',
    help: 'Always 1; the labels tell which operator runs on which Node.',
    labels: ['version', 'node'],
  },
} as const satisfies Record<string, MetricDefinition>;
