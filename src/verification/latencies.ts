/** Each bucket is a tenth wider than the one before, so a percentile is at most a tenth too long. 200 of them reach over a day. */
const growth = Math.log(1.1);
const buckets = 200;

/** The times from an event to the arrival of its line. Its size does not depend on their number. Pure. */
export class Latencies {
  readonly #counts = new Uint32Array(buckets);
  #total = 0;

  /** Two clocks may disagree, so that a line seems to arrive before its event. That counts as no time. */
  add(ms: number): void {
    const index = Math.min(Math.floor(Math.log(Math.max(ms, 0) + 1) / growth), buckets - 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
  }

  /** Returns the time that a part of the lines (0 to 1) needed at most, such as `0.4s` or `12s`. Undefined without lines. */
  percentile(part: number): string | undefined {
    if (this.#total === 0) return undefined;
    let left = Math.ceil(part * this.#total);
    const index = this.#counts.findIndex((count) => (left -= count) <= 0);
    const seconds = (Math.exp((index + 1) * growth) - 1) / 1_000;
    return `${seconds < 10 ? seconds.toFixed(1) : String(Math.round(seconds))}s`;
  }
}
