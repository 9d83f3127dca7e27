import type { Priority } from '../../runtime/priority.ts';

/** The order in which requests are sent: writes, then reads for new or changed forwardings, then reads for resyncs. */
export const ranks = ['write', 'new', 'resync'] as const satisfies readonly ('write' | Priority)[];
export type Rank = (typeof ranks)[number];

/** Callers that wait for something, ordered by rank. Within one rank the first to come is the first to go. */
export class WaitQueue {
  readonly #waiting: Record<Rank, Set<() => void>> = { write: new Set(), new: new Set(), resync: new Set() };

  get isEmpty(): boolean {
    return ranks.every((rank) => this.#waiting[rank].size === 0);
  }

  /** Resolves to true when it is the caller's turn, or to false if `signal` is aborted first. */
  wait(rank: Rank, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (isTurn: boolean) => {
        this.#waiting[rank].delete(admit);
        signal.removeEventListener('abort', leave);
        resolve(isTurn);
      };
      const admit = () => end(true);
      const leave = () => end(false);
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting[rank].add(admit);
    });
  }

  /** Lets the first caller go. Returns false if there is none. */
  admitNext(): boolean {
    for (const rank of ranks) {
      for (const admit of this.#waiting[rank]) {
        admit();
        return true;
      }
    }
    return false;
  }
}
