/** What the panels of the dashboard share: their form, and parts of their queries. */

export interface Query {
  readonly expr: string;
  /** The name of a series, with the labels of Prometheus in double braces. */
  readonly legend: string;
}

interface Shared {
  readonly title: string;
  readonly description: string;
  /** Of 24. */
  readonly width: number;
  /** What the panel says if its queries return nothing although Prometheus has metrics of the operator. */
  readonly empty?: string;
}

/** One number. */
export interface Stat extends Shared {
  readonly kind: 'stat';
  readonly unit: string;
  readonly queries: readonly Query[];
  /** From which value on it is orange, and red. Below, it is green. Without them it has no color. */
  readonly limits?: { readonly warning: number; readonly critical?: number };
}

/** Lines over time, from 0 on. */
export interface Time extends Shared {
  readonly kind: 'time';
  readonly unit: string;
  readonly queries: readonly Query[];
}

/** A bar over time for each series, whose values are 0 and 1. */
export interface State extends Shared {
  readonly kind: 'state';
  /** What 1 and 0 mean. */
  readonly texts: readonly [one: string, zero: string];
  readonly queries: readonly Query[];
}

export interface Column {
  readonly expr: string;
  /** The title of the column. Without it, the values are not shown: the query is there for its labels. */
  readonly title?: string;
  readonly unit?: string;
  /** What a row says that has no value. */
  readonly missing?: string;
}

/** The labels of the series, and the values of each query. */
export interface Table extends Shared {
  readonly kind: 'table';
  readonly labels: readonly string[];
  readonly queries: readonly Column[];
}

export type PanelSpec = Stat | Time | State | Table;

export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

/** The forwardings that the variables of the dashboard choose. */
export const chosen = 'namespace=~"$namespace",name=~"$name"';
export const inRegion = 'region=~"$region"';
export const forwardingLabels = ['namespace', 'name'] as const;
export const webhookLabels = [...forwardingLabels, 'region', 'webhook'] as const;
export const ofForwarding = forwardingLabels.join(', ');
export const ofWebhook = webhookLabels.join(', ');
export const controller = 'controller="auditlogforwarding"';
export const window = '$__rate_interval';

/** Returns 0 instead of nothing, but not if Prometheus has no metrics of the operator. */
export function orZero(expr: string): string {
  return `${expr} or 0 * max(konnect_audit_log_build_info)`;
}

export function count(series: string): string {
  return orZero(`count(${series})`);
}

/** Returns the 99th percentile of a histogram. It has no value while nothing happens. */
export function p99(metric: string, by: string, labels = ''): string {
  return `histogram_quantile(0.99, sum by (le${by}) (rate(${metric}_bucket${labels}[${window}]))) >= 0`;
}

export function rate(metric: string, by: string, labels = ''): string {
  return `sum by (${by}) (rate(${metric}${labels}[${window}]))`;
}

const condition = (type: string) => (labels: string) =>
  `konnect_audit_log_condition{type="${type}",${labels},${chosen}}`;
export const ready = condition('Ready');
export const verified = condition('Verified');
export const requests = (labels: string) => rate('konnect_audit_log_konnect_requests_total', 'region', `{${labels}}`);
export const delivering = `konnect_audit_log_webhook_delivering{${chosen},${inRegion}}`;
