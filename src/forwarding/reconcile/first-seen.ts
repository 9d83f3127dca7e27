/**
 * Since when this process has known things: an outage, a wait, a timestamp in status. A timestamp's own value is not used. Another
 * process's clock wrote it, or the clock was set since, so that trusting it could mean a wait of hours or none. The next process
 * therefore starts once more from zero.
 */
export class FirstSeen {
  readonly #nowMs: () => number;
  readonly #maxPerOwner: number;
  readonly #seenAtMs = new Map<string, Map<string, number>>();

  /** `nowMs` never goes back. `maxPerOwner`: the oldest things of an owner with more are forgotten. */
  constructor(nowMs: () => number, maxPerOwner = Number.POSITIVE_INFINITY) {
    this.#nowMs = nowMs;
    this.#maxPerOwner = maxPerOwner;
  }

  /** Returns how long `thing` of `owner` has been known, in milliseconds; 0 at the first call. */
  ageMs(owner: string, thing: string): number {
    const things = this.#seenAtMs.get(owner) ?? new Map<string, number>();
    this.#seenAtMs.set(owner, things);
    const nowMs = this.#nowMs();
    const seenAtMs = things.get(thing) ?? nowMs;
    things.set(thing, seenAtMs);
    for (const oldest of things.keys()) {
      if (things.size <= this.#maxPerOwner) break;
      things.delete(oldest);
    }
    return nowMs - seenAtMs;
  }

  /** Forgets one thing of an owner, or all of them. */
  forget(owner: string, thing?: string): void {
    if (thing === undefined) this.#seenAtMs.delete(owner);
    else this.#seenAtMs.get(owner)?.delete(thing);
  }
}
