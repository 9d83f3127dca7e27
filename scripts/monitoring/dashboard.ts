/** Renders the dashboard for Grafana and the table of its panels in the docs. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StatePanel } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimePanel } from '@grafana/grafana-foundation-sdk/timeseries';
import { withTable } from '../page-table.ts';
import type { PanelSpec } from './panel.ts';
import { rows } from './panels.ts';

export const dashboardFile = 'helm/konnect-audit-log-operator/files/dashboard.json';
export const dashboardPage = 'docs/operate/dashboard.md';

const datasource = { type: 'prometheus', uid: '${datasource}' };
const heights = { stat: 4, time: 8, state: 8, table: 8 } as const;

/** Returns the dashboard as JSON that Grafana imports. */
export function renderDashboard(): string {
  const builder = new DashboardBuilder('Konnect audit logs')
    .uid('konnect-audit-log')
    .description('Whether the audit logs of Kong Konnect reach the SIEM, and why not.')
    .tags(['konnect', 'audit-log'])
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('1m')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(variable('namespace', 'Namespace', 'label_values(konnect_audit_log_forwarding_info, namespace)'))
    .withVariable(
      variable('name', 'Forwarding', 'label_values(konnect_audit_log_forwarding_info{namespace=~"$namespace"}, name)'),
    )
    .withVariable(variable('region', 'Region', 'label_values(konnect_audit_log_konnect_requests_total, region)'));
  let id = 0;
  for (const { title, panels } of rows) {
    id += 1;
    builder.withRow(new RowBuilder(title).id(id));
    for (const spec of panels) {
      id += 1;
      builder.withPanel(panel(spec, id));
    }
  }
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

function panel(spec: PanelSpec, id: number): Builder<Panel> {
  const { title, description, unit, width, queries, kind, limits } = spec;
  const made = { stat: StatPanel, time: TimePanel, state: StatePanel, table: TablePanel }[kind];
  const builder = new made()
    .id(id)
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .span(width)
    .height(heights[kind])
    .targets(
      queries.map(({ expr, legend }, index) => {
        const query = new DataqueryBuilder().refId('ABCDEF'.charAt(index)).expr(expr).legendFormat(legend);
        if (kind === 'table') return query.instant().format(PromQueryFormat.Table);
        return kind === 'stat' ? query.instant() : query.range();
      }),
    );
  if (kind === 'table') {
    builder.withTransformation({ id: 'merge', options: {} });
    const names = queries.map(({ legend }, index) => [`Value #${'ABCDEF'.charAt(index)}`, legend] as const);
    const renameByName = Object.fromEntries([...names, ['Value', queries[0]?.legend ?? '']]);
    builder.withTransformation({ id: 'organize', options: { excludeByName: { Time: true }, renameByName } });
  }
  const { warning, critical } = limits ?? {};
  const steps = [
    { value: null, color: limits === undefined ? 'text' : 'green' },
    ...(warning === undefined ? [] : [{ value: warning, color: 'orange' }]),
    ...(critical === undefined ? [] : [{ value: critical, color: 'red' }]),
  ];
  return builder.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
}

/** Returns the page of the dashboard with the table of its panels replaced. */
export function withPanels(page: string): string {
  const cells = rows.flatMap(({ title, panels }) =>
    panels.map((spec) => [title, spec.title, spec.unit, spec.description]),
  );
  return withTable(page, {
    file: dashboardPage,
    name: 'panels',
    rows: [['row', 'panel', 'unit', 'what it shows'], ...cells],
  });
}
