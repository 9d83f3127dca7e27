export interface BackOffOptions {
  /** Upper bound of the first delay. */
  baseMs: number;
  /** Upper bound of every delay. */
  maxMs: number;
  /** `full`: anywhere from 0 to the bound. `equal`: the upper half of that. */
  jitter: 'full' | 'equal';
  /** Uniform in [0, 1). */
  random: () => number;
}

/** The delay after `failures` (1 or more) in a row: the bound doubles each time until `maxMs`, then jitter is applied. In milliseconds. */
export function backOffMs(failures: number, { baseMs, maxMs, jitter, random }: BackOffOptions): number {
  const boundMs = Math.min(maxMs, baseMs * 2 ** Math.max(0, failures - 1));
  return jitter === 'full' ? boundMs * random() : (boundMs / 2) * (1 + random());
}

/** What a failure is about. */
export interface FailureSubject {
  /** What was asked for: another one, and all counting begins anew. */
  readonly demand: string;
  /** Of each sort is counted by itself: what a wait of seconds takes is not what an outage took before it. */
  readonly sort: string;
}

const anything: FailureSubject = { demand: '', sort: '' };

/** Counts failures per key. A key costs memory from its first `next` until `forget`. */
export class BackOff {
  readonly #failures = new Map<string, { demand: string; counts: Map<string, number> }>();
  readonly #options: BackOffOptions;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** Records one more failure of `key` and answers how long to wait, in milliseconds. */
  next(key: string, { demand, sort }: FailureSubject = anything): number {
    const known = this.#failures.get(key);
    const counts = known?.demand === demand ? known.counts : new Map<string, number>();
    const count = (counts.get(sort) ?? 0) + 1;
    this.#failures.set(key, { demand, counts: counts.set(sort, count) });
    return backOffMs(count, this.#options);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Failures of `key` since it was last forgotten, or asked for something else; of all sorts. */
  failures(key: string): number {
    return [...(this.#failures.get(key)?.counts.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }
}
