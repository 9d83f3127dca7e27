/** Time as the machinery sees it, handed in so that a test can turn the hands itself. */
export interface Clock {
  /** Milliseconds from an arbitrary start; never goes back. */
  now(): number;
  /** Calls `callback` once, `delayMs` from now at the earliest; the answer cancels that. */
  schedule(callback: () => void, delayMs: number): () => void;
}

/** The process's own monotonic clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
