import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs `attempt` again and again until it neither throws nor rejects, and answers its value. After `timeoutMs` the last error is thrown,
 * so that a test fails with what was really seen.
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
