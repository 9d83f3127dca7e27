import type { Clock } from '../../runtime/clock.ts';
import { Line, type Rank } from './wait-queue.ts';

export interface BudgetOptions {
  /** Requests a second, in the long run. */
  qps: number;
  /** Requests at once, after a rest. */
  burst: number;
  clock: Clock;
}

/** So many requests a second, with a reserve for a burst. */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #line = new Line();
  #left: number;
  #at: number;
  #cancelTimer: (() => void) | undefined;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#left = options.burst;
    this.#at = options.clock.now();
  }

  /** Whether forgetting this budget would make no difference. */
  get isFull(): boolean {
    this.#refill();
    return this.#line.isEmpty && this.#left >= this.#options.burst;
  }

  /** True once a request may go; false as soon as `signal` is aborted, if that comes first. */
  async take(rank: Rank, signal: AbortSignal): Promise<boolean> {
    this.#refill();
    if (this.#line.isEmpty && this.#left >= 1) {
      this.#left -= 1;
      return !signal.aborted;
    }
    const turn = this.#line.wait(rank, signal);
    this.#arm();
    return turn;
  }

  /** For a request that must not wait: those who come later wait longer. */
  overdraw(): void {
    this.#refill();
    this.#left -= 1;
  }

  /** Nothing is left of the reserve. */
  drain(): void {
    this.#refill();
    this.#left = Math.min(this.#left, 0);
  }

  #refill(): void {
    const { qps, burst, clock } = this.#options;
    const now = clock.now();
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1_000) * qps);
    this.#at = now;
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined) return;
    const { qps, clock } = this.#options;
    const waitMs = Math.max(1, Math.ceil(((1 - this.#left) / qps) * 1_000));
    this.#cancelTimer = clock.schedule(() => this.#serve(), waitMs);
  }

  #serve(): void {
    this.#cancelTimer = undefined;
    this.#refill();
    while (this.#left >= 1 && this.#line.callNext()) this.#left -= 1;
    if (!this.#line.isEmpty) this.#arm();
  }
}
