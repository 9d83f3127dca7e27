import { createHash } from 'node:crypto';
import type { Log } from '../runtime/log.ts';

/** `unknown`: the API server gave no decision. */
export type Decision = 'allowed' | 'unauthenticated' | 'forbidden' | 'unknown';

/** Decides on the Authorization header of a request. Never rejects. */
export type Authorizer = (authorization: string | undefined) => Promise<Decision>;

export interface AuthorizerOptions {
  /** Returns whether the owner of a token has access. If it rejects, the error is logged. */
  review: (token: string) => Promise<Exclude<Decision, 'unknown'>>;
  log: Log;
  /** Returns milliseconds that never decrease. */
  nowMs: () => number;
}

/** How long a decision is remembered. A changed permission has an effect after this time at most. */
const keptMs = { allowed: 60_000, unauthenticated: 10_000, forbidden: 10_000 };
const maxRemembered = 200;
/** Limits the reviews in flight, so that a client that sends many unknown tokens cannot overload the API server. */
const maxReviews = 2;
const warnEveryMs = 60_000;

interface Remembered {
  decision: Exclude<Decision, 'unknown'>;
  until: number;
}

/** Returns an authorizer that allows clients with a bearer token whose owner has access. It remembers tokens as hashes. */
export function createAuthorizer({ review, log, nowMs }: AuthorizerOptions): Authorizer {
  const remembered = new Map<string, Remembered>();
  const inFlight = new Map<string, Promise<Decision>>();
  let nextWarningMs = Number.NEGATIVE_INFINITY;

  async function decide(token: string, key: string): Promise<Decision> {
    try {
      const decision = await review(token);
      remembered.delete(key);
      remembered.set(key, { decision, until: nowMs() + keptMs[decision] });
      for (const oldest of remembered.keys()) {
        if (remembered.size <= maxRemembered) break;
        remembered.delete(oldest);
      }
      return decision;
    } catch (err) {
      if (nowMs() >= nextWarningMs) {
        log.warn(
          { err },
          'access to metrics cannot be reviewed: see docs/install/permissions.md for the permissions that this needs',
        );
        nextWarningMs = nowMs() + warnEveryMs;
      }
      return 'unknown';
    } finally {
      inFlight.delete(key);
    }
  }

  return async (authorization) => {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'unauthenticated';
    const key = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(key);
    if (known !== undefined && nowMs() < known.until) return known.decision;
    const pending = inFlight.get(key);
    if (pending !== undefined) return pending;
    if (inFlight.size >= maxReviews) return 'unknown';
    const started = decide(token, key);
    inFlight.set(key, started);
    return started;
  };
}
