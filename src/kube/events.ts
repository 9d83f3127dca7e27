import { randomBytes } from 'node:crypto';
import type { Log } from '../runtime/log.ts';
import { sleep } from '../runtime/timeout.ts';
import { FencedError } from '../runtime/write-fence.ts';
import { isKubeError } from './errors.ts';
import { type EventFacts, type EventReporter, eventBody, eventName, eventsPath, microTime } from './event-body.ts';
import type { KubeClient } from './kube-client.ts';
import { TokenBucket } from './token-bucket.ts';

export interface EventRecorderOptions {
  client: Pick<KubeClient, 'create' | 'patch'>;
  log: Log;
  /** Identifies the replica, such as the name of the Pod. */
  reportingInstance: string;
  /** `konnect-audit-log.io/operator` by default. */
  reportingController?: string;
  /** An event that repeats within this time is counted and not written as a new one. 6 minutes by default. */
  seriesIdleMs?: number;
  /** The first repetition is written at once, further ones at most this often. 1 minute by default. */
  seriesEveryMs?: number;
  /** The limit of new events for one object: `burst` at once, then one every `refillMs`. 25 and 5 minutes by default. */
  perObject?: { burst: number; refillMs: number };
  /** The number of events that wait to be written. More are dropped. 1000 by default. */
  maxPending?: number;
  /** How long `run` may write the remaining events at its end. 2 s by default. */
  flushMs?: number;
  /** Returns milliseconds since 1970, for the times in events. */
  timeOfDay?: () => number;
  /** Returns milliseconds from an arbitrary start that never decrease, for all delays. */
  now?: () => number;
  randomId?: () => string;
  /** Called for each event that is dropped. Must not throw. */
  onDropped?: (why: 'limited' | 'full' | 'refused') => void;
}

interface Entry {
  readonly key: string;
  readonly facts: EventFacts;
  name: string;
  readonly eventTime: string;
  /** How often the event was recorded. */
  count: number;
  /** The count that the API server has. 0 before the event is created. */
  written: number;
  lastSeen: number;
  /** `lastSeen` as a time of day. */
  lastObservedTime: string;
  lastWrite: number;
  attempts: number;
  /** When to write the event. Undefined if there is nothing to write. */
  dueAt: number | undefined;
}

const maxAttempts = 5;
const initialRetryMs = 1000;
const writeTimeoutMs = 10_000;
/** With more entries or budgets than this, old ones are removed. */
const maxRemembered = 2000;

/**
 * Writes Events of events.k8s.io/v1 in the background. A repeated event (same object, type, reason, action and note) becomes a series of one Event.
 * Events are best effort: `record` never blocks and never fails, and if there are too many events, some are dropped.
 */
export class EventRecorder {
  readonly #client: EventRecorderOptions['client'];
  readonly #log: Log;
  readonly #options: Required<
    Omit<EventRecorderOptions, 'client' | 'log' | 'reportingInstance' | 'reportingController' | 'onDropped'>
  >;
  readonly #onDropped: EventRecorderOptions['onDropped'];
  readonly #reporter: EventReporter;
  readonly #entries = new Map<string, Entry>();
  readonly #pending = new Set<Entry>();
  readonly #budgets = new Map<string, TokenBucket>();
  #wake = new AbortController();

  constructor(options: EventRecorderOptions) {
    const {
      client,
      log,
      reportingInstance,
      reportingController = 'konnect-audit-log.io/operator',
      onDropped,
    } = options;
    this.#client = client;
    this.#log = log;
    this.#onDropped = onDropped;
    this.#reporter = { reportingController, reportingInstance };
    this.#options = {
      seriesIdleMs: options.seriesIdleMs ?? 360_000,
      seriesEveryMs: options.seriesEveryMs ?? 60_000,
      perObject: options.perObject ?? { burst: 25, refillMs: 300_000 },
      maxPending: options.maxPending ?? 1000,
      flushMs: options.flushMs ?? 2000,
      timeOfDay: options.timeOfDay ?? Date.now,
      now: options.now ?? (() => performance.now()),
      randomId: options.randomId ?? (() => randomBytes(8).toString('hex')),
    };
  }

  /** Records an event, which is written soon. Never throws. `note` must not contain a secret. */
  record(facts: EventFacts): void {
    const { seriesIdleMs, seriesEveryMs, maxPending, now, timeOfDay } = this.#options;
    const time = now();
    const observedTime = microTime(timeOfDay());
    const key = JSON.stringify([facts.regarding.uid, facts.type, facts.reason, facts.action, facts.note]);
    const known = this.#entries.get(key);
    if (known !== undefined && time - known.lastSeen < seriesIdleMs) {
      known.count += 1;
      known.lastSeen = time;
      known.lastObservedTime = observedTime;
      known.dueAt ??= known.written <= 1 ? time : Math.max(time, known.lastWrite + seriesEveryMs);
      this.#schedule(known);
      return;
    }
    if (this.#pending.size >= maxPending) {
      this.#onDropped?.('full');
      return;
    }
    if (!this.#budgetOf(facts.regarding.uid, time).take(time)) {
      this.#onDropped?.('limited');
      return;
    }
    const entry: Entry = {
      key,
      facts,
      name: eventName(facts.regarding, this.#options.randomId()),
      eventTime: observedTime,
      count: 1,
      written: 0,
      lastSeen: time,
      lastObservedTime: observedTime,
      lastWrite: time,
      attempts: 0,
      dueAt: time,
    };
    this.#entries.set(key, entry);
    this.#removeOld(time);
    this.#schedule(entry);
  }

  /** Writes events until `signal` is aborted, then the remaining ones for up to `flushMs`. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { now, flushMs } = this.#options;
    while (!signal.aborted) {
      const next = this.#next();
      if (next?.dueAt !== undefined && next.dueAt <= now()) await this.#write(next, signal);
      else await this.#idle(next?.dueAt === undefined ? undefined : next.dueAt - now(), signal);
    }
    await this.flush(AbortSignal.timeout(flushMs));
  }

  /** Tries once to write each remaining event, due or not, until `signal` is aborted. Never rejects. */
  async flush(signal: AbortSignal): Promise<void> {
    for (const entry of this.#pending) {
      if (signal.aborted) return;
      await this.#write(entry, signal);
    }
  }

  #schedule(entry: Entry): void {
    this.#pending.add(entry);
    this.#wake.abort();
  }

  #next(): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#pending)
      if (first === undefined || (entry.dueAt ?? 0) < (first.dueAt ?? 0)) first = entry;
    return first;
  }

  async #idle(ms: number | undefined, signal: AbortSignal): Promise<void> {
    this.#wake = new AbortController();
    const wake = this.#wake;
    const stop = () => wake.abort();
    signal.addEventListener('abort', stop, { once: true });
    await sleep(ms ?? Number.POSITIVE_INFINITY, wake.signal);
    signal.removeEventListener('abort', stop);
  }

  async #write(entry: Entry, signal: AbortSignal): Promise<void> {
    const { now, seriesEveryMs } = this.#options;
    const { count } = entry;
    try {
      await this.#send(entry, signal);
      entry.written = count;
      entry.lastWrite = now();
      entry.attempts = 0;
      if (entry.count > count) entry.dueAt = count === 1 ? now() : now() + seriesEveryMs;
      else this.#finish(entry);
    } catch (err) {
      if (signal.aborted) return;
      if (err instanceof FencedError) {
        this.#finish(entry);
        return;
      }
      entry.attempts += 1;
      const isTemporary = isKubeError(err, 'TooManyRequests', 'Unavailable', 'Timeout', 'Unauthorized');
      if (isTemporary && entry.attempts < maxAttempts) {
        entry.dueAt = now() + Math.max(err.retryAfterMs ?? 0, initialRetryMs * 2 ** (entry.attempts - 1));
        return;
      }
      const { regarding, reason } = entry.facts;
      this.#log.warn({ err, reason, namespace: regarding.namespace, name: regarding.name }, 'event dropped');
      this.#onDropped?.('refused');
      this.#finish(entry);
      if (entry.written === 0 && this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    }
  }

  async #send(entry: Entry, signal: AbortSignal): Promise<void> {
    const { facts, eventTime, count, lastObservedTime } = entry;
    const path = eventsPath(facts.regarding);
    const series = count > 1 ? { count, lastObservedTime } : undefined;
    const options = { signal, timeoutMs: writeTimeoutMs };
    const patch = () => this.#client.patch(`${path}/${entry.name}`, { kind: 'merge', body: { series } }, options);
    if (entry.written > 0) {
      try {
        await patch();
        return;
      } catch (error) {
        if (!isKubeError(error, 'NotFound')) throw error;
        // The API server deletes events, by default after an hour.
        entry.name = eventName(facts.regarding, this.#options.randomId());
        entry.written = 0;
      }
    }
    try {
      const body = eventBody(facts, { name: entry.name, eventTime, series, reporter: this.#reporter });
      await this.#client.create(path, body, options);
    } catch (error) {
      // An earlier attempt created it and its answer was lost. Its count may have been lower.
      if (!isKubeError(error, 'Conflict') || error.reason !== 'AlreadyExists') throw error;
      if (series !== undefined) await patch();
    }
  }

  #finish(entry: Entry): void {
    entry.dueAt = undefined;
    this.#pending.delete(entry);
  }

  #budgetOf(uid: string, time: number): TokenBucket {
    const budget = this.#budgets.get(uid) ?? new TokenBucket(this.#options.perObject, time);
    this.#budgets.set(uid, budget);
    return budget;
  }

  #removeOld(time: number): void {
    if (this.#entries.size > maxRemembered)
      for (const [key, entry] of this.#entries)
        if (!this.#pending.has(entry) && time - entry.lastSeen >= this.#options.seriesIdleMs) this.#entries.delete(key);
    // There are still too many: remove the oldest. The next repetition of these becomes a new event.
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= maxRemembered) break;
      if (!this.#pending.has(entry)) this.#entries.delete(key);
    }
    if (this.#budgets.size > maxRemembered)
      for (const [uid, budget] of this.#budgets) if (budget.isFull(time)) this.#budgets.delete(uid);
  }
}
