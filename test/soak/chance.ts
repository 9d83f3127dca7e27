/** Chance that can be had again: the same seed, the same choices. */
export interface Chance {
  /** Uniform in [0, 1). */
  next(): number;
  /** From 0 to below `below`. */
  below(below: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

/** A 32-bit generator (mulberry32), which is enough to be busy with. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  return { next, below, pick: (from) => from[below(from.length)] ?? from[0] };
}
