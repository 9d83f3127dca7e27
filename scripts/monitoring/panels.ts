/** The panels of the dashboard: what they ask Prometheus, and what they tell a person. */
import { ours } from './ours.ts';

export interface Query {
  readonly expr: string;
  /** The name of a series, with the labels of Prometheus in double braces. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly kind: 'stat' | 'time' | 'state' | 'table';
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  /** Of 24. */
  readonly width: number;
  readonly queries: readonly Query[];
  /** From which value on a stat is orange, and red. Without them it has no color. */
  readonly limits?: { readonly warning: number; readonly critical?: number };
}

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

/** The forwardings that the variables of the dashboard choose. */
const chosen = 'namespace=~"$namespace",name=~"$name"';
const inRegion = 'region=~"$region"';
const ofForwarding = 'namespace, name';
const ofWebhook = 'namespace, name, region, webhook';
const controller = 'controller="auditlogforwarding"';
const window = '$__rate_interval';

function count(series: string): string {
  return `count(${series}) or vector(0)`;
}

function p99(metric: string, by: string, labels = ''): string {
  return `histogram_quantile(0.99, sum by (le${by}) (rate(${metric}_bucket${labels}[${window}])))`;
}

function rate(metric: string, by: string, labels = ''): string {
  return `sum by (${by}) (rate(${metric}${labels}[${window}]))`;
}

const ready = (labels: string) => `konnect_audit_log_condition{type="Ready",${labels},${chosen}}`;
const requests = (labels: string) => rate('konnect_audit_log_konnect_requests_total', 'region', `{${labels}}`);
const delivering = `konnect_audit_log_webhook_delivering{${chosen},${inRegion}}`;

export const rows: readonly RowSpec[] = [
  {
    title: 'Are the logs arriving?',
    panels: [
      {
        kind: 'stat',
        title: 'Forwardings ready',
        description: 'Forwardings whose configuration in Konnect is as wanted.',
        unit: 'short',
        width: 4,
        queries: [{ expr: count(`max by (${ofForwarding}) (${ready('status="True"')})`), legend: 'ready' }],
      },
      {
        kind: 'stat',
        title: 'Forwardings not ready',
        description: 'Suspended and drifted ones are included. The table below has the reasons.',
        unit: 'short',
        width: 4,
        queries: [{ expr: count(`max by (${ofForwarding}) (${ready('status!="True"')})`), legend: 'not ready' }],
        limits: { warning: 1 },
      },
      {
        kind: 'stat',
        title: 'Webhooks not delivering',
        description: 'The last attempt of Konnect failed, or Konnect switched the webhook off.',
        unit: 'short',
        width: 4,
        queries: [{ expr: count(`max by (${ofWebhook}) (${delivering}) == 0`), legend: 'not delivering' }],
        limits: { warning: 1 },
      },
      {
        kind: 'stat',
        title: 'Oldest gap',
        description:
          'The age of the oldest audit logs that are not known to have been delivered. After 7 days, they are lost.',
        unit: 's',
        width: 4,
        queries: [
          {
            expr: `max(time() - konnect_audit_log_webhook_gap_start_timestamp_seconds{${chosen},${inRegion}}) or vector(0)`,
            legend: 'oldest gap',
          },
        ],
        limits: { warning: 86_400, critical: 432_000 },
      },
      {
        kind: 'stat',
        title: 'Not verified',
        description: 'Forwardings whose logs in the SIEM are not those of Konnect. Empty without verification.',
        unit: 'short',
        width: 4,
        queries: [
          {
            expr: count(
              `max by (${ofForwarding}) (konnect_audit_log_condition{type="Verified",status="False",${chosen}})`,
            ),
            legend: 'not verified',
          },
        ],
        limits: { warning: 1 },
      },
      {
        kind: 'stat',
        title: 'Delivering, 30 days',
        description: 'The share of webhooks that delivered, on average over 30 days. The objective is 99.9 %.',
        unit: 'percentunit',
        width: 4,
        queries: [
          {
            expr: `avg_over_time((avg(max by (${ofWebhook}) (${delivering})))[30d:5m])`,
            legend: 'delivering',
          },
        ],
      },
    ],
  },
  {
    title: 'Which ones not, why, and since when?',
    panels: [
      {
        kind: 'table',
        title: 'Forwardings that are not ready',
        description: 'The reason, which is an entry of the runbook, and how long ago the forwarding was ready.',
        unit: 's',
        width: 12,
        queries: [
          { expr: `max by (${ofForwarding}, reason) (${ready('status!="True"')}) == 1`, legend: 'reason' },
          {
            expr: `(time() - max by (${ofForwarding}) (konnect_audit_log_forwarding_last_ready_timestamp_seconds{${chosen}})) and on (${ofForwarding}) (${ready('status!="True"')} == 1)`,
            legend: 'not ready for',
          },
        ],
      },
      {
        kind: 'table',
        title: 'Webhooks that do not deliver',
        description: 'The HTTP status of the last answer, 0 for none, and how long ago Konnect tried.',
        unit: 's',
        width: 12,
        queries: [
          {
            expr: `max by (${ofWebhook}) (konnect_audit_log_webhook_last_response_code{${chosen},${inRegion}}) and on (${ofWebhook}) (${delivering} == 0)`,
            legend: 'last answer',
          },
          {
            expr: `(time() - max by (${ofWebhook}) (konnect_audit_log_webhook_last_attempt_timestamp_seconds{${chosen},${inRegion}})) and on (${ofWebhook}) (${delivering} == 0)`,
            legend: 'last attempt',
          },
        ],
      },
      {
        kind: 'table',
        title: 'Webhooks that are not on',
        description: 'Their state and reason, as in status.portals and status.organization.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `max by (${ofWebhook}, state, reason) (konnect_audit_log_webhook_state{state!="on",${chosen},${inRegion}}) == 1`,
            legend: 'state',
          },
        ],
      },
      {
        kind: 'time',
        title: 'Corrected after changes of other clients',
        description: 'After three corrections of an object in a day, the operator leaves it alone.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `sum by (${ofForwarding}, object) (increase(konnect_audit_log_corrections_total{${chosen}}[1h])) > 0`,
            legend: '{{namespace}}/{{name}} {{object}}',
          },
        ],
      },
      {
        kind: 'table',
        title: 'Gaps',
        description:
          'Webhooks with audit logs that are not known to have been delivered, and how old the oldest of these logs are.',
        unit: 's',
        width: 12,
        queries: [
          {
            expr: `time() - min by (${ofWebhook}) (konnect_audit_log_webhook_gap_start_timestamp_seconds{${chosen},${inRegion}})`,
            legend: 'oldest log',
          },
        ],
      },
      {
        kind: 'time',
        title: 'Replays',
        description: 'Replays that the operator requested from Konnect, and their results.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `sum by (${ofForwarding}, result) (increase(konnect_audit_log_replays_total{${chosen}}[1h])) > 0`,
            legend: '{{namespace}}/{{name}} {{result}}',
          },
        ],
      },
      {
        kind: 'time',
        title: 'Lines of the last verification',
        description: 'What the last comparison with SumoLogic counted. Empty without verification.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `max by (${ofForwarding}, result) (konnect_audit_log_verification_lines{${chosen}})`,
            legend: '{{namespace}}/{{name}} {{result}}',
          },
        ],
      },
      {
        kind: 'table',
        title: 'Last verification',
        description: 'How long ago the operator last compared the lines in SumoLogic. Empty without verification.',
        unit: 's',
        width: 12,
        queries: [
          {
            expr: `time() - max by (${ofForwarding}) (konnect_audit_log_verification_last_timestamp_seconds{${chosen}})`,
            legend: 'verified',
          },
        ],
      },
      {
        kind: 'state',
        title: 'Delivering',
        description: '1 while the last attempt of Konnect succeeded, 0 while not.',
        unit: 'short',
        width: 24,
        queries: [
          { expr: `min by (namespace, name, webhook) (${delivering})`, legend: '{{namespace}}/{{name}} {{webhook}}' },
        ],
      },
    ],
  },
  {
    title: 'Konnect',
    panels: [
      {
        kind: 'time',
        title: 'Requests',
        description: 'Requests of the operator to Konnect, by operation and HTTP status.',
        unit: 'reqps',
        width: 8,
        queries: [
          {
            expr: rate('konnect_audit_log_konnect_requests_total', 'operation, code', `{${inRegion}}`),
            legend: '{{operation}} {{code}}',
          },
        ],
      },
      {
        kind: 'time',
        title: 'Failing share',
        description: 'The share of requests that Konnect answered with 429 or 5xx, or not at all.',
        unit: 'percentunit',
        width: 8,
        queries: [
          {
            // Without a failed request there is no such series.
            expr: `(${requests(`code=~"429|5..|Unreachable",${inRegion}`)} or 0 * ${requests(inRegion)}) / ${requests(inRegion)}`,
            legend: '{{region}}',
          },
        ],
      },
      {
        kind: 'time',
        title: 'Latency, 99th percentile',
        description: 'How long requests to Konnect take.',
        unit: 's',
        width: 8,
        queries: [
          { expr: p99('konnect_audit_log_konnect_request_duration_seconds', ', operation'), legend: '{{operation}}' },
        ],
      },
      {
        kind: 'time',
        title: 'Left of the rate limit',
        description: 'Empty if Konnect states no limit in its answers.',
        unit: 'percentunit',
        width: 8,
        queries: [
          {
            expr: `min by (organization, region) (konnect_audit_log_konnect_ratelimit_remaining{${inRegion}} / konnect_audit_log_konnect_ratelimit_limit{${inRegion}})`,
            legend: '{{organization}} {{region}}',
          },
        ],
      },
      {
        kind: 'time',
        title: 'Wait for the budget, 99th percentile',
        description: "How long requests wait for the operator's own budget, by rank.",
        unit: 's',
        width: 8,
        queries: [{ expr: p99('konnect_audit_log_konnect_wait_seconds', ', rank'), legend: '{{rank}}' }],
      },
      {
        kind: 'time',
        title: 'Withheld',
        description: 'Requests that were not sent, because Konnect had asked to wait or was unavailable.',
        unit: 'reqps',
        width: 8,
        queries: [{ expr: rate('konnect_audit_log_konnect_withheld_total', 'cause'), legend: '{{cause}}' }],
      },
    ],
  },
  {
    title: 'Operator',
    panels: [
      {
        kind: 'state',
        title: 'Who leads',
        description: '1 in the replica that leads. Empty without leader election.',
        unit: 'short',
        width: 12,
        queries: [
          {
            expr: `max by (namespace, instance) (leader_election_master_status ${ours})`,
            legend: '{{namespace}} {{instance}}',
          },
        ],
      },
      {
        kind: 'table',
        title: 'Versions',
        description: 'The versions of the operator and of Node in each replica.',
        unit: 'short',
        width: 12,
        queries: [
          { expr: 'sum by (version, node, namespace, instance) (konnect_audit_log_build_info)', legend: 'version' },
        ],
      },
      {
        kind: 'time',
        title: 'From a change to Konnect, 99th percentile',
        description:
          'From the moment when the operator sees a change until Konnect is as wanted. The objective is 10 s.',
        unit: 's',
        width: 8,
        queries: [{ expr: p99('konnect_audit_log_apply_duration_seconds', ', cause'), legend: '{{cause}}' }],
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
        description: 'The 99th percentile of the delay of the event loop of each replica.',
        unit: 's',
        width: 4,
        queries: [{ expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds ${ours})`, legend: '{{instance}}' }],
      },
    ],
  },
];
