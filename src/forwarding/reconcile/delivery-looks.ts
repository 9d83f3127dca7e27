/** When the operator last looked at how the webhooks of each forwarding deliver, and when it has to look again. */
import { type DeliveryLook, isAtRest } from '../../status/delivery.ts';
import type { RecordedState } from '../../status/recorded-state.ts';

/** How much of an interval is random, so that the resyncs of many forwardings spread. */
export const spread = 0.1;

interface LastLook {
  readonly atMs: number;
  /** False if a webhook was not seen, or does not deliver. Then the next reconciliation looks at all of them. */
  readonly isAtRest: boolean;
}

/**
 * The last look at the webhooks of each forwarding by this process. While all is well, a reconciliation within the same interval does not look again,
 * whatever caused it.
 */
export class DeliveryLooks {
  readonly #nowMs: () => number;
  readonly #last = new Map<string, LastLook>();

  /** `nowMs` never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Records the looks of a reconciliation. `recorded`: what status says after them. */
  record(key: string, looks: ReadonlyMap<string, DeliveryLook>, { delivery = [] }: RecordedState): void {
    const kinds = new Set([...looks.values()].map(({ kind }) => kind));
    const last = this.#last.get(key);
    const isPutOff = kinds.has('later');
    if (isPutOff && last === undefined) return;
    const isWell = delivery.every((entry) => entry.state === 'Off' || isAtRest(entry));
    const wasSeen = !kinds.has('attached') && !kinds.has('unknown');
    const atMs = isPutOff && last !== undefined ? last.atMs : this.#nowMs();
    this.#last.set(key, { atMs, isAtRest: isWell && wasSeen });
  }

  /** Returns true if the next reconciliation has to look, also if this process has not looked yet. */
  areDue(key: string, intervalMs: number): boolean {
    return this.#last.get(key)?.isAtRest !== true || this.#isOld(key, intervalMs);
  }

  /** Returns in how many milliseconds the webhooks have to be looked at again: an interval after the last look. */
  nextInMs(key: string, intervalMs: number): number {
    return this.#isOld(key, intervalMs) ? intervalMs : intervalMs - this.#ageMs(key);
  }

  forget(key: string): void {
    this.#last.delete(key);
  }

  #isOld(key: string, intervalMs: number): boolean {
    return this.#ageMs(key) >= (1 - spread) * intervalMs;
  }

  #ageMs(key: string): number {
    return this.#nowMs() - (this.#last.get(key)?.atMs ?? Number.NEGATIVE_INFINITY);
  }
}
