/** Renders the dashboard for Grafana and the table of its panels in the docs. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { LegendDisplayMode, LegendPlacement, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  MappingType,
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
import type { PanelSpec, Table } from './panel.ts';
import { rows } from './panels.ts';

export const dashboardFile = 'helm/konnect-audit-log-operator/files/dashboard.json';
export const dashboardPage = 'docs/operate/dashboard.md';

const datasource = { type: 'prometheus', uid: '${datasource}' };
const heights = { stat: 4, time: 8, state: 8, table: 8 } as const;
const fullWidth = 24;
// Such a table has nothing beside it that needs more.
const fullWidthTableHeight = 6;
// In pixels. A UUID fits.
const idWidth = 320;

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
  return ofKind(spec)
    .id(id)
    .title(spec.title)
    .description(spec.description)
    .datasource(datasource)
    .span(spec.width)
    .height(heightOf(spec))
    .noValue(spec.empty ?? 'No metrics');
}

function heightOf({ kind, width }: PanelSpec): number {
  return kind === 'table' && width === fullWidth ? fullWidthTableHeight : heights[kind];
}

const refID = (index: number) => 'ABCDEF'.charAt(index);

function ofKind(spec: PanelSpec) {
  if (spec.kind === 'table') return table(spec);
  const targets = spec.queries.map(({ expr, legend }, index) => {
    const query = new DataqueryBuilder().refId(refID(index)).expr(expr).legendFormat(legend);
    return spec.kind === 'stat' ? query.instant() : query.range();
  });
  if (spec.kind === 'time') {
    const legend = new VizLegendOptionsBuilder()
      .showLegend(true)
      .displayMode(LegendDisplayMode.List)
      .placement(LegendPlacement.Bottom);
    const builder = new TimePanel().unit(spec.unit).min(0).fillOpacity(10).legend(legend).targets(targets);
    return spec.unit === 'percentunit' ? builder.max(1) : builder;
  }
  if (spec.kind === 'state') {
    const [one, zero] = spec.texts;
    const options = { 1: { text: one, color: 'green' }, 0: { text: zero, color: 'red' } };
    return new StatePanel().mappings([{ type: MappingType.ValueToText, options }]).targets(targets);
  }
  const { warning, critical } = spec.limits ?? {};
  // A panel without a value has the first color.
  const steps = [
    { value: null, color: 'text' },
    ...(spec.limits === undefined ? [] : [{ value: 0, color: 'green' }]),
    ...(warning === undefined ? [] : [{ value: warning, color: 'orange' }]),
    ...(critical === undefined ? [] : [{ value: critical, color: 'red' }]),
  ];
  const thresholds = new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
  return new StatPanel().unit(spec.unit).thresholds(thresholds).targets(targets);
}

/** Returns a table of the labels and of the columns with a title, in this order. */
function table({ labels, queries }: Table) {
  // The names that Grafana gives to the columns of values.
  const columns = queries.map((query, index) => {
    const name = queries.length === 1 ? 'Value' : `Value #${refID(index)}`;
    return { ...query, name };
  });
  const order = [...labels, ...columns.map(({ name }) => name)];
  const hidden = ['Time', ...columns.filter(({ title }) => title === undefined).map(({ name }) => name)];
  const builder = new TablePanel()
    .targets(
      queries.map(({ expr }, index) =>
        new DataqueryBuilder().refId(refID(index)).expr(expr).instant().format(PromQueryFormat.Table),
      ),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
        excludeByName: Object.fromEntries(hidden.map((name) => [name, true])),
        renameByName: Object.fromEntries(
          columns.flatMap(({ name, title }) => (title === undefined ? [] : [[name, title]])),
        ),
      },
    });
  if (labels.includes('webhook')) builder.overrideByName('webhook', [{ id: 'custom.width', value: idWidth }]);
  for (const { title, unit = 'none', missing = '' } of columns) {
    if (title === undefined) continue;
    const values = { unit, noValue: missing };
    builder.overrideByName(
      title,
      Object.entries(values).map(([id, value]) => ({ id, value })),
    );
  }
  return builder;
}

function unitsOf(spec: PanelSpec): string {
  if (spec.kind === 'state') return spec.texts.join(', ');
  if (spec.kind === 'table') return spec.queries.flatMap(({ unit }) => unit ?? []).join(', ');
  return spec.unit;
}

/** Returns the page of the dashboard with the table of its panels replaced. */
export function withPanels(page: string): string {
  const cells = rows.flatMap(({ title, panels }) =>
    panels.map((spec) => [title, spec.title, unitsOf(spec), spec.description]),
  );
  return withTable(page, {
    file: dashboardPage,
    name: 'panels',
    rows: [['row', 'panel', 'unit', 'what it shows'], ...cells],
  });
}
