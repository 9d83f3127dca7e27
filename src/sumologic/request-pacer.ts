import { type Clock, systemClock } from '../runtime/clock.ts';
import { sleep } from '../runtime/timeout.ts';

/** SumoLogic allows four requests a second for each user. A little less, because the network changes the distance of two requests. */
const spacingMs = 300;

/** Spaces the requests of each access key. People who use the same key come on top, so SumoLogic may still answer 429. */
export class RequestPacer {
  readonly #nextMs = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Resolves when the key may send the next request, or at once when `signal` is aborted. */
  async turn(key: string, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now();
    for (const [known, nextMs] of this.#nextMs) if (nextMs <= nowMs) this.#nextMs.delete(known);
    const turnMs = this.#nextMs.get(key) ?? nowMs;
    this.#nextMs.set(key, turnMs + spacingMs);
    await sleep(turnMs - nowMs, signal, this.#clock);
  }
}
