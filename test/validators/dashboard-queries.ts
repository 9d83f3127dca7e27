import { rows } from '../../scripts/monitoring/panels.ts';

export interface DashboardQuery {
  readonly panel: string;
  readonly expr: string;
}

/** Returns the queries of the dashboard for all forwardings and regions, as Grafana sends them to Prometheus. */
export function dashboardQueries(rateInterval: string): DashboardQuery[] {
  return rows.flatMap(({ panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr }) => ({
        panel: title,
        expr: expr.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$(?:namespace|name|region)\b/g, '.*'),
      })),
    ),
  );
}
