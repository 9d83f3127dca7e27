import type { Outcome } from './controller.ts';

interface Change<Cause> {
  readonly cause: Cause;
  readonly sinceMs: number;
}

/** The earliest change that is pending, and the latest, which may be the same. */
interface Pending<Cause> {
  readonly first: Change<Cause>;
  readonly last: Change<Cause>;
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
    const last = { cause, sinceMs: this.#nowMs() };
    this.#pending.set(key, { first: this.#pending.get(key)?.first ?? last, last });
  }

  /**
   * Returns the change that a reconciliation of this duration has applied, and how long that took since the change. Returns undefined if there was none, if
   * it came after the reconciliation had begun, or if the work goes on. `isApplied`: false if the work has ended without the wanted result, so that the
   * change no longer counts. A change that came after the reconciliation had begun stays pending.
   */
  ended(
    key: string,
    { outcome, durationMs, isApplied }: { outcome: Outcome; durationMs: number; isApplied: boolean },
  ): { cause: Cause; tookMs: number } | undefined {
    const known = this.#pending.get(key);
    const nowMs = this.#nowMs();
    const startedMs = nowMs - durationMs;
    const isDone = outcome === 'done' || outcome === 'requeue';
    if (known === undefined || !isDone || known.first.sinceMs > startedMs) return undefined;
    const { first, last } = known;
    if (last.sinceMs > startedMs) this.#pending.set(key, { first: last, last });
    else this.#pending.delete(key);
    return isApplied ? { cause: first.cause, tookMs: nowMs - first.sinceMs } : undefined;
  }
}
