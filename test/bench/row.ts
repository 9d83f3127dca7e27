/** What a row of `npm run bench` is. A row belongs to one measurement, which runs its contenders in turns. */

export interface Figure {
  /** Unique in its row. */
  readonly name: string;
  /** `s`, `ms`, `MiB`, `calls`, `writes`, or another word. Empty for a pure number. */
  readonly unit: string;
  /** Absent: less is better. */
  readonly better?: 'more';
  /** True for what no machine changes, such as calls. Results of two machines are compared by the value itself. */
  readonly isCount?: true;
  readonly targets?: readonly Target[];
}

/** What ours must reach: at most `limit`, or at least, where more is better. */
export interface Target {
  /** The contender that ours is divided by. Absent: the limit is for the value itself. */
  readonly ratioTo?: string;
  readonly limit: number;
}

export interface Row {
  /** The argument of the command. */
  readonly name: string;
  readonly title: string;
  /** Only run if it is named. */
  readonly isSlow?: true;
  /** The number of forwardings, if the row sets its own. 0 if it has none. */
  readonly forwardings?: number;
  readonly figures: readonly Figure[];
}

/** One or more values by row and figure. A contender may leave out figures that it does not have. */
export type Sample = Readonly<Record<string, Readonly<Record<string, number | readonly number[]>>>>;

/** Something that does the work of the rows. The first one of a measurement is {@link ours}. */
export interface Contender {
  readonly name: string;
  /** Does the work once. */
  readonly measure: () => Promise<Sample>;
}

/** Rows that are measured together. */
export interface Measurement {
  readonly rows: readonly Row[];
  /** Prepares the contenders. `rows` has the names of those rows that are wanted. */
  readonly contenders: (bench: Bench, rows: ReadonlySet<string>) => Promise<readonly Contender[]>;
}

/** What all measurements of one run share. */
export interface Bench {
  /** The number of forwardings, where a row does not set its own. */
  readonly forwardings: number;
  readonly peers: Peers;
  /** Where the operator writes profiles of its processor time. Absent: it writes none. */
  readonly profiles?: string;
  /** Removed at the end. */
  readonly folder: string;
  /** Versions of what the contenders use. They are kept with the results. */
  readonly versions: Map<string, string>;
  readonly progress: (line: string) => void;
  /** Runs `stop` at the end of the run, in reverse order. */
  readonly onEnd: (stop: () => Promise<unknown>) => void;
}

/** Paths of other programs. The contenders without a path are left out. */
export interface Peers {
  /** The folder of a Go operator's sources, with its CRD in `crds/`. */
  readonly goOperator?: string;
  /** The executable of terraform-provider-konnect, and terraform or tofu. */
  readonly terraform?: { readonly provider: string; readonly terraform: string };
  readonly kongctl?: string;
}

export const ours = 'ours';
export const goOperator = 'go-operator';
