/** As many times on record as one owner can have at once. */
const mostPerOwner = 8;

/**
 * For how long this process has known a time that stands on record. The time itself is not believed: it is from another process's clock, or from one
 * that was set since, and believing it could mean to wait for hours, or not at all. So the next process waits once more at most.
 */
export class Ages {
  readonly #nowMs: () => number;
  readonly #metAtMs = new Map<string, Map<string, number>>();

  /** `nowMs` never goes back. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** In milliseconds; 0 when asked first. `time` stands on record of `owner`. */
  ageMs(owner: string, time: string): number {
    const times = this.#metAtMs.get(owner) ?? new Map<string, number>();
    this.#metAtMs.set(owner, times);
    const nowMs = this.#nowMs();
    const metAtMs = times.get(time) ?? nowMs;
    times.set(time, metAtMs);
    for (const oldest of times.keys()) {
      if (times.size <= mostPerOwner) break;
      times.delete(oldest);
    }
    return nowMs - metAtMs;
  }

  /** Of an owner that is gone. */
  forget(owner: string): void {
    this.#metAtMs.delete(owner);
  }
}
