import { createHash } from 'node:crypto';
import type { Log } from '../runtime/log.ts';

/** `unknown`: it could not be found out. */
export type Verdict = 'allowed' | 'unauthenticated' | 'forbidden' | 'unknown';

/** Judges the Authorization header of a request. Never rejects. */
export type Guard = (authorization: string | undefined) => Promise<Verdict>;

export interface GuardOptions {
  /** Asks whose token it is, and whether its owner may. May reject, which is logged. */
  review: (token: string) => Promise<Exclude<Verdict, 'unknown'>>;
  log: Log;
  /** Only ever grows. */
  nowMs: () => number;
}

/** How long a verdict holds: a right that was withdrawn ends, and one that was granted begins, within this time. */
const holdsMs = { allowed: 60_000, unauthenticated: 10_000, forbidden: 10_000 };
const mostRemembered = 200;
/** A stranger with ever new tokens must not make many questions to the API server of them. */
const mostReviews = 2;
const warnEveryMs = 60_000;

interface Remembered {
  verdict: Exclude<Verdict, 'unknown'>;
  until: number;
}

/** Lets in whoever has a bearer token whose owner may. Tokens are remembered as hashes. */
export function createGuard({ review, log, nowMs }: GuardOptions): Guard {
  const remembered = new Map<string, Remembered>();
  const underWay = new Map<string, Promise<Verdict>>();
  let nextWarningMs = Number.NEGATIVE_INFINITY;

  async function ask(token: string, key: string): Promise<Verdict> {
    try {
      const verdict = await review(token);
      remembered.delete(key);
      remembered.set(key, { verdict, until: nowMs() + holdsMs[verdict] });
      for (const oldest of remembered.keys()) {
        if (remembered.size <= mostRemembered) break;
        remembered.delete(oldest);
      }
      return verdict;
    } catch (err) {
      if (nowMs() >= nextWarningMs) {
        log.warn(
          { err },
          'who asks for metrics cannot be found out: see docs/install/permissions.md for the rights that it takes',
        );
        nextWarningMs = nowMs() + warnEveryMs;
      }
      return 'unknown';
    } finally {
      underWay.delete(key);
    }
  }

  return async (authorization) => {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'unauthenticated';
    const key = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(key);
    if (known !== undefined && nowMs() < known.until) return known.verdict;
    const asked = underWay.get(key);
    if (asked !== undefined) return asked;
    if (underWay.size >= mostReviews) return 'unknown';
    const asking = ask(token, key);
    underWay.set(key, asking);
    return asking;
  };
}
