import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import type { Priority } from '../runtime/priority.ts';
import type { ReconcileResult } from '../runtime/reconcile-result.ts';
import { FencedError } from '../runtime/write-fence.ts';
import type { BackOff } from './back-off.ts';
import type { WorkQueue } from './work-queue.ts';

/** `failed`: it threw. `aborted`: it threw after its signal was aborted, or because this process may no longer write. */
export type Outcome = ReconcileResult['kind'] | 'failed' | 'aborted';

export interface ControllerOptions {
  queue: WorkQueue;
  /** Brings the world in line for one key. Never called twice at a time for one key. Its signal is aborted when the grace period is over. */
  reconcile: (key: string, signal: AbortSignal) => Promise<ReconcileResult>;
  /** Keys in work at a time, of all groups. */
  concurrency: number;
  backOff: BackOff;
  /** How long work in flight may go on after `signal` was aborted, before its own signal is; no time if the reason is a FencedError. */
  graceMs: number;
  log: Log;
  signal: AbortSignal;
  /** For metrics; after each pass. */
  onReconcile?: (key: string, outcome: Outcome, durationMs: number) => void;
  clock?: Clock;
}

/**
 * Takes keys from the queue and reconciles them until `signal` is aborted. Resolves when the last pass has ended; never rejects, whatever
 * `reconcile` throws: that is logged and tried again with back-off.
 */
export async function runController(options: ControllerOptions): Promise<void> {
  const { concurrency, graceMs, signal, clock = systemClock } = options;
  const inFlight = new Set<AbortController>();
  let cancelGrace: (() => void) | undefined;
  const startGrace = () => {
    const cutOff = () => {
      for (const pass of inFlight) pass.abort(signal.reason);
    };
    if (signal.reason instanceof FencedError) cutOff();
    else cancelGrace = clock.schedule(cutOff, graceMs);
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
    const pass = new AbortController();
    inFlight.add(pass);
    try {
      await reconcileOnce(key, pass.signal, options);
    } finally {
      inFlight.delete(pass);
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
    plan(key, result, options);
    outcome = result.kind;
  } catch (err) {
    outcome = signal.aborted || err instanceof FencedError ? 'aborted' : 'failed';
    const retryMs = backOff.next(key);
    options.queue.add(key, { ...priorityAgain(key, options), delayMs: retryMs });
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

/** What is new stays so until a pass over it has come to its end. */
function priorityAgain(key: string, { queue }: ControllerOptions): { priority: Priority } {
  return { priority: queue.priorityOf(key) ?? 'resync' };
}

function plan(key: string, result: ReconcileResult, options: ControllerOptions): void {
  const { queue, backOff } = options;
  switch (result.kind) {
    case 'done':
      backOff.forget(key);
      break;
    case 'requeue':
      backOff.forget(key);
      queue.add(key, { priority: 'resync', delayMs: result.afterMs });
      break;
    case 'retry':
      queue.add(key, {
        ...priorityAgain(key, options),
        delayMs: Math.max(backOff.next(key, result.backOffKey), result.minDelayMs ?? 0),
      });
      break;
  }
}
