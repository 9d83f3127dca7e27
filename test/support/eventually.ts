import { setTimeout as delay } from 'node:timers/promises';

/**
 * Repeats `attempt` until it succeeds, and resolves with its value. Rejects with the last error after `timeoutMs`, so that a test fails with the last
 * observed state.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { timeoutMs = 60_000, everyMs = 20 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
      await delay(everyMs);
    }
  }
}
