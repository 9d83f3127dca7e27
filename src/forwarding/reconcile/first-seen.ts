/**
 * Measures for how long this process has known something: an outage, a wait, a timestamp in status. It does not use the value of a
 * timestamp, since the clock of another process wrote it, or the clock was set since. The wait could then last hours, or no time at all.
 * After a restart every wait therefore begins again.
 */
export class FirstSeen {
  readonly #nowMs: () => number;
  readonly #maxPerOwner: number;
  readonly #seenAtMs = new Map<string, Map<string, number>>();

  /** `nowMs` never goes back. If an owner has more than `maxPerOwner` items, the oldest are forgotten. */
  constructor(nowMs: () => number, maxPerOwner = Number.POSITIVE_INFINITY) {
    this.#nowMs = nowMs;
    this.#maxPerOwner = maxPerOwner;
  }

  /** Returns how long `item` of `owner` has been known, in milliseconds; 0 at the first call. */
  ageMs(owner: string, item: string): number {
    const items = this.#seenAtMs.get(owner) ?? new Map<string, number>();
    this.#seenAtMs.set(owner, items);
    const nowMs = this.#nowMs();
    const seenAtMs = items.get(item) ?? nowMs;
    items.set(item, seenAtMs);
    for (const oldest of items.keys()) {
      if (items.size <= this.#maxPerOwner) break;
      items.delete(oldest);
    }
    return nowMs - seenAtMs;
  }

  /** Makes the age of an item infinite. */
  expire(owner: string, item: string): void {
    this.ageMs(owner, item);
    this.#seenAtMs.get(owner)?.set(item, Number.NEGATIVE_INFINITY);
  }

  /** Forgets all items of an owner but these. */
  keepOnly(owner: string, items: ReadonlySet<string>): void {
    for (const item of this.#seenAtMs.get(owner)?.keys() ?? []) if (!items.has(item)) this.forget(owner, item);
  }

  /** Forgets one item of an owner, or all of them. */
  forget(owner: string, item?: string): void {
    if (item === undefined) this.#seenAtMs.delete(owner);
    else this.#seenAtMs.get(owner)?.delete(item);
  }
}
