import type { Clock } from './clock.ts';

/** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
export function pauseOn(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
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

/** Settles as `action` does; rejects when `signal` is aborted or `ms` have passed, even if `action` does not heed its signal, which is aborted then. */
export async function withinOn<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  action: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    own.abort(reason);
    ended.reject(reason);
  };
  const stop = () => end(signal.reason);
  const cancel = clock.schedule(() => end(new Error(`no answer within ${String(Math.round(ms))} ms`)), ms);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([action(own.signal), ended.promise]);
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
