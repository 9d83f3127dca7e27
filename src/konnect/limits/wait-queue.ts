import type { Priority } from '../../runtime/priority.ts';

/** Who goes first: what a write has begun, then what is new or has changed, then what is only looked at again. */
export const ranks = ['write', 'new', 'resync'] as const satisfies readonly ('write' | Priority)[];
export type Rank = (typeof ranks)[number];

/** Those who wait for something: by rank, and within one rank first come, first served. */
export class Line {
  readonly #waiting: Record<Rank, Set<() => void>> = { write: new Set(), new: new Set(), resync: new Set() };

  get isEmpty(): boolean {
    return ranks.every((rank) => this.#waiting[rank].size === 0);
  }

  /** True when it is one's turn; false as soon as `signal` is aborted, if that comes first. */
  wait(rank: Rank, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isTurn: boolean) => {
        this.#waiting[rank].delete(called);
        signal.removeEventListener('abort', left);
        resolve(isTurn);
      };
      const called = () => end(true);
      const left = () => end(false);
      signal.addEventListener('abort', left, { once: true });
      this.#waiting[rank].add(called);
    });
  }

  /** Lets the first one go; false if nobody waits. */
  callNext(): boolean {
    for (const rank of ranks) {
      for (const called of this.#waiting[rank]) {
        called();
        return true;
      }
    }
    return false;
  }
}
