/** For each alert a case in which it fires, and one that is close to it in which it does not. */

export interface Series {
  readonly series: string;
  /** In the notation of promtool, one value a minute. */
  readonly values: string;
}

interface AlertCase {
  readonly fires: readonly Series[];
  readonly silent: readonly Series[];
  /** The labels of the alert, besides those of the rule. */
  readonly labels: Readonly<Record<string, string>>;
  /** When the alert is evaluated. */
  readonly minutes: number;
}

const resource = { namespace: 'platform', name: 'sumologic' };
const ofForwarding = 'namespace="platform",name="sumologic"';
const ofWebhook = `${ofForwarding},region="us",webhook="organization"`;
const webhook = { ...resource, region: 'us', webhook: 'organization' };

const one = (series: string, values: string): Series => ({ series: `konnect_audit_log_${series}`, values });
/** The series of both replicas. */
const both = (name: string, labels: string, values: string): Series[] =>
  ['a', 'b'].map((pod) => one(`${name}{${labels},pod="${pod}"}`, values));
const condition = (type: string, status: string, reason: string, values: string) =>
  both('condition', `${ofForwarding},type="${type}",status="${status}",reason="${reason}"`, values);

const target = (pod: string) => `namespace="operators",job="audit",instance="${pod}",pod="${pod}"`;
const leader = (pod: string, values: string): Series[] => [
  { series: `leader_election_master_status{${target(pod)},name="lease"}`, values },
  one(`build_info{${target(pod)}}`, '1x1000'),
];
const stranger: Series = {
  series: 'leader_election_master_status{namespace="others",job="other",instance="x"}',
  values: '0x1000',
};
const job = { namespace: 'operators', job: 'audit' };

/** By the name of the alert, without its prefix. */
export const alertCases: Readonly<Record<string, AlertCase>> = {
  NotReady: {
    // False and Unknown alternate, and the alert goes on.
    fires: [
      ...condition('Ready', 'False', 'Creating', '1 1 1 1 1 1 1 1 1 1 _x40'),
      ...condition('Ready', 'Unknown', 'RateLimited', '_x9 1x40'),
    ],
    silent: [...condition('Ready', 'Unknown', 'Suspended', '1x60'), ...condition('Ready', 'True', 'InSync', '1x60')],
    labels: resource,
    minutes: 20,
  },
  Stalled: {
    fires: condition('Stalled', 'True', 'TokenRejected', '1x60'),
    silent: condition('Reconciling', 'True', 'Creating', '1x60'),
    labels: resource,
    minutes: 10,
  },
  NotDelivering: {
    fires: both('webhook_delivering', ofWebhook, '0x60'),
    silent: both('webhook_delivering', ofWebhook, '0x10 1x60'),
    labels: webhook,
    minutes: 20,
  },
  LossImminent: {
    fires: both('webhook_gap_start_timestamp_seconds', ofWebhook, '-431990x10'),
    silent: both('webhook_gap_start_timestamp_seconds', ofWebhook, '-400000x10'),
    labels: webhook,
    minutes: 1,
  },
  ReplayNeeded: {
    fires: condition('LogsUndelivered', 'True', 'ReplayAvailable', '1x100'),
    silent: condition('LogsUndelivered', 'True', 'Replaying', '1x100'),
    labels: resource,
    minutes: 70,
  },
  NotVerified: {
    fires: condition('Verified', 'False', 'LinesMissing', '1x60'),
    silent: condition('Verified', 'Unknown', 'SumoLogicUnavailable', '1x60'),
    labels: resource,
    minutes: 40,
  },
  Silent: {
    fires: [
      ...both('webhook_last_attempt_timestamp_seconds', ofWebhook, '0x200'),
      ...both('forwarding_interval_seconds', ofForwarding, '600x200'),
    ],
    // A suspended forwarding has no interval.
    silent: both('webhook_last_attempt_timestamp_seconds', ofWebhook, '0x200'),
    labels: { ...resource, region: 'us' },
    minutes: 120,
  },
  ChangedByOthers: {
    fires: both('corrections_total', `${ofForwarding},object="webhook"`, '0x10 2x200').slice(0, 1),
    silent: both('corrections_total', `${ofForwarding},object="webhook"`, '0x10 1x200').slice(0, 1),
    labels: resource,
    minutes: 200,
  },
  DeletionHangs: {
    fires: both('forwarding_deletion_timestamp_seconds', ofForwarding, '0x100'),
    silent: both('forwarding_deletion_timestamp_seconds', ofForwarding, '0x50 _x50'),
    labels: resource,
    minutes: 70,
  },
  NotLookedAt: {
    fires: [
      one(`forwarding_last_reconcile_timestamp_seconds{${ofForwarding}}`, '0x100'),
      ...both('forwarding_interval_seconds', ofForwarding, '600x100'),
    ],
    silent: [
      one(`forwarding_last_reconcile_timestamp_seconds{${ofForwarding}}`, '0x100'),
      ...both('forwarding_interval_seconds', ofForwarding, '3600x100'),
    ],
    labels: resource,
    minutes: 60,
  },
  RateLimitNear: {
    fires: [
      one('konnect_ratelimit_remaining{organization="blue",region="us"}', '20x60'),
      one('konnect_ratelimit_limit{organization="blue",region="us"}', '600x60'),
    ],
    silent: [
      one('konnect_ratelimit_remaining{organization="blue",region="us"}', '200x60'),
      one('konnect_ratelimit_limit{organization="blue",region="us"}', '600x60'),
    ],
    labels: { organization: 'blue', region: 'us' },
    minutes: 20,
  },
  KonnectFailing: {
    fires: [
      one('konnect_requests_total{operation="get portal",region="us",code="503"}', '0+3x60'),
      one('konnect_requests_total{operation="get portal",region="us",code="200"}', '0+7x60'),
    ],
    silent: [
      one('konnect_requests_total{operation="get portal",region="us",code="404"}', '0+3x60'),
      one('konnect_requests_total{operation="get portal",region="us",code="200"}', '0+7x60'),
    ],
    labels: { region: 'us' },
    minutes: 40,
  },
  OperatorAbsent: {
    fires: [stranger],
    silent: [one(`build_info{${target('a')}}`, '1x60')],
    labels: {},
    minutes: 20,
  },
  NoLeader: {
    fires: [...leader('a', '0x60'), ...leader('b', '0x60')],
    // The process of another operator has no build info of ours.
    silent: [...leader('a', '0x60'), ...leader('b', '1x60'), stranger],
    labels: job,
    minutes: 10,
  },
  TwoLeaders: {
    fires: [...leader('a', '1x60'), ...leader('b', '1x60')],
    silent: [...leader('a', '1x5 0x60'), ...leader('b', '0x4 1x60')],
    labels: job,
    minutes: 10,
  },
  WatchStale: {
    fires: [one(`watch_silent_seconds{${target('a')},resource="secrets"}`, '200x60')],
    silent: [one(`watch_silent_seconds{${target('a')},resource="secrets"}`, '71x60')],
    labels: { namespace: 'operators', pod: 'a', resource: 'secrets' },
    minutes: 10,
  },
  QueueStuck: {
    fires: [one(`workqueue_oldest_seconds{${target('a')},name="auditlogforwarding"}`, '700x60')],
    silent: [one(`workqueue_oldest_seconds{${target('a')},name="auditlogforwarding"}`, '500x60')],
    labels: { namespace: 'operators', pod: 'a' },
    minutes: 15,
  },
  ReconcileErrors: {
    fires: [
      {
        series: `controller_runtime_reconcile_errors_total{${target('a')},controller="auditlogforwarding"}`,
        values: '0+1x60',
      },
    ],
    silent: [
      {
        series: `controller_runtime_reconcile_errors_total{${target('a')},controller="another"}`,
        values: '0+1x60',
      },
    ],
    labels: job,
    minutes: 60,
  },
};

/** Series and what the rules record from them after 60 minutes. */
export const objectiveCases: readonly {
  readonly input: readonly Series[];
  readonly record: string;
  readonly value: number;
}[] = [
  {
    input: [
      ...both('webhook_delivering', ofWebhook, '1x60'),
      ...both('webhook_delivering', `${ofForwarding},region="us",webhook="portal"`, '0x60'),
    ],
    record: 'konnect_audit_log:webhooks_delivering:ratio_30d',
    value: 0.5,
  },
  {
    input: both('webhook_gap_start_timestamp_seconds', ofWebhook, '600x60'),
    record: 'konnect_audit_log:oldest_gap:seconds',
    value: 3_000,
  },
  { input: [stranger], record: 'konnect_audit_log:oldest_gap:seconds', value: 0 },
  {
    input: [
      one('apply_duration_seconds_bucket{cause="spec",le="1"}', '0+99x60'),
      one('apply_duration_seconds_bucket{cause="spec",le="10"}', '0+100x60'),
      one('apply_duration_seconds_bucket{cause="spec",le="+Inf"}', '0+100x60'),
    ],
    record: 'konnect_audit_log:apply_duration_seconds:p99_1d',
    value: 1,
  },
  {
    input: [...leader('a', '0x60'), ...leader('b', '1x60')],
    record: 'konnect_audit_log:led:bool',
    value: 1,
  },
  {
    input: [...leader('a', '0x60'), ...leader('b', '2x60')],
    record: 'konnect_audit_log:led:ratio_30d',
    value: 1,
  },
];
