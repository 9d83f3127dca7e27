/** Renders the rules of Prometheus and the page of alerts. */
import { stringify } from 'yaml';
import { withSection } from '../page-section.ts';
import { withTable } from '../page-table.ts';
import { type Alert, alertPrefix, alerts, objectives } from './alerts.ts';

export const rulesFile = 'helm/konnect-audit-log-operator/files/rules.yaml';
export const alertsFile = 'docs/operate/alerts.md';

/** Returns the heading of an alert on its page, in lower case, as the chart links it. */
export function anchorOf({ name }: Alert): string {
  return `${alertPrefix}${name}`.toLowerCase();
}

/** Returns the groups of rules, as a file of Prometheus. */
export function renderRules(): string {
  const groups = [
    {
      name: 'konnect-audit-log-alerts',
      rules: alerts.map((alert) => ({
        alert: `${alertPrefix}${alert.name}`,
        expr: alert.expr,
        for: alert.for,
        labels: { severity: alert.severity },
        annotations: { summary: alert.summary, description: plain(`${alert.means} ${alert.wayOut}`) },
      })),
    },
    {
      name: 'konnect-audit-log-objectives',
      rules: objectives.map(({ record, expr }) => ({ record, expr })),
    },
  ];
  const head = '# Generated from scripts/monitoring/alerts.ts by `npm run generate`. Do not edit.\n';
  return head + stringify({ groups }, { lineWidth: 0 });
}

/** Returns Markdown without links and code. */
function plain(text: string): string {
  return text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
}

/** Returns the page of alerts with its generated sections replaced. */
export function withAlerts(page: string): string {
  const overview = alerts.map((alert) => [
    `[${alertPrefix}${alert.name}](#${anchorOf(alert)})`,
    alert.severity,
    alert.for,
    sentences(alert.means)[0] ?? '',
  ]);
  const head = ['alert', 'severity', 'after', 'means'];
  const goals = objectives.map(({ record, goal, expr }) => [`\`${record}\``, goal, `\`${expr}\``]);
  const withList = withTable(page, { file: alertsFile, name: 'list', rows: [head, ...overview] });
  const withEntries = withSection(withList, {
    file: alertsFile,
    name: 'entries',
    text: alerts.map(entryOf).join('\n\n'),
  });
  return withTable(withEntries, {
    file: alertsFile,
    name: 'objectives',
    rows: [['series', 'objective', 'expression'], ...goals],
  });
}

function entryOf(alert: Alert): string {
  const item = (title: string, text: string) => `- **${title}:** ${sentences(text).join('\n  ')}`;
  return [
    `### ${alertPrefix}${alert.name}`,
    '',
    item('Means', alert.means),
    item('Affected', alert.affected),
    item('Check', alert.check),
    item('Way out', alert.wayOut),
    '',
    '```promql',
    alert.expr,
    '```',
  ].join('\n');
}

function sentences(text: string): string[] {
  return text.split(/(?<=[.?!]) (?=[A-Z`])/);
}
