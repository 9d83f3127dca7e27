import {
  chosen,
  count,
  delivering,
  inRegion,
  ofForwarding,
  ofWebhook,
  orZero,
  type RowSpec,
  ready,
  verified,
} from '../panel.ts';

/** Whether the logs arrive. */
export const arriving: RowSpec = {
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
          expr: orZero(`max(time() - konnect_audit_log_webhook_gap_start_timestamp_seconds{${chosen},${inRegion}})`),
          legend: 'oldest gap',
        },
      ],
      limits: { warning: 86_400, critical: 432_000 },
    },
    {
      kind: 'stat',
      title: 'Not verified',
      description: 'Forwardings whose logs in the SIEM are not those of Konnect.',
      unit: 'short',
      width: 4,
      queries: [
        {
          // 0 only if a forwarding has a verification.
          expr: `count(max by (${ofForwarding}) (${verified('status="False"')})) or 0 * max(${verified('status=~".+"')})`,
          legend: 'not verified',
        },
      ],
      limits: { warning: 1 },
      empty: 'no verification',
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
      empty: 'no delivery yet',
    },
  ],
};
