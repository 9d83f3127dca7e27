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

/** Counts failures per key. A key costs memory from its first `next` until `forget`. */
export class BackOff {
  readonly #failures = new Map<string, { count: number; about: string }>();
  readonly #options: BackOffOptions;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** Records one more failure of `key` and answers how long to wait, in milliseconds. A failure about something else is its first. */
  next(key: string, about = ''): number {
    const known = this.#failures.get(key);
    const count = known?.about === about ? known.count + 1 : 1;
    this.#failures.set(key, { count, about });
    return backOffMs(count, this.#options);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Failures of `key` since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key)?.count ?? 0;
  }
}
