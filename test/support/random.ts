/** Returns a generator of random numbers from 0 to below 1. The same seed gives the same numbers. Mulberry32, a generator of 32 bits. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Random {
  /** Returns a number from 0 to below 1. */
  next(): number;
  /** Returns a whole number from 0 to below `below`. */
  below(below: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

/** Returns a generator of random choices. The same seed gives the same choices. */
export function seededRandom(seed: number): Random {
  const next = randomOf(seed);
  const below = (bound: number) => Math.floor(next() * bound);
  return { next, below, pick: (from) => from[below(from.length)] ?? from[0] };
}
