import {
  chosen,
  delivering,
  forwardingLabels,
  inRegion,
  ofForwarding,
  ofWebhook,
  type RowSpec,
  ready,
  webhookLabels,
} from '../panel.ts';

/** Which forwardings and webhooks have a problem, why, and since when. */
export const causes: RowSpec = {
  title: 'Which ones not, why, and since when?',
  panels: [
    {
      kind: 'table',
      title: 'Forwardings that are not ready',
      description: 'The reason, which is an entry of the runbook, and how long ago the forwarding was ready.',
      width: 12,
      labels: [...forwardingLabels, 'reason'],
      queries: [
        { expr: `max by (${ofForwarding}, reason) (${ready('status!="True"')}) == 1` },
        {
          expr: `(time() - max by (${ofForwarding}) (konnect_audit_log_forwarding_last_ready_timestamp_seconds{${chosen}})) and on (${ofForwarding}) (${ready('status!="True"')} == 1)`,
          title: 'last ready, ago',
          unit: 's',
          missing: 'never',
        },
      ],
      empty: 'All forwardings are ready.',
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
      empty: 'No corrections.',
    },
    {
      kind: 'table',
      title: 'Webhooks that do not deliver',
      description: 'The HTTP status of the last answer, 0 for none, and how long ago Konnect tried.',
      width: 24,
      labels: webhookLabels,
      queries: [
        {
          expr: `max by (${ofWebhook}) (konnect_audit_log_webhook_last_response_code{${chosen},${inRegion}}) and on (${ofWebhook}) (${delivering} == 0)`,
          title: 'last answer',
        },
        {
          expr: `(time() - max by (${ofWebhook}) (konnect_audit_log_webhook_last_attempt_timestamp_seconds{${chosen},${inRegion}})) and on (${ofWebhook}) (${delivering} == 0)`,
          title: 'last attempt, ago',
          unit: 's',
        },
      ],
      empty: 'All webhooks deliver.',
    },
    {
      kind: 'table',
      title: 'Webhooks that are not on',
      description: 'Their state and reason, as in status.portals and status.organization.',
      width: 24,
      labels: [...webhookLabels, 'state', 'reason'],
      queries: [
        {
          expr: `max by (${ofWebhook}, state, reason) (konnect_audit_log_webhook_state{state!="on",${chosen},${inRegion}}) == 1`,
        },
      ],
      empty: 'All webhooks are on.',
    },
    {
      kind: 'table',
      title: 'Gaps',
      description:
        'Webhooks with audit logs that are not known to have been delivered, and how old the oldest of these logs are.',
      width: 24,
      labels: webhookLabels,
      queries: [
        {
          expr: `time() - min by (${ofWebhook}) (konnect_audit_log_webhook_gap_start_timestamp_seconds{${chosen},${inRegion}})`,
          title: 'age of the oldest log',
          unit: 's',
        },
      ],
      empty: 'No gaps.',
    },
    {
      kind: 'time',
      title: 'Replays',
      description: 'Replays that the operator requested from Konnect, and their results.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `sum by (${ofForwarding}, result) (increase(konnect_audit_log_replays_total{${chosen}}[1h])) > 0`,
          legend: '{{namespace}}/{{name}} {{result}}',
        },
      ],
      empty: 'No replays.',
    },
    {
      kind: 'time',
      title: 'Lines of the last verification',
      description: 'What the last comparison with SumoLogic counted.',
      unit: 'short',
      width: 8,
      queries: [
        {
          expr: `max by (${ofForwarding}, result) (konnect_audit_log_verification_lines{${chosen}})`,
          legend: '{{namespace}}/{{name}} {{result}}',
        },
      ],
      empty: 'No forwarding has a verification.',
    },
    {
      kind: 'table',
      title: 'Last verification',
      description: 'How long ago the operator last compared the lines in SumoLogic.',
      width: 8,
      labels: forwardingLabels,
      queries: [
        {
          expr: `time() - max by (${ofForwarding}) (konnect_audit_log_verification_last_timestamp_seconds{${chosen}})`,
          title: 'verified, ago',
          unit: 's',
        },
      ],
      empty: 'No forwarding has a verification.',
    },
    {
      kind: 'state',
      title: 'Delivering',
      description: 'Whether the last attempt of Konnect succeeded.',
      texts: ['delivers', 'fails'],
      width: 24,
      queries: [
        { expr: `min by (namespace, name, webhook) (${delivering})`, legend: '{{namespace}}/{{name}} {{webhook}}' },
      ],
      empty: 'No webhook has delivered yet.',
    },
  ],
};
