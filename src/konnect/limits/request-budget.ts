import type { Clock } from '../../runtime/clock.ts';
import { type Rank, WaitQueue } from './wait-queue.ts';

export interface RequestBudgetOptions {
  /** The average number of requests a second. */
  qps: number;
  /** The number of requests at once after a pause. */
  burst: number;
  clock: Clock;
}

/** Limits the requests a second on average, and allows a burst after a pause. */
export class RequestBudget {
  readonly #options: RequestBudgetOptions;
  readonly #queue = new WaitQueue();
  #available: number;
  #refilledAtMs: number;
  #cancelTimer: (() => void) | undefined;

  constructor(options: RequestBudgetOptions) {
    this.#options = options;
    this.#available = options.burst;
    this.#refilledAtMs = options.clock.now();
  }

  /** Whether a new budget would behave the same. */
  get isFull(): boolean {
    this.#refill();
    return this.#queue.isEmpty && this.#available >= this.#options.burst;
  }

  /** How many requests may be sent at once. Negative after `overdraw`. */
  get available(): number {
    this.#refill();
    return Math.floor(this.#available);
  }

  /** Resolves to true when the caller may send a request, or to false if `signal` is aborted first. */
  async take(rank: Rank, signal: AbortSignal): Promise<boolean> {
    this.#refill();
    if (this.#queue.isEmpty && this.#available >= 1) {
      this.#available -= 1;
      return !signal.aborted;
    }
    const isTurn = this.#queue.wait(rank, signal);
    this.#arm();
    return isTurn;
  }

  /** Takes a request from the budget without waiting. Later requests wait longer for it. */
  overdraw(): void {
    this.#refill();
    this.#available -= 1;
  }

  /** Takes the whole burst away. */
  drain(): void {
    this.#refill();
    this.#available = Math.min(this.#available, 0);
  }

  #refill(): void {
    const { qps, burst, clock } = this.#options;
    const now = clock.now();
    this.#available = Math.min(burst, this.#available + ((now - this.#refilledAtMs) / 1_000) * qps);
    this.#refilledAtMs = now;
  }

  #arm(): void {
    if (this.#cancelTimer !== undefined) return;
    const { qps, clock } = this.#options;
    const waitMs = Math.max(1, Math.ceil(((1 - this.#available) / qps) * 1_000));
    this.#cancelTimer = clock.schedule(() => this.#serve(), waitMs);
  }

  #serve(): void {
    this.#cancelTimer = undefined;
    this.#refill();
    while (this.#available >= 1 && this.#queue.admitNext()) this.#available -= 1;
    if (!this.#queue.isEmpty) this.#arm();
  }
}
