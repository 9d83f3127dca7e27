/** What the page draws: the panels of the dashboard, and what Prometheus answered to their queries. */

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly instant?: boolean;
  readonly format?: string;
}

export interface PanelModel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly transformations?: readonly { readonly id: string; readonly options: object }[];
  readonly fieldConfig?: unknown;
  readonly options?: unknown;
}

export interface Answer {
  /** The times that were asked for, in seconds. */
  readonly times: readonly number[];
  readonly series: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [number, string])[];
  }[];
}

export interface Input {
  readonly title: string;
  readonly panels: readonly PanelModel[];
  /** By ID of the panel, in the order of its targets. */
  readonly answers: Readonly<Record<number, readonly Answer[]>>;
  /** In pixels. */
  readonly width: number;
  /** In seconds. */
  readonly from: number;
  readonly to: number;
}
