import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from './failure.ts';

const renewEveryMs = 2_000;
/** A lock that was not renewed for this long belongs to a process that has ended. */
const expiresAfterMs = 15_000;

/**
 * Runs `work` while holding the lock file `path`. The holder renews the lock, so a killed holder blocks other processes for a short time
 * only. After a suspended machine resumes, two processes may hold the lock: `work` must still be correct then.
 */
export async function withLock(
  path: string,
  options: { progress: (line: string) => void; signal?: AbortSignal | undefined; pollEveryMs?: number },
  work: () => Promise<void>,
): Promise<void> {
  const { progress, signal, pollEveryMs = 500 } = options;
  const owner = randomUUID();
  let isReported = false;
  while (!(await tryAcquire(path, owner))) {
    if (!isReported) progress(`waiting for another process that prepares the same files (${path})`);
    isReported = true;
    await delay(pollEveryMs, undefined, { signal });
  }
  const renewal = setInterval(() => void renew(path), renewEveryMs);
  try {
    await work();
  } finally {
    clearInterval(renewal);
    if ((await readFile(path, 'utf8').catch(() => '')) === owner) await rm(path, { force: true });
  }
}

async function tryAcquire(path: string, owner: string): Promise<boolean> {
  try {
    await writeFile(path, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const held = await stat(path).catch(() => undefined);
  if (held !== undefined && Date.now() - held.mtimeMs > expiresAfterMs) await rm(path, { force: true });
  return false;
}

async function renew(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}
