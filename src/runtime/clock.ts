/** Time as the operator sees it. It is passed in, so that a test can control it. */
export interface Clock {
  /** Returns milliseconds from an arbitrary start. They never decrease. */
  now(): number;
  /**
   * Calls `callback` once, `delayMs` from now or later. Returns a function that cancels the call. A delay of more than 24 days ends after 24 days:
   * then the caller has to read the clock again.
   */
  schedule(callback: () => void, delayMs: number): () => void;
}

/** The longest delay that a timer of Node can hold, about 24.8 days. */
const maxTimerMs = 2 ** 31 - 1;

/** The monotonic clock of the process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(delayMs, maxTimerMs));
    return () => clearTimeout(timer);
  },
};
