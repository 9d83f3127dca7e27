/** Every metric of the operator. The names of controller-runtime have the same meaning as there. */

export interface MetricDefinition {
  type: 'counter' | 'gauge' | 'histogram';
  name: string;
  help: string;
  labels: readonly string[];
  /** The upper bounds of the buckets of a histogram, in seconds. */
  buckets?: readonly number[];
}

const workSeconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
const ofForwarding = ['namespace', 'name'] as const;
const ofWebhook = [...ofForwarding, 'region', 'webhook'] as const;

/** The metrics of a forwarding, which every replica has. The series of a deleted forwarding are removed. */
export const forwardingTable = {
  forwardingInfo: {
    type: 'gauge',
    name: 'konnect_audit_log_forwarding_info',
    help: 'Always 1, for each AuditLogForwarding. The labels say where it forwards to.',
    labels: [...ofForwarding, 'region', 'organization', 'destination', 'log_format', 'mode'],
  },
  condition: {
    type: 'gauge',
    name: 'konnect_audit_log_condition',
    help: '1 for the current status and reason of each condition. A reason that no operator writes is shown as other.',
    labels: [...ofForwarding, 'type', 'status', 'reason'],
  },
  lastReady: {
    type: 'gauge',
    name: 'konnect_audit_log_forwarding_last_ready_timestamp_seconds',
    help: 'The current time while Ready is True, else the time since when it is not.',
    labels: ofForwarding,
  },
  interval: {
    type: 'gauge',
    name: 'konnect_audit_log_forwarding_interval_seconds',
    help: 'spec.interval. Absent while the forwarding is suspended.',
    labels: ofForwarding,
  },
  deletion: {
    type: 'gauge',
    name: 'konnect_audit_log_forwarding_deletion_timestamp_seconds',
    help: 'When a user deleted the forwarding. Present only until its deletion is complete.',
    labels: ofForwarding,
  },
  driftObjects: {
    type: 'gauge',
    name: 'konnect_audit_log_drift_objects',
    help: 'With mode Observe: how many objects differ in Konnect, as in status.drift.',
    labels: ofForwarding,
  },
  webhooks: {
    type: 'gauge',
    name: 'konnect_audit_log_webhooks',
    help: 'Webhooks by the state of their deliveries, as in status.delivery.',
    labels: [...ofForwarding, 'state'],
  },
  webhookState: {
    type: 'gauge',
    name: 'konnect_audit_log_webhook_state',
    help: '1 for the state and reason of each webhook, as in status.portals and status.organization. webhook: the ID of the portal, or organization.',
    labels: [...ofWebhook, 'state', 'reason'],
  },
  webhookDelivering: {
    type: 'gauge',
    name: 'konnect_audit_log_webhook_delivering',
    help: "1 if Konnect's last attempt to deliver succeeded, 0 if it failed or Konnect switched the webhook off. Absent before the first attempt, and while the webhook is off.",
    labels: ofWebhook,
  },
  webhookLastAttempt: {
    type: 'gauge',
    name: 'konnect_audit_log_webhook_last_attempt_timestamp_seconds',
    help: "Konnect's time of an attempt to deliver, up to an hour old.",
    labels: ofWebhook,
  },
  webhookLastResponseCode: {
    type: 'gauge',
    name: 'konnect_audit_log_webhook_last_response_code',
    help: 'The HTTP status that the endpoint answered that attempt with. 0 if it did not answer.',
    labels: ofWebhook,
  },
  webhookGapStart: {
    type: 'gauge',
    name: 'konnect_audit_log_webhook_gap_start_timestamp_seconds',
    help: 'Since when audit logs of the webhook are not known to have been delivered, as in status.delivery. Present until they are delivered or replayed.',
    labels: ofWebhook,
  },
  verificationLines: {
    type: 'gauge',
    name: 'konnect_audit_log_verification_lines',
    help: 'What the last verification counted, as in status.verification. result: found, missing, unsigned, invalid, foreign.',
    labels: [...ofForwarding, 'result'],
  },
  lastVerified: {
    type: 'gauge',
    name: 'konnect_audit_log_verification_last_timestamp_seconds',
    help: 'When a verification last compared the lines in SumoLogic.',
    labels: ofForwarding,
  },
} as const satisfies Record<string, MetricDefinition>;

export const metricTable = {
  ...forwardingTable,
  lastReconcile: {
    type: 'gauge',
    name: 'konnect_audit_log_forwarding_last_reconcile_timestamp_seconds',
    help: 'When a reconciliation last ended that needs no retry. Absent in a replica on standby.',
    labels: ofForwarding,
  },
  corrections: {
    type: 'counter',
    name: 'konnect_audit_log_corrections_total',
    help: 'How often the operator corrected changes of other clients. object: destination, webhook.',
    labels: [...ofForwarding, 'object'],
  },
  replays: {
    type: 'counter',
    name: 'konnect_audit_log_replays_total',
    help: 'Replays of webhooks. result: requested, completed, failed.',
    labels: [...ofForwarding, 'result'],
  },
  applySeconds: {
    type: 'histogram',
    name: 'konnect_audit_log_apply_duration_seconds',
    help: 'From a change that the operator sees until Konnect is as wanted. cause: spec, secret. A change that does not end in Ready is not counted.',
    labels: ['cause'],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
  },
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
    buckets: workSeconds,
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
  queueAdds: {
    type: 'counter',
    name: 'workqueue_adds_total',
    help: 'How often a resource began to wait for a worker.',
    labels: ['name', 'controller'],
  },
  queueSeconds: {
    type: 'histogram',
    name: 'workqueue_queue_duration_seconds',
    help: 'How long resources waited for a worker.',
    labels: ['name', 'controller'],
    buckets: workSeconds,
  },
  queueWorkSeconds: {
    type: 'histogram',
    name: 'workqueue_work_duration_seconds',
    help: 'How long workers worked on a resource.',
    labels: ['name', 'controller'],
    buckets: workSeconds,
  },
  queueRetries: {
    type: 'counter',
    name: 'workqueue_retries_total',
    help: 'Reconciliations that are retried with back-off.',
    labels: ['name', 'controller'],
  },
  queueUnfinishedSeconds: {
    type: 'gauge',
    name: 'workqueue_unfinished_work_seconds',
    help: 'How long all current reconciliations have lasted, together.',
    labels: ['name', 'controller'],
  },
  queueLongestSeconds: {
    type: 'gauge',
    name: 'workqueue_longest_running_processor_seconds',
    help: 'How long the longest current reconciliation has lasted.',
    labels: ['name', 'controller'],
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
    help: 'Requests to Konnect. code: the HTTP status, or Unreachable if there was no answer. Regions beyond the first 20 are counted as other.',
    labels: ['operation', 'region', 'code'],
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
    help: '1 for each watched namespace in which the API server forbids to list or watch a resource, if the operator works without it. The namespace is empty if all are watched.',
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
  konnectRateLimit: {
    type: 'gauge',
    name: 'konnect_audit_log_konnect_ratelimit_limit',
    help: "Konnect's limit of requests, of the headers ratelimit-limit or x-ratelimit-limit-minute. Absent if no answer of the last five minutes had them.",
    labels: ['organization', 'region'],
  },
  konnectRateRemaining: {
    type: 'gauge',
    name: 'konnect_audit_log_konnect_ratelimit_remaining',
    help: 'How many requests that limit still allows.',
    labels: ['organization', 'region'],
  },
  konnectBudget: {
    type: 'gauge',
    name: 'konnect_audit_log_konnect_budget_available',
    help: "How many requests the operator's own budget would send at once. Negative if requests were sent in advance.",
    labels: ['organization', 'region'],
  },
  restClientRequests: {
    type: 'counter',
    name: 'rest_client_requests_total',
    help: 'Requests to the API server. code: the HTTP status, or <error> if there was no answer.',
    labels: ['code', 'method', 'host'],
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
