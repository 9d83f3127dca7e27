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
  /** Which copy of the operator reports, such as the Pod's name. */
  reportingInstance: string;
  /** `konnect-audit-log.io/operator` unless given. */
  reportingController?: string;
  /** An event seen again within this time of the last is counted, not written anew; 6 minutes. */
  seriesIdleMs?: number;
  /** The first repetition is written at once, further ones at most this often; 1 minute. */
  seriesEveryMs?: number;
  /** New events of one object: this many at once, then one every so often; 25 and 5 minutes. */
  perObject?: { burst: number; refillMs: number };
  /** Events waiting to be written; more are dropped. 1000. */
  maxPending?: number;
  /** How long what still waits may take to be written once `run` is to end; 2 s. */
  flushMs?: number;
  /** Milliseconds since 1970, for what is written. */
  timeOfDay?: () => number;
  /** Milliseconds from any start that never go back, for all waiting. */
  now?: () => number;
  randomId?: () => string;
  /** For metrics; must not throw. */
  onDropped?: (why: 'limited' | 'full' | 'refused') => void;
}

interface Entry {
  readonly key: string;
  readonly facts: EventFacts;
  name: string;
  readonly eventTime: string;
  /** How often it was seen, and the count that the API server knows; 0 before it was created. */
  count: number;
  written: number;
  lastSeen: number;
  /** The same by the time of day. */
  lastObservedTime: string;
  lastWrite: number;
  attempts: number;
  /** When to write; absent if nothing is to be written. */
  dueAt: number | undefined;
}

const MAX_ATTEMPTS = 5;
const RETRY_MS = 1000;
const WRITE_TIMEOUT_MS = 10_000;
/** Beyond this, entries and budgets that no longer matter are swept out. */
const MAX_REMEMBERED = 2000;

/**
 * Writes Events of events.k8s.io/v1, in the background. What is seen again (same object, type, reason, action and note) becomes a series
 * of one Event. Events are a courtesy: recording never blocks and never fails, and when there are too many, some are dropped.
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

  /** Notes an event to be written soon. Never throws. `note` must hold no secret. */
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
      this.#pend(known);
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
    this.#sweep(time);
    this.#pend(entry);
  }

  /** Writes until `signal` is aborted, then whatever still waits, as far as `flushMs` goes. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { now, flushMs } = this.#options;
    while (!signal.aborted) {
      const next = this.#next();
      if (next?.dueAt !== undefined && next.dueAt <= now()) await this.#write(next, signal);
      else await this.#idle(next?.dueAt === undefined ? undefined : next.dueAt - now(), signal);
    }
    await this.flush(AbortSignal.timeout(flushMs));
  }

  /** Writes what waits, due or not, each once, until `signal` is aborted. Never rejects. */
  async flush(signal: AbortSignal): Promise<void> {
    for (const entry of this.#pending) {
      if (signal.aborted) return;
      await this.#write(entry, signal);
    }
  }

  #pend(entry: Entry): void {
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
      else this.#settle(entry);
    } catch (err) {
      if (signal.aborted) return;
      if (err instanceof FencedError) {
        this.#settle(entry);
        return;
      }
      entry.attempts += 1;
      const passing = isKubeError(err, 'TooManyRequests', 'Unavailable', 'Timeout', 'Unauthorized');
      if (passing && entry.attempts < MAX_ATTEMPTS) {
        entry.dueAt = now() + Math.max(err.retryAfterMs ?? 0, RETRY_MS * 2 ** (entry.attempts - 1));
        return;
      }
      const { regarding, reason } = entry.facts;
      this.#log.warn({ err, reason, namespace: regarding.namespace, name: regarding.name }, 'event dropped');
      this.#onDropped?.('refused');
      this.#settle(entry);
      if (entry.written === 0 && this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    }
  }

  async #send(entry: Entry, signal: AbortSignal): Promise<void> {
    const { facts, eventTime, count, lastObservedTime } = entry;
    const path = eventsPath(facts.regarding);
    const series = count > 1 ? { count, lastObservedTime } : undefined;
    const options = { signal, timeoutMs: WRITE_TIMEOUT_MS };
    const patch = () => this.#client.patch(`${path}/${entry.name}`, { kind: 'merge', body: { series } }, options);
    if (entry.written > 0) {
      try {
        await patch();
        return;
      } catch (error) {
        if (!isKubeError(error, 'NotFound')) throw error;
        // Events live for an hour or so.
        entry.name = eventName(facts.regarding, this.#options.randomId());
        entry.written = 0;
      }
    }
    try {
      const body = eventBody(facts, { name: entry.name, eventTime, series, reporter: this.#reporter });
      await this.#client.create(path, body, options);
    } catch (error) {
      // The answer to an earlier attempt was lost, which may have been made with a lower count.
      if (!isKubeError(error, 'Conflict') || error.reason !== 'AlreadyExists') throw error;
      if (series !== undefined) await patch();
    }
  }

  #settle(entry: Entry): void {
    entry.dueAt = undefined;
    this.#pending.delete(entry);
  }

  #budgetOf(uid: string, time: number): TokenBucket {
    const budget = this.#budgets.get(uid) ?? new TokenBucket(this.#options.perObject, time);
    this.#budgets.set(uid, budget);
    return budget;
  }

  #sweep(time: number): void {
    if (this.#entries.size > MAX_REMEMBERED)
      for (const [key, entry] of this.#entries)
        if (!this.#pending.has(entry) && time - entry.lastSeen >= this.#options.seriesIdleMs) this.#entries.delete(key);
    // Still too many: the oldest are forgotten, and their next repetition becomes an event of its own.
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= MAX_REMEMBERED) break;
      if (!this.#pending.has(entry)) this.#entries.delete(key);
    }
    if (this.#budgets.size > MAX_REMEMBERED)
      for (const [uid, budget] of this.#budgets) if (budget.isFull(time)) this.#budgets.delete(uid);
  }
}
