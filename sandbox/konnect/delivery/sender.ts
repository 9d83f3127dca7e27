import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent, Delivery, DeliveryAttempt, DeliveryTarget } from '../audit-event.ts';
import { formatLine, signLine } from './audit-line.ts';
import { createKeyRing } from './key-ring.ts';
import { createPoster, type GzipSpelling, type PostOutcome } from './post.ts';

/** Konnect documents up to four retries after 1 s to 30 s. The two values between are assumptions. */
const defaultRetryWaitsMs: readonly number[] = [1000, 3000, 10_000, 30_000];
const defaultBatchWindowMs = 250;
const defaultTimeoutMs = 10_000;
const maxBatchLines = 500;

export interface DeliveryOptions {
  /** An additional trusted CA certificate (PEM). */
  readonly authority?: string;
  readonly clock?: () => Date;
  /** Wait before each retry. Its length is the number of retries. Default: 1, 3, 10 and 30 s. */
  readonly retryWaitsMs?: readonly number[];
  /** How long the first line of a batch waits for more lines. Default 250 ms. */
  readonly batchWindowMs?: number;
  /** Default `gzip`. */
  readonly contentEncoding?: GzipSpelling;
  /** Timeout of one attempt. Default 10 s. */
  readonly timeoutMs?: number;
  /** Initial number of keys in the JWKS. The newest signs. Default 1. */
  readonly keys?: number;
}

/** A delivery whose signing keys can change while it runs. */
export interface RotatingDelivery extends Delivery {
  /** Signs with a new key from now on. Earlier lines still verify, because the JWKS keeps the previous keys. */
  rotateKey(): void;
  /** Removes all keys except the signing key from the JWKS. */
  retireKeys(): void;
  /** Signs the lines from now on, as at first, or leaves their `sig` out: Konnect signs only where signing is set up. */
  setSigning(isOn: boolean): void;
}

interface QueuedLine {
  readonly line: string;
  readonly onAttempt: (attempt: DeliveryAttempt) => void;
}

/**
 * Signs events in `send` and posts them as Konnect does: `text/plain`, gzip, one line per event. Lines are batched per target and stay in
 * order. Each target has one request in flight at most. Connection errors, 500 and 429 are retried. Every event of a batch gets every attempt
 * reported. `stop` aborts requests in flight and drops waiting lines without a report.
 */
export function createDelivery(options: DeliveryOptions = {}): RotatingDelivery {
  const clock = options.clock ?? (() => new Date());
  const retryWaitsMs = options.retryWaitsMs ?? defaultRetryWaitsMs;
  const keys = createKeyRing(options.keys ?? 1);
  let isSigning = true;
  const poster = createPoster({
    ...(options.authority === undefined ? {} : { authority: options.authority }),
    contentEncoding: options.contentEncoding ?? 'gzip',
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
  });
  const queues = new Map<string, QueuedLine[]>();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();

  function send(event: AuditEvent, target: DeliveryTarget, onAttempt: (attempt: DeliveryAttempt) => void): void {
    if (stopping.signal.aborted) return;
    const unsigned = formatLine(event, target.logFormat);
    const line = isSigning ? signLine(unsigned, target.logFormat, keys.signingKey()) : unsigned;
    const id = JSON.stringify([target.endpoint, target.authorization, target.logFormat, target.skipSSLVerification]);
    const queue = queues.get(id);
    if (queue !== undefined) {
      queue.push({ line, onAttempt });
      return;
    }
    queues.set(id, [{ line, onAttempt }]);
    const draining = drain(id, { ...target });
    running.add(draining);
    void draining.finally(() => running.delete(draining));
  }

  async function drain(id: string, target: DeliveryTarget): Promise<void> {
    const queue = queues.get(id) ?? [];
    try {
      while (queue.length > 0) {
        await delay(options.batchWindowMs ?? defaultBatchWindowMs, undefined, { signal: stopping.signal });
        await deliver(queue.splice(0, maxBatchLines), target);
      }
    } catch (error) {
      if (!stopping.signal.aborted) throw error;
    } finally {
      queues.delete(id);
    }
  }

  async function deliver(batch: readonly QueuedLine[], target: DeliveryTarget): Promise<void> {
    const lines = batch.map(({ line }) => line);
    for (const waitMs of [...retryWaitsMs, undefined]) {
      const at = clock();
      const outcome = await poster.post(lines, target, stopping.signal);
      const isRetried = waitMs !== undefined && isRetryable(outcome);
      const ok = outcome.code !== undefined && outcome.code >= 200 && outcome.code < 300;
      for (const { onAttempt } of batch) onAttempt({ at, ...outcome, ok, givenUp: !ok && !isRetried });
      if (!isRetried) return;
      await delay(waitMs, undefined, { signal: stopping.signal });
    }
  }

  async function stop(): Promise<void> {
    stopping.abort();
    await Promise.all(running);
    await poster.close();
  }

  return {
    send,
    jwks: keys.jwks,
    stop,
    rotateKey: keys.rotate,
    retireKeys: keys.retire,
    setSigning: (isOn) => {
      isSigning = isOn;
    },
  };
}

function isRetryable({ code }: PostOutcome): boolean {
  return code === undefined || code === 500 || code === 429;
}
