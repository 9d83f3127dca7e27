import { BackOff, delayAfter } from '../../src/controller/back-off.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import type { ReconcileResult } from '../../src/runtime/reconcile-result.ts';

export interface VerificationsOptions {
  readonly verify: (key: string) => Promise<ReconcileResult>;
  readonly nowMs: () => number;
  readonly random: () => number;
}

interface Due {
  readonly atMs: number;
  readonly isResync: boolean;
}

/** The queue of the verifications of one process, which has no place for two at a time. */
export class Verifications {
  /** The first error that is not an error of Kubernetes. */
  unexpectedError: Error | undefined;
  readonly #options: VerificationsOptions;
  readonly #backOff: BackOff;
  readonly #due = new Map<string, Due>();

  constructor(options: VerificationsOptions) {
    this.#options = options;
    this.#backOff = new BackOff({ baseMs: 60_000, maxMs: 300_000, jitter: 'equal', random: options.random });
  }

  add(key: string): void {
    this.#plan(key, 0, false);
  }

  get isBusy(): boolean {
    return this.#dueKeys().length > 0;
  }

  /** The times of the next retries. */
  get retriesMs(): number[] {
    return [...this.#due.values()].filter(({ isResync }) => !isResync).map(({ atMs }) => atMs);
  }

  /** The times of the verifications that follow after the interval. */
  get resyncsMs(): number[] {
    return [...this.#due.values()].filter(({ isResync }) => isResync).map(({ atMs }) => atMs);
  }

  /** Runs what is due. */
  async work(): Promise<void> {
    for (const key of this.#dueKeys()) {
      this.#due.delete(key);
      try {
        const result = await this.#options.verify(key);
        const delayMs = delayAfter(key, result, this.#backOff);
        // What was enqueued meanwhile comes first.
        if (delayMs !== undefined && !this.#due.has(key)) this.#plan(key, delayMs, result.kind === 'requeue');
      } catch (error) {
        if (!isKubeError(error))
          this.unexpectedError ??= error instanceof Error ? error : new Error('the thrown value is not an error');
        this.#plan(key, this.#backOff.next(key), false);
      }
    }
  }

  #plan(key: string, afterMs: number, isResync: boolean): void {
    this.#due.set(key, { atMs: this.#options.nowMs() + afterMs, isResync });
  }

  #dueKeys(): string[] {
    const nowMs = this.#options.nowMs();
    return [...this.#due].filter(([, { atMs }]) => atMs <= nowMs).map(([key]) => key);
  }
}
