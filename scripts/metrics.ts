/** The table of metrics in the docs, generated from the operator's own table of metrics. */
import { type MetricDefinition, metricTable } from '../src/telemetry/metric-table.ts';
import { withTable } from './page-table.ts';

export const metricsFile = 'docs/operate/metrics.md';

/** Returns the page of metrics with its table replaced. */
export function withMetricTable(page: string): string {
  const rows = Object.values<MetricDefinition>(metricTable).map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(', '),
    help,
  ]);
  const heading = ['metric', 'type', 'labels', 'meaning'];
  return withTable(page, { file: metricsFile, name: 'metrics', rows: [heading, ...rows] });
}
