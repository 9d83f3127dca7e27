import { inRegion, p99, type RowSpec, rate, requests } from '../panel.ts';

/** Requests to Konnect. */
export const konnect: RowSpec = {
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
      empty: 'No requests in this time.',
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
          expr: `(${requests(`code=~"429|5..|Unreachable",${inRegion}`)} or 0 * ${requests(inRegion)}) / ${requests(inRegion)} >= 0`,
          legend: '{{region}}',
        },
      ],
      empty: 'No requests in this time.',
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
      empty: 'No requests in this time.',
    },
    {
      kind: 'time',
      title: 'Left of the rate limit',
      description: 'The share of the requests that Konnect still accepts in this minute.',
      unit: 'percentunit',
      width: 8,
      queries: [
        {
          expr: `min by (organization, region) (konnect_audit_log_konnect_ratelimit_remaining{${inRegion}} / konnect_audit_log_konnect_ratelimit_limit{${inRegion}})`,
          legend: '{{organization}} {{region}}',
        },
      ],
      empty: 'Konnect states no limit in its answers.',
    },
    {
      kind: 'time',
      title: 'Wait for the budget, 99th percentile',
      description: "How long requests wait for the operator's own budget, by rank.",
      unit: 's',
      width: 8,
      queries: [{ expr: p99('konnect_audit_log_konnect_wait_seconds', ', rank'), legend: '{{rank}}' }],
      empty: 'No requests in this time.',
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
};
