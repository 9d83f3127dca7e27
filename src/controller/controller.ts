import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Priority } from '../runtime/priority.ts';
import type { ReconcileResult } from '../runtime/reconcile-result.ts';
import { FencedError } from '../runtime/write-fence.ts';
import { type BackOff, delayAfter } from './back-off.ts';
import type { WorkQueue } from './work-queue.ts';

/** `failed`: the reconciliation threw. `aborted`: it threw after its signal was aborted, or because this process may no longer write. */
export type Outcome = ReconcileResult['kind'] | 'failed' | 'aborted';

export interface ControllerOptions {
  queue: WorkQueue;
  /** Reconciles one key. It never runs twice at the same time for one key. Its signal is aborted when the grace period has ended. */
  reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  /** The number of keys in work at the same time, of all groups. */
  concurrency: number;
  backOff: BackOff;
  /** How long work in progress may continue after `signal` is aborted, before its own signal is aborted. No time if the reason is a FencedError. */
  graceMs: number;
  log: Log;
  signal: AbortSignal;
  /** Called after each reconciliation, for metrics. */
  onReconcile?: (key: string, outcome: Outcome, durationMs: number) => void;
  clock?: Clock;
}

/**
 * Takes keys from the queue and reconciles them until `signal` is aborted. Resolves when the last reconciliation has ended, and never rejects. If
 * `reconcile` throws, the error is logged and the key is retried with back-off.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { concurrency, graceMs, signal, clock = systemClock } = options;
  const inFlight = new Set<AbortController>();
  let cancelGrace: (() => void) | undefined;
  const startGrace = () => {
    const abortAll = () => {
      for (const one of inFlight) one.abort(signal.reason);
    };
    if (signal.reason instanceof FencedError) abortAll();
    else cancelGrace = clock.schedule(abortAll, graceMs);
  };
  if (!signal.aborted) signal.addEventListener('abort', startGrace, { once: true });
  try {
    await Promise.all(Array.from({ length: concurrency }, () => work(options, inFlight)));
  } finally {
    signal.removeEventListener('abort', startGrace);
    cancelGrace?.();
  }
}

async function work(options: ControllerOptions, inFlight: Set<AbortController>): Promise<void> {
  const { queue, signal } = options;
  for (let key = await queue.take(signal); key !== undefined; key = await queue.take(signal)) {
    const abort = new AbortController();
    inFlight.add(abort);
    try {
      await reconcileOnce(key, abort.signal, options);
    } finally {
      inFlight.delete(abort);
      queue.done(key);
    }
  }
}

async function reconcileOnce(key: string, signal: AbortSignal, options: ControllerOptions): Promise<void> {
  const { backOff, reconcile, log, clock = systemClock } = options;
  const startedAt = clock.now();
  let outcome: Outcome;
  try {
    const result = await reconcile(key, signal);
    requeue(key, result, options);
    outcome = result.kind;
  } catch (err) {
    outcome = signal.aborted || err instanceof FencedError ? 'aborted' : 'failed';
    const retryMs = backOff.next(key);
    options.queue.add(key, { ...samePriority(key, options), delayMs: retryMs });
    if (outcome === 'failed')
      log.error({ key, err, failures: backOff.failures(key), retryMs: Math.round(retryMs) }, 'reconcile failed');
    else log.info({ key }, 'reconcile aborted');
  }
  try {
    options.onReconcile?.(key, outcome, clock.now() - startedAt);
  } catch (err) {
    log.error({ key, err }, 'reconcile hook failed');
  }
}

/** Returns the priority that the key had. A new key stays new until a reconciliation of it has ended. */
function samePriority(key: string, { queue }: ControllerOptions): { priority: Priority } {
  return { priority: queue.priorityOf(key) ?? 'resync' };
}

function requeue(key: string, result: ReconcileResult, options: ControllerOptions): void {
  const delayMs = delayAfter(key, result, options.backOff);
  const priority = result.kind === 'retry' ? samePriority(key, options) : { priority: 'resync' as const };
  if (delayMs !== undefined) options.queue.add(key, { ...priority, delayMs });
}
