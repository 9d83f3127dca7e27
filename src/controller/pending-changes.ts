import type { Outcome } from './controller.ts';

interface Pending<Cause> {
  readonly cause: Cause;
  readonly sinceMs: number;
}

/** The changes of each key that no reconciliation has applied yet, to measure how long that takes. */
export class PendingChanges<Cause> {
  readonly #pending = new Map<string, Pending<Cause>>();
  readonly #nowMs: () => number;

  /** `nowMs` returns milliseconds that never decrease. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Adds a change. An earlier one that is still pending counts instead. */
  add(key: string, cause: Cause): void {
    if (!this.#pending.has(key)) this.#pending.set(key, { cause, sinceMs: this.#nowMs() });
  }

  /**
   * Returns the change that a reconciliation of this duration has applied, and how long that took since the change. Returns undefined if there was none, if
   * it came after the reconciliation had begun, or if the work goes on. `isApplied`: false if the work has ended without the wanted result, so that the
   * change no longer counts.
   */
  ended(
    key: string,
    { outcome, durationMs, isApplied }: { outcome: Outcome; durationMs: number; isApplied: boolean },
  ): { cause: Cause; tookMs: number } | undefined {
    const known = this.#pending.get(key);
    const nowMs = this.#nowMs();
    const isDone = outcome === 'done' || outcome === 'requeue';
    if (known === undefined || !isDone || known.sinceMs > nowMs - durationMs) return undefined;
    this.#pending.delete(key);
    return isApplied ? { cause: known.cause, tookMs: nowMs - known.sinceMs } : undefined;
  }
}
