/** The alerts, and what a person does about each of them. The chart's rules and a page of the docs are generated from them. */
import { ours } from './ours.ts';

export interface Alert {
  /** Without the prefix. */
  readonly name: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: 'warning' | 'critical';
  /** A sentence with templates of Prometheus. */
  readonly summary: string;
  readonly means: string;
  readonly affected: string;
  readonly check: string;
  readonly wayOut: string;
}

export const alertPrefix = 'KonnectAuditLog';

const forwarding = '{{ $labels.namespace }}/{{ $labels.name }}';
const webhook = `webhook {{ $labels.webhook }} of ${forwarding}`;
const reasonOf = (type: string) =>
  `{{ with printf "konnect_audit_log_condition{type=\\"${type}\\",namespace=\\"%s\\",name=\\"%s\\"}" $labels.namespace $labels.name | query }}{{ . | first | label "reason" }}{{ end }}`;

const leaders = `sum by (namespace, job) (leader_election_master_status ${ours})`;

export const alerts: readonly Alert[] = [
  {
    name: 'NotReady',
    expr: 'max by (namespace, name) (konnect_audit_log_condition{type="Ready",status!="True",reason!~"Suspended|Drifted"}) == 1',
    for: '15m',
    severity: 'warning',
    summary: `The forwarding ${forwarding} is not ready: ${reasonOf('Ready')}.`,
    means:
      'Konnect is not set up as the forwarding wants it, or the operator could not find out. `Suspended` and `Drifted` are decisions of people and do not count.',
    affected: 'What the message of `Ready` names. Webhooks that were set up before keep sending.',
    check: '`kubectl get auditlogforwarding -A`, and the entry of the reason in the [runbook](runbook.md).',
    wayOut: 'Do what the entry of the reason says.',
  },
  {
    name: 'Stalled',
    expr: 'max by (namespace, name) (konnect_audit_log_condition{type="Stalled",status="True"}) == 1',
    for: '5m',
    severity: 'warning',
    summary: `The forwarding ${forwarding} needs a person: ${reasonOf('Stalled')}.`,
    means: 'The operator cannot go on until a user changes something: a Secret, a role in Konnect, or spec.',
    affected: 'What the message of `Ready` names.',
    check: 'The message of `Ready` names the object, the cause and the way out.',
    wayOut: 'Do what the message says.',
  },
  {
    name: 'NotDelivering',
    expr: 'min by (namespace, name, region, webhook) (konnect_audit_log_webhook_delivering) == 0',
    for: '15m',
    severity: 'warning',
    summary: `The SIEM takes no audit logs from ${webhook}.`,
    means: "Konnect's last attempt to deliver failed, or Konnect switched the webhook off after failed attempts.",
    affected: 'The logs of this webhook. Konnect can send them again for 7 days.',
    check:
      'The message of the condition `Delivering` names the HTTP status and the cause: [deliveries](runbook/deliveries.md).',
    wayOut: 'Repair the SIEM, or correct the Secret with the endpoint and the authorization.',
  },
  {
    name: 'LossImminent',
    expr: 'time() - min by (namespace, name, region, webhook) (konnect_audit_log_webhook_gap_start_timestamp_seconds) > 5 * 86400',
    for: '0m',
    severity: 'critical',
    summary: `Audit logs of ${webhook} that were not delivered are 5 days old, and will be lost after 7.`,
    means:
      'Audit logs were not delivered 5 days ago, and have not been replayed since. Konnect keeps audit logs for 7 days.',
    affected: 'The logs of this webhook since the last delivery before that.',
    check: 'The conditions `Delivering` and `LogsUndelivered`. A day later, `LogLossImminent` follows.',
    wayOut: 'Repair the delivery, then do what `LogsUndelivered` says: it names the replay to request.',
  },
  {
    name: 'ReplayNeeded',
    expr: 'max by (namespace, name) (konnect_audit_log_condition{type="LogsUndelivered",status="True",reason=~"ReplayAvailable|ReplayFailed"}) == 1',
    for: '1h',
    severity: 'warning',
    summary: `Audit logs of ${forwarding} were not delivered, and a person has to replay them: ${reasonOf('LogsUndelivered')}.`,
    means:
      'Deliveries succeed again, and the logs of the time before are missing in the SIEM. With `gapRecovery.mode: Replay`, the operator requests the replay itself, and this alert means that it failed.',
    affected: 'The logs of the period that the message names.',
    check:
      'The message of the condition `LogsUndelivered`: [ReplayAvailable](runbook/gaps.md#replayavailable), [ReplayFailed](runbook/gaps.md#replayfailed).',
    wayOut: 'Run the command in the message within 7 days.',
  },
  {
    name: 'NotVerified',
    expr: 'max by (namespace, name) (konnect_audit_log_condition{type="Verified",status="False"}) == 1',
    for: '30m',
    severity: 'warning',
    summary: `The audit logs of ${forwarding} in the SIEM are not those of Konnect: ${reasonOf('Verified')}.`,
    means:
      'The comparison with the SIEM found missing lines, invalid signatures, or lines that Konnect does not know. Without verification, this condition does not exist.',
    affected: 'The lines that `status.verification` counts.',
    check:
      '`kubectl get auditlogforwarding NAME -n NAMESPACE -o yaml`: the condition `Verified` and `status.verification`.',
    wayOut: 'Do what the message of `Verified` says.',
  },
  {
    name: 'Silent',
    expr: 'time() - max by (namespace, name, region) (konnect_audit_log_webhook_last_attempt_timestamp_seconds{webhook="organization"}) > on (namespace, name) group_left () (3600 + 2 * max by (namespace, name) (konnect_audit_log_forwarding_interval_seconds))',
    for: '15m',
    severity: 'warning',
    summary: `Konnect sends nothing from the organization's webhook of ${forwarding}.`,
    means:
      "Konnect has tried no delivery for longer than two intervals. Konnect audits the operator's own requests, so this log has a line in every interval.",
    affected: "The organization's log. A forwarding without this webhook, and a suspended one, cannot have this alert.",
    check:
      'In Konnect, look at Organization → Audit Logs: is the webhook enabled? `status.delivery` has the last attempt.',
    wayOut: 'If the webhook is enabled, and Konnect still sends nothing, ask the support of Kong.',
  },
  {
    name: 'ChangedByOthers',
    expr: 'sum by (namespace, name) (increase(konnect_audit_log_corrections_total[1d])) > 1.5',
    for: '0m',
    severity: 'warning',
    summary: `Another client keeps changing what ${forwarding} owns in Konnect.`,
    means:
      'The operator corrected changes of other clients at least twice within a day. After the third correction of an object it leaves the object alone ([Contested](runbook/owners.md#contested)).',
    affected: 'This forwarding.',
    check:
      'The events `DestinationCorrected` and `WebhookCorrected`, and the audit log of the organization: who changed it?',
    wayOut: 'Let one client own the object: stop the other one, or remove the object from this forwarding.',
  },
  {
    name: 'DeletionHangs',
    expr: 'time() - min by (namespace, name) (konnect_audit_log_forwarding_deletion_timestamp_seconds) > 3600',
    for: '0m',
    severity: 'warning',
    summary: `The deletion of the forwarding ${forwarding} is not complete after an hour.`,
    means: 'The operator cannot remove in Konnect what the forwarding owns.',
    affected: 'The forwarding, and a deletion of its namespace.',
    check: 'The message of `Ready`: [a deletion hangs](troubleshooting.md#a-deletion-hangs).',
    wayOut: 'Do what the message says, or set `deletionPolicy: Retain`.',
  },
  {
    name: 'NotLookedAt',
    expr: 'time() - max by (namespace, name) (konnect_audit_log_forwarding_last_reconcile_timestamp_seconds) > 600 + 3 * max by (namespace, name) (konnect_audit_log_forwarding_interval_seconds)',
    for: '5m',
    severity: 'warning',
    summary: `The operator has not compared ${forwarding} with Konnect for three intervals.`,
    means: 'No reconciliation has ended without a retry: Konnect is unavailable, or the operator does not work.',
    affected: 'Changes of other clients are not corrected. Webhooks keep sending.',
    check:
      'The reason of `Ready`, [KonnectFailing](#konnectauditlogkonnectfailing) and [QueueStuck](#konnectauditlogqueuestuck).',
    wayOut: 'If none of them says why, restart the operator and keep its log.',
  },
  {
    name: 'RateLimitNear',
    expr: 'min by (organization, region) (konnect_audit_log_konnect_ratelimit_remaining / konnect_audit_log_konnect_ratelimit_limit) < 0.1',
    for: '10m',
    severity: 'warning',
    summary: 'Less than a tenth of the rate limit of Konnect is left in region {{ $labels.region }}.',
    means: 'The requests of all clients of this organization come near to the limit of Konnect.',
    affected: 'All forwardings of the organization in this region, and other clients such as Terraform.',
    check:
      '`konnect_audit_log_konnect_requests_total` by operation: how many of the requests are those of the operator?',
    wayOut: 'Set a longer `spec.interval` or a lower `--konnect-qps`, or slow down the other client.',
  },
  {
    name: 'KonnectFailing',
    expr: 'sum by (region) (rate(konnect_audit_log_konnect_requests_total{code=~"429|5..|Unreachable"}[10m])) / sum by (region) (rate(konnect_audit_log_konnect_requests_total[10m])) > 0.2',
    for: '15m',
    severity: 'warning',
    summary: 'A fifth of the requests to Konnect in region {{ $labels.region }} fails.',
    means: 'Konnect answers with 429 or 5xx, or does not answer.',
    affected: 'All forwardings in this region: changes are applied late. Webhooks keep sending.',
    check: 'The status page of Konnect, and a request of your own: [before you begin](first-aid.md#before-you-begin).',
    wayOut: 'Wait for Konnect, or repair the network and the proxy. The operator retries by itself.',
  },
  {
    name: 'OperatorAbsent',
    expr: 'absent(konnect_audit_log_build_info)',
    for: '15m',
    severity: 'warning',
    summary: 'Prometheus gets no metrics of the operator.',
    means: 'No replica runs, or Prometheus cannot read the metrics.',
    affected: 'All forwardings: no alert of this page can fire except this one. Webhooks keep sending.',
    check: '`kubectl get pods -A -l app.kubernetes.io/name=konnect-audit-log-operator`, and the targets of Prometheus.',
    wayOut: 'Start the operator, or let Prometheus [read the metrics](../trust/security.md#metrics).',
  },
  {
    name: 'NoLeader',
    expr: `${leaders} == 0`,
    for: '5m',
    severity: 'warning',
    summary: 'No replica of {{ $labels.job }} in {{ $labels.namespace }} leads.',
    means: 'No replica holds the Lease, so none reconciles.',
    affected: 'All forwardings. Webhooks keep sending.',
    check: 'The logs of the replicas, and `kubectl get lease -n konnect-audit-log`.',
    wayOut:
      'Give the operator the [rights](../install/permissions.md#rights-in-kubernetes) on its Lease, or repair the API server.',
  },
  {
    name: 'TwoLeaders',
    expr: `${leaders} > 1`,
    for: '2m',
    severity: 'critical',
    summary: 'Several replicas of {{ $labels.job }} in {{ $labels.namespace }} lead.',
    means: 'More than one replica believes that it holds the Lease.',
    affected: 'Two replicas may write to Konnect at the same time.',
    check: 'The clocks of the nodes, and `--leader-elect-resource-namespace` of each replica.',
    wayOut: 'Scale to one replica, then find out why.',
  },
  {
    name: 'WatchStale',
    expr: 'max by (namespace, pod, resource) (konnect_audit_log_watch_silent_seconds) > 180',
    for: '2m',
    severity: 'warning',
    summary: 'The operator gets no changes of {{ $labels.resource }} from the API server.',
    means: 'The API server has sent nothing for three minutes. It sends data about once a minute.',
    affected: 'Changes of spec and of Secrets are not applied.',
    check: '[The operator does not see changes](troubleshooting.md#the-operator-does-not-see-changes).',
    wayOut: 'Repair the connection to the API server.',
  },
  {
    name: 'QueueStuck',
    expr: 'max by (namespace, pod) (konnect_audit_log_workqueue_oldest_seconds) > 600',
    for: '10m',
    severity: 'warning',
    summary: 'A forwarding has waited for more than ten minutes for a worker of the operator.',
    means: 'The workers are busy, or they wait for Konnect.',
    affected: 'Changes are applied late.',
    check:
      '`konnect_audit_log_konnect_wait_seconds` (the budget), `konnect_audit_log_konnect_request_duration_seconds` (Konnect) and `controller_runtime_active_workers`.',
    wayOut: 'Raise `--konnect-qps` if Konnect allows more, or set a longer `spec.interval`.',
  },
  {
    name: 'ReconcileErrors',
    expr: 'sum by (namespace, job) (increase(controller_runtime_reconcile_errors_total{controller="auditlogforwarding"}[15m])) > 0',
    for: '30m',
    severity: 'warning',
    summary: 'Reconciliations fail unexpectedly in {{ $labels.job }} in {{ $labels.namespace }}.',
    means: 'An error that no condition describes: the API server refuses a request, or the operator has a bug.',
    affected: 'The forwardings that the log names.',
    check: 'The log line `reconcile failed` has the key and the error.',
    wayOut: 'Give the operator the rights that the error names, or report the bug with the log line.',
  },
];

/** A series that a rule records, for an objective. */
export interface Objective {
  readonly record: string;
  readonly expr: string;
  readonly goal: string;
}

export const objectives: readonly Objective[] = [
  {
    record: 'konnect_audit_log:webhooks_delivering:ratio',
    expr: 'avg(max by (namespace, name, webhook) (konnect_audit_log_webhook_delivering))',
    goal: 'the share of webhooks that deliver now; the next row needs it',
  },
  {
    record: 'konnect_audit_log:webhooks_delivering:ratio_30d',
    expr: 'avg_over_time(konnect_audit_log:webhooks_delivering:ratio[30d])',
    goal: 'webhooks deliver for 99.9 % of 30 days',
  },
  {
    record: 'konnect_audit_log:oldest_gap:seconds',
    expr: 'max(time() - konnect_audit_log_webhook_gap_start_timestamp_seconds) or vector(0)',
    goal: 'never 7 days (604800)',
  },
  {
    record: 'konnect_audit_log:apply_duration_seconds:p99_1d',
    expr: 'histogram_quantile(0.99, sum by (le) (rate(konnect_audit_log_apply_duration_seconds_bucket[1d])))',
    goal: '99 % of changes are in Konnect within 10 s, while Konnect answers',
  },
  {
    record: 'konnect_audit_log:led:bool',
    expr: `max(${leaders}) > bool 0`,
    goal: '1 while a replica leads; the next row needs it',
  },
  {
    record: 'konnect_audit_log:led:ratio_30d',
    expr: 'avg_over_time(konnect_audit_log:led:bool[30d])',
    goal: 'a replica leads for 99.9 % of 30 days; absent without leader election',
  },
];
