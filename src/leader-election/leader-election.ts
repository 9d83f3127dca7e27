import { uptime } from 'node:os';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { sleep, withTimeout } from '../runtime/timeout.ts';
import { type Fence, FencedError } from '../runtime/write-fence.ts';

/** A Lease as it stands. Its times are compared for being the same, never with a clock: other machines' clocks may be wrong. */
export interface StoredLease {
  /** Empty where nobody holds it. */
  readonly holder: string;
  readonly durationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  /** How often it went from one holder to another. */
  readonly transitions: number;
  /** Of the object, for an update that is refused where another one came first. */
  readonly version: { readonly uid: string; readonly resourceVersion: string };
}

export interface LeaseChange {
  readonly holder: string;
  readonly durationSeconds: number;
  /** Milliseconds since 1970. */
  readonly acquireTimeMs: number;
  readonly renewTimeMs: number;
  readonly transitions: number;
}

/** One Lease. All methods reject where it cannot be had; a write also where the Lease is another than the one named. */
export interface LeaseStore {
  get(signal: AbortSignal): Promise<StoredLease | undefined>;
  create(change: LeaseChange, signal: AbortSignal): Promise<StoredLease>;
  update(lease: StoredLease, change: LeaseChange, signal: AbortSignal): Promise<StoredLease>;
}

export interface LeaseTimes {
  /** How long others wait after the last renewal that they saw. */
  readonly leaseDurationMs: number;
  /** How long the leader goes on without a renewal. Shorter, so that it has ended before others begin. */
  readonly renewDeadlineMs: number;
  /** How long the leader waits between renewals. */
  readonly retryPeriodMs: number;
}

/** What client-go adds to its retry period, at most, as a multiple of it. */
const jitterFactor = 1.2;

/** True where others begin only after the leader has ended, and the leader has time for a second try. */
export function areLeaseTimes({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: LeaseTimes): boolean {
  return leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryPeriodMs * jitterFactor;
}

/**
 * A clock for leases: unlike the process's own it goes on while the machine sleeps (Linux: `CLOCK_BOOTTIME`), so that who wakes up knows that its
 * lease is over. A virtual machine that is frozen and thawed as a whole may not know it; then Kubernetes' refusal of the next renewal tells.
 */
export const sleeplessClock: Clock = { ...systemClock, now: () => uptime() * 1000 };

export interface LeaderElectionOptions {
  readonly store: LeaseStore;
  /** Of the Lease, for logs. */
  readonly name: string;
  /** Which no other process ever has. */
  readonly identity: string;
  readonly times: LeaseTimes;
  readonly log: Log;
  /** For metrics; must not throw. */
  readonly onChange?: (leads: boolean) => void;
  readonly clock?: Clock;
  /** Milliseconds since 1970: for people who read the Lease. */
  readonly now?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

type Attempt = { readonly kind: 'held' } | { readonly kind: 'taken'; readonly holder: string };

/**
 * One of several processes leads, by a Lease and the rules of client-go: a lease is over when its holder gave it up, or when nothing was seen to
 * change in it for its duration by the local clock. Beyond client-go there is a {@link fence}, a standby looks more often than the leader
 * renews, so that it takes over sooner, and a Lease that vanishes is not free before it would have run out.
 */
export class LeaderElection {
  readonly #options: Required<LeaderElectionOptions>;
  /** The last one seen, and since when it has looked like this. */
  #seen: { readonly lease: StoredLease; readonly sinceMs: number } | undefined;
  #acquireTimeMs = 0;
  #hasLooked = false;
  /** When the last renewal that succeeded was sent: the lease holds from no later than that in everybody's eyes. */
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaderElectionOptions) {
    if (!areLeaseTimes(options.times)) throw new RangeError('the times of the lease do not fit together');
    this.#options = {
      onChange: () => undefined,
      clock: sleeplessClock,
      now: Date.now,
      random: Math.random,
      ...options,
    };
  }

  /** Whether the Lease could ever be read and, where it is free, taken: without the right to do so nobody would ever lead. */
  get hasLooked(): boolean {
    return this.#hasLooked;
  }

  /**
   * Lets writes pass as long as this process leads for certain: it was sure to hold the lease less than the renew deadline ago. However long the
   * process was stopped (SIGSTOP, a sleeping machine, a long collection of garbage), what asks here knows it. Between the asking and
   * the first byte nothing is awaited, so that of each connection at most the request that is being sent gets out.
   */
  readonly fence: Fence = () => {
    if (this.#leftMs() <= 0) throw new FencedError(`${this.#options.name} is not held for certain: nothing is written`);
  };

  /**
   * Stands by until this process leads, then calls `lead`, once. Its signal is aborted with `signal`, and then `lead` may take its time: the lease is
   * renewed until it ends, and then given up. When the lease is lost, the signal is aborted with a FencedError, and `run` rejects with
   * that error when `lead` has ended, or three seconds later: the process has to end then.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!(await this.#acquire(signal))) return;
    const { log, name, identity, onChange, clock } = this.#options;
    log.info(
      { lease: name, identity, transitions: this.#seen?.lease.transitions },
      'lease acquired, this process leads',
    );
    onChange(true);
    const leading = new AbortController();
    const stop = () => leading.abort(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    const done = new AbortController();
    const work = lead(leading.signal).finally(() => done.abort());
    work.catch(() => undefined);
    try {
      await this.#keep(done.signal);
      await work;
    } catch (error) {
      onChange(false);
      if (error instanceof FencedError) {
        this.#renewedAtMs = Number.NEGATIVE_INFINITY;
        log.error({ lease: name, identity, err: error }, 'lease lost, this process ends');
        leading.abort(error);
        const patience = new AbortController();
        await Promise.race([work.catch(() => undefined), sleep(lastPatienceMs, patience.signal, clock)]);
        patience.abort();
        throw error;
      }
      await this.#release();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
    onChange(false);
    await this.#release();
  }

  /** False once `signal` is aborted. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, log, name, times } = this.#options;
    let shown: string | undefined;
    while (!signal.aborted) {
      let waitMs = (times.retryPeriodMs * (1 + random())) / 4;
      try {
        const attempt = await this.#within(attemptMs(times), signal, (within) => this.#attempt(within));
        this.#hasLooked = true;
        if (attempt.kind === 'held') return true;
        if (attempt.holder !== shown) log.info({ lease: name, holder: attempt.holder }, 'standing by');
        shown = attempt.holder;
      } catch (err) {
        if (signal.aborted) break;
        waitMs = times.retryPeriodMs * (1 + jitterFactor * random());
        log.warn({ lease: name, err, waitMs: Math.round(waitMs) }, 'lease cannot be looked at, trying again');
      }
      await sleep(waitMs, signal, clock);
    }
    return false;
  }

  /** Renews until `signal` is aborted. Rejects with a FencedError when the lease is lost. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { clock, log, name, times } = this.#options;
    for (;;) {
      await sleep(Math.min(times.retryPeriodMs, this.#leftMs()), signal, clock);
      if (signal.aborted) return;
      const leftMs = this.#leftMs();
      if (leftMs <= 0) throw new FencedError(`${name} was not renewed within ${String(times.renewDeadlineMs)} ms`);
      try {
        const withinMs = Math.min(attemptMs(times), leftMs);
        const attempt = await this.#within(withinMs, signal, (within) => this.#attempt(within));
        if (attempt.kind === 'taken') throw new FencedError(`${name} is held by ${attempt.holder}`);
      } catch (err) {
        if (err instanceof FencedError) throw err;
        if (signal.aborted) return;
        log.warn({ lease: name, err }, 'lease not renewed, trying again');
      }
    }
  }

  /** Takes or renews the lease where that is allowed. */
  async #attempt(signal: AbortSignal): Promise<Attempt> {
    const { store, identity } = this.#options;
    const known = this.#seen?.lease;
    if (this.#leftMs() > 0 && known?.holder === identity) {
      try {
        return await this.#write(known, signal);
      } catch {
        // Somebody wrote it, or the answer to our own last renewal was lost: look.
        signal.throwIfAborted();
      }
    }
    const lease = await store.get(signal);
    signal.throwIfAborted();
    if (lease !== undefined) this.#see(lease);
    const holder = this.#holder();
    return holder === undefined ? this.#write(lease, signal) : { kind: 'taken', holder };
  }

  /** Who else holds the lease, as far as anybody can know. One that vanished is held as if it were still there. */
  #holder(): string | undefined {
    if (this.#seen === undefined) return undefined;
    const { clock, identity } = this.#options;
    const { lease, sinceMs } = this.#seen;
    const isFree = lease.holder === '' || lease.holder === identity;
    return isFree || clock.now() - sinceMs >= lease.durationSeconds * 1000 ? undefined : lease.holder;
  }

  #see(lease: StoredLease): void {
    if (this.#seen !== undefined && sameRecord(this.#seen.lease, lease)) this.#seen = { ...this.#seen, lease };
    else this.#seen = { lease, sinceMs: this.#options.clock.now() };
  }

  async #write(lease: StoredLease | undefined, signal: AbortSignal): Promise<Attempt> {
    const { store, identity, times, now, clock } = this.#options;
    const isRenewal = lease?.holder === identity;
    if (!isRenewal) this.#acquireTimeMs = now();
    const change = {
      holder: identity,
      durationSeconds: Math.ceil(times.leaseDurationMs / 1000),
      acquireTimeMs: this.#acquireTimeMs,
      renewTimeMs: now(),
      transitions: lease === undefined ? 0 : lease.transitions + (isRenewal ? 0 : 1),
    };
    const sentAtMs = clock.now();
    const written = await (lease === undefined ? store.create(change, signal) : store.update(lease, change, signal));
    // Whoever asked has given up, and may have ended already.
    signal.throwIfAborted();
    this.#see(written);
    this.#renewedAtMs = sentAtMs;
    return { kind: 'held' };
  }

  /** Gives the lease up, so that another takes it at its next look. Never rejects. */
  async #release(): Promise<void> {
    const { log, name, identity, times } = this.#options;
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
    try {
      await this.#within(attemptMs(times), undefined, (within) => this.#giveUp(within));
      log.info({ lease: name, identity }, 'lease released');
    } catch (err) {
      log.warn({ lease: name, identity, err }, 'lease not released, another process takes it when it has run out');
    }
  }

  async #giveUp(signal: AbortSignal): Promise<void> {
    const { store, identity, now } = this.#options;
    const empty = (lease: StoredLease) =>
      store.update(
        lease,
        {
          holder: '',
          durationSeconds: 1,
          acquireTimeMs: now(),
          renewTimeMs: now(),
          transitions: lease.transitions,
        },
        signal,
      );
    try {
      if (this.#seen !== undefined) await empty(this.#seen.lease);
    } catch {
      signal.throwIfAborted();
      const lease = await store.get(signal);
      if (lease?.holder === identity) await empty(lease);
    }
  }

  #within<T>(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    action: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const timedOut = () => new Error(`no answer within ${String(Math.round(timeoutMs))} ms`);
    return withTimeout({ signal, timeoutMs, timedOut, clock: this.#options.clock }, action);
  }

  /** For how long this process still leads for certain. */
  #leftMs(): number {
    return this.#renewedAtMs + this.#options.times.renewDeadlineMs - this.#options.clock.now();
  }
}

/** For a process that does not end by itself after it has lost the lease. */
const lastPatienceMs = 3_000;

/** So that one request without an answer leaves time for another before the deadline. */
function attemptMs({ renewDeadlineMs }: LeaseTimes): number {
  return renewDeadlineMs / 2;
}

function sameRecord(a: StoredLease, b: StoredLease): boolean {
  return (
    a.holder === b.holder &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.transitions === b.transitions &&
    a.durationSeconds === b.durationSeconds
  );
}
