import type { BackOffKey, ReconcileResult } from '../runtime/reconcile-result.ts';

export interface BackOffOptions {
  /** The upper bound of the first delay. */
  baseMs: number;
  /** The upper bound of every delay. */
  maxMs: number;
  /** `full`: at random between 0 and the bound. `equal`: at random in the upper half of that. */
  jitter: 'full' | 'equal';
  /** Uniform in [0, 1). */
  random: () => number;
}

/** Returns the delay in milliseconds after `failures` (1 or more) in a row. The bound doubles with each failure up to `maxMs`, then jitter is applied. */
export function backOffMs(failures: number, { baseMs, maxMs, jitter, random }: BackOffOptions): number {
  const boundMs = Math.min(maxMs, baseMs * 2 ** Math.max(0, failures - 1));
  return jitter === 'full' ? boundMs * random() : (boundMs / 2) * (1 + random());
}

const anyFailure: BackOffKey = { request: '', cause: '' };

/** Counts the failures of each key. A key uses memory from its first `next` until `forget`. */
export class BackOff {
  readonly #failures = new Map<string, { request: string; counts: Map<string, number> }>();
  readonly #options: BackOffOptions;

  constructor(options: BackOffOptions) {
    this.#options = options;
  }

  /** Records one more failure of `key`. Returns how long to wait, in milliseconds. */
  next(key: string, { request, cause }: BackOffKey = anyFailure): number {
    const known = this.#failures.get(key);
    const counts = known?.request === request ? known.counts : new Map<string, number>();
    const count = (counts.get(cause) ?? 0) + 1;
    this.#failures.set(key, { request, counts: counts.set(cause, count) });
    return backOffMs(count, this.#options);
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Returns the failures of `key`, of all causes, since it was forgotten or its request changed. */
  failures(key: string): number {
    return [...(this.#failures.get(key)?.counts.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }
}

/** Returns after how many milliseconds `key` is due again, or undefined if nothing is planned. Counts its failures, or forgets them. */
export function delayAfter(key: string, result: ReconcileResult, backOff: BackOff): number | undefined {
  switch (result.kind) {
    case 'done':
      backOff.forget(key);
      return undefined;
    case 'requeue': {
      const { afterMs, early } = result;
      if (early !== undefined)
        return Math.min(afterMs, Math.max(backOff.next(key, early.backOffKey), early.minDelayMs));
      backOff.forget(key);
      return afterMs;
    }
    case 'retry':
      return Math.max(backOff.next(key, result.backOffKey), result.minDelayMs ?? 0);
  }
}
