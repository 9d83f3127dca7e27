import { randomOf } from '../support/random.ts';

/** Chance that can be had again: the same seed, the same choices. */
export interface Chance {
  /** Uniform in [0, 1). */
  next(): number;
  /** From 0 to below `below`. */
  below(below: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
}

export function chanceOf(seed: number): Chance {
  const next = randomOf(seed);
  const below = (bound: number) => Math.floor(next() * bound);
  return { next, below, pick: (from) => from[below(from.length)] ?? from[0] };
}
