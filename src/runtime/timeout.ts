import { type Clock, systemClock } from './clock.ts';

/** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
export function sleep(ms: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.schedule(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

export interface TimeoutOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Returns the error for an action that takes longer. */
  readonly timedOut: () => Error;
  readonly clock?: Clock;
}

/**
 * Runs `action` with a signal that is aborted when `signal` is, or after `timeoutMs`. Rejects at that moment even if `action` ignores its signal:
 * with the reason of `signal`, or with the error of `timedOut`.
 */
export async function withTimeout<T>(
  { signal, timeoutMs, timedOut, clock = systemClock }: TimeoutOptions,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const own = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    // First, so that this reason counts and not what the action makes of its aborted signal.
    aborted.reject(reason);
    own.abort(reason);
  };
  const stop = () => end(signal?.reason);
  const cancel = clock.schedule(() => end(timedOut()), timeoutMs);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([action(own.signal), aborted.promise]);
  } finally {
    cancel();
    signal?.removeEventListener('abort', stop);
  }
}
