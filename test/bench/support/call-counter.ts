import type { Call } from '../../../sandbox/konnect/calls.ts';
import type { KonnectControl } from '../../../sandbox/konnect/control.ts';

export interface Calls {
  readonly all: number;
  readonly writes: number;
  /** Answers 429. */
  readonly rejected: number;
  readonly byOperation: Readonly<Record<string, number>>;
}

const none = { all: 0, writes: 0, rejected: 0 };

/** Counts the calls to a local Konnect, and empties its log regularly. The log alone keeps only the last 50,000. */
export class CallCounter {
  readonly #control: Pick<KonnectControl, 'calls' | 'clearCalls'>;
  readonly #timer: NodeJS.Timeout;
  #counts = { ...none };
  #byOperation: Record<string, number> = {};
  /** Calls that were not answered yet when the log was emptied. */
  #open: Call[] = [];
  /** When the last call arrived, in milliseconds of the epoch. */
  lastCallAt = 0;
  /** When the first call after {@link reset} arrived. */
  firstCallAt = 0;

  constructor(control: Pick<KonnectControl, 'calls' | 'clearCalls'>) {
    this.#control = control;
    this.#timer = setInterval(() => this.#drain(), 50);
  }

  /** Returns the counts since the last reset. */
  get counts(): Calls {
    this.#drain();
    return { ...this.#counts, byOperation: { ...this.#byOperation } };
  }

  reset(): void {
    this.#drain();
    this.#counts = { ...none };
    this.#byOperation = {};
    this.firstCallAt = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #drain(): void {
    const calls = this.#control.calls();
    this.#control.clearCalls();
    for (const { at, method, operation = '?' } of calls) {
      this.#counts.all += 1;
      if (method !== 'GET') this.#counts.writes += 1;
      this.#byOperation[operation] = (this.#byOperation[operation] ?? 0) + 1;
      this.lastCallAt = at.getTime();
      if (this.firstCallAt === 0) this.firstCallAt = at.getTime();
    }
    const unknown = [...this.#open, ...calls];
    this.#open = unknown.filter(({ status }) => status === undefined);
    this.#counts.rejected += unknown.filter(({ status }) => status === 429).length;
  }
}
