/** What the panels of the dashboard share: their form, and parts of their queries. */

export interface Query {
  readonly expr: string;
  /** The name of a series, with the labels of Prometheus in double braces. */
  readonly legend: string;
}

export interface PanelSpec {
  readonly kind: 'stat' | 'time' | 'state' | 'table';
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  /** Of 24. */
  readonly width: number;
  readonly queries: readonly Query[];
  /** From which value on a stat is orange, and red. Without them it has no color. */
  readonly limits?: { readonly warning: number; readonly critical?: number };
}

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

/** The forwardings that the variables of the dashboard choose. */
export const chosen = 'namespace=~"$namespace",name=~"$name"';
export const inRegion = 'region=~"$region"';
export const ofForwarding = 'namespace, name';
export const ofWebhook = 'namespace, name, region, webhook';
export const controller = 'controller="auditlogforwarding"';
export const window = '$__rate_interval';

export function count(series: string): string {
  return `count(${series}) or vector(0)`;
}

export function p99(metric: string, by: string, labels = ''): string {
  return `histogram_quantile(0.99, sum by (le${by}) (rate(${metric}_bucket${labels}[${window}])))`;
}

export function rate(metric: string, by: string, labels = ''): string {
  return `sum by (${by}) (rate(${metric}${labels}[${window}]))`;
}

export const ready = (labels: string) => `konnect_audit_log_condition{type="Ready",${labels},${chosen}}`;
export const requests = (labels: string) => rate('konnect_audit_log_konnect_requests_total', 'region', `{${labels}}`);
export const delivering = `konnect_audit_log_webhook_delivering{${chosen},${inRegion}}`;
