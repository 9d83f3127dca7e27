import { rows } from '../../scripts/monitoring/panels.ts';

export interface DashboardQuery {
  readonly panel: string;
  readonly expr: string;
}

/** Returns a query for all forwardings and regions, as Grafana sends it to Prometheus. */
export function asGrafanaSends(expr: string, rateInterval: string): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$(?:namespace|name|region)\b/g, '.*');
}

/** Returns all queries of the dashboard. */
export function dashboardQueries(rateInterval: string): DashboardQuery[] {
  return rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr }) => ({ panel: title, expr: asGrafanaSends(expr, rateInterval) })),
    ),
  );
}
