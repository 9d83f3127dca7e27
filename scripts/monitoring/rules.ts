/** Renders the rules of Prometheus and the pages about them. */
import { stringify } from 'yaml';
import { withSection } from '../page-section.ts';
import { withTable } from '../page-table.ts';
import { type Alert, alertPrefix, alerts, objectives } from './alerts.ts';

export const rulesFile = 'helm/konnect-audit-log-operator/files/rules.yaml';
export const alertsFile = 'docs/operate/alerts.md';
export const monitoringFile = 'docs/operate/monitoring.md';

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
  const list = (['critical', 'warning'] as const).map((severity) => {
    const links = alerts.filter((alert) => alert.severity === severity).map((alert) => linkTo(alert, ''));
    return `- ${severity}: ${links.join(' · ')}`;
  });
  const withList = withSection(page, { file: alertsFile, name: 'list', text: list.join('\n') });
  return withSection(withList, { file: alertsFile, name: 'entries', text: alerts.map(entryOf).join('\n\n') });
}

/** Returns the page about monitoring with its tables of rules replaced. */
export function withRules(page: string): string {
  const rules = alerts.map((alert) => [linkTo(alert, 'alerts.md'), alert.severity, alert.for, `\`${alert.expr}\``]);
  const goals = objectives.map(({ record, goal, expr }) => [`\`${record}\``, goal, `\`${expr}\``]);
  const withAlertRules = withTable(page, {
    file: monitoringFile,
    name: 'alerts',
    rows: [['alert', 'severity', 'after', 'expression'], ...rules],
  });
  return withTable(withAlertRules, {
    file: monitoringFile,
    name: 'objectives',
    rows: [['series', 'objective', 'expression'], ...goals],
  });
}

function linkTo(alert: Alert, page: string): string {
  return `[${alertPrefix}${alert.name}](${page}#${anchorOf(alert)})`;
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
  ].join('\n');
}

function sentences(text: string): string[] {
  return text.split(/(?<=[.?!]) (?=[A-Z`])/);
}
