import { uptime } from 'node:os';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Log } from '../runtime/log.ts';
import { sleep, withTimeout } from '../runtime/timeout.ts';
import { type Fence, FencedError } from '../runtime/write-fence.ts';
import { areLeaseTimes, jitterFactor, type LeaseStore, type LeaseTimes, type StoredLease } from './lease.ts';

/**
 * The clock for leases. Unlike `systemClock`, it includes the time that the machine was suspended (Linux: `CLOCK_BOOTTIME`), so a process that resumes
 * knows that its lease has expired. A virtual machine that was paused as a whole may not know it. Then the API server refuses the next renewal.
 */
export const bootTimeClock: Clock = { ...systemClock, now: () => uptime() * 1000 };

export interface LeaderElectionOptions {
  readonly store: LeaseStore;
  /** How logs and errors name the Lease. */
  readonly name: string;
  /** Unique for each process. */
  readonly identity: string;
  readonly times: LeaseTimes;
  readonly log: Log;
  /** For metrics. Must not throw. */
  readonly onChange?: (isLeader: boolean) => void;
  readonly clock?: Clock;
  /** Returns milliseconds since 1970, for the times that the Lease shows to users. */
  readonly now?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

type Attempt = { readonly kind: 'held' } | { readonly kind: 'taken'; readonly holder: string };

/**
 * Elects one leader among several processes, with a Lease and the rules of client-go: a lease ends when its holder releases it, or when it has not
 * changed for its duration, measured by the local clock. There are three differences to client-go. There is a {@link fence}. A process on standby
 * reads the Lease more often than the leader renews it, so that it takes over sooner. A deleted Lease is not free before it would have expired.
 */
export class LeaderElection {
  readonly #options: Required<LeaderElectionOptions>;
  /** The Lease as last seen, and since when it has been unchanged. */
  #seen: { readonly lease: StoredLease; readonly sinceMs: number } | undefined;
  #acquireTimeMs = 0;
  #hasAttempted = false;
  /** When the last successful renewal was sent. No process measures the lease from an earlier time. */
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaderElectionOptions) {
    if (!areLeaseTimes(options.times))
      throw new RangeError('the renew deadline must be less than the lease duration and more than 1.2 retry periods');
    this.#options = {
      onChange: () => undefined,
      clock: bootTimeClock,
      now: Date.now,
      random: Math.random,
      ...options,
    };
  }

  /** Whether an attempt to acquire the lease has ever got an answer. Without the permissions for it no process would ever be the leader. */
  get hasAttempted(): boolean {
    return this.#hasAttempted;
  }

  /**
   * Throws unless this process is certain to be the leader: its last successful renewal is less than the renew deadline ago. This holds however long
   * the process was stopped, for example by SIGSTOP, a suspended machine or a long garbage collection. A transport calls it and then sends the first
   * byte without an `await` in between. So each connection sends at most one request after the lease is lost.
   */
  readonly fence: Fence = () => {
    if (this.#remainingMs() <= 0) throw new FencedError(`${this.#options.name} may be lost: nothing is written`);
  };

  /**
   * Waits until this process is the leader, then calls `lead` once. When `signal` is aborted, the signal of `lead` is aborted too, and the lease is
   * renewed until `lead` has ended and then released. When the lease is lost, the signal of `lead` is aborted with a FencedError. `run` rejects with
   * that error when `lead` has ended, or after three seconds. Then the process has to exit.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (!(await this.#acquire(signal))) return;
    const { log, name, identity, onChange, clock } = this.#options;
    log.info(
      { lease: name, identity, transitions: this.#seen?.lease.transitions },
      'lease acquired, this process is the leader',
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
      await this.#renew(done.signal);
      await work;
    } catch (error) {
      onChange(false);
      if (error instanceof FencedError) {
        this.#renewedAtMs = Number.NEGATIVE_INFINITY;
        log.error({ lease: name, identity, err: error }, 'lease lost, this process exits');
        leading.abort(error);
        const ended = new AbortController();
        await Promise.race([work.catch(() => undefined), sleep(endAfterLossMs, ended.signal, clock)]);
        ended.abort();
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

  /** Returns false if `signal` is aborted first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random, log, name, times } = this.#options;
    let loggedHolder: string | undefined;
    while (!signal.aborted) {
      let waitMs = (times.retryPeriodMs * (1 + random())) / 4;
      try {
        const attempt = await this.#within(attemptMs(times), signal, (within) => this.#attempt(within));
        this.#hasAttempted = true;
        if (attempt.kind === 'held') return true;
        if (attempt.holder !== loggedHolder)
          log.info({ lease: name, holder: attempt.holder }, 'standing by: another process holds the lease');
        loggedHolder = attempt.holder;
      } catch (err) {
        if (signal.aborted) break;
        waitMs = times.retryPeriodMs * (1 + jitterFactor * random());
        log.warn({ lease: name, err, waitMs: Math.round(waitMs) }, 'lease cannot be read or acquired, retrying');
      }
      await sleep(waitMs, signal, clock);
    }
    return false;
  }

  /** Renews the lease until `signal` is aborted. Rejects with a FencedError when the lease is lost. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, log, name, times } = this.#options;
    for (;;) {
      await sleep(Math.min(times.retryPeriodMs, this.#remainingMs()), signal, clock);
      if (signal.aborted) return;
      const remainingMs = this.#remainingMs();
      if (remainingMs <= 0) throw new FencedError(`${name} was not renewed within ${String(times.renewDeadlineMs)} ms`);
      try {
        const withinMs = Math.min(attemptMs(times), remainingMs);
        const attempt = await this.#within(withinMs, signal, (within) => this.#attempt(within));
        if (attempt.kind === 'taken') throw new FencedError(`${name} is held by ${attempt.holder}`);
      } catch (err) {
        if (err instanceof FencedError) throw err;
        if (signal.aborted) return;
        log.warn({ lease: name, err }, 'lease renewal failed, retrying');
      }
    }
  }

  /** Acquires or renews the lease, unless another process holds it. */
  async #attempt(signal: AbortSignal): Promise<Attempt> {
    const { store, identity } = this.#options;
    const known = this.#seen?.lease;
    if (this.#remainingMs() > 0 && known?.holder === identity) {
      try {
        return await this.#write(known, signal);
      } catch {
        // Another client wrote the Lease, or the answer to the last renewal was lost: read it.
        signal.throwIfAborted();
      }
    }
    const lease = await store.get(signal);
    signal.throwIfAborted();
    if (lease !== undefined) this.#see(lease);
    const holder = this.#otherHolder();
    return holder === undefined ? this.#write(lease, signal) : { kind: 'taken', holder };
  }

  /** Returns the other process that holds the lease. A deleted Lease counts as held until it would have expired. */
  #otherHolder(): string | undefined {
    if (this.#seen === undefined) return undefined;
    const { clock, identity } = this.#options;
    const { lease, sinceMs } = this.#seen;
    const isFree = lease.holder === '' || lease.holder === identity;
    return isFree || clock.now() - sinceMs >= lease.durationSeconds * 1000 ? undefined : lease.holder;
  }

  #see(lease: StoredLease): void {
    if (this.#seen !== undefined && isSameRecord(this.#seen.lease, lease)) this.#seen = { ...this.#seen, lease };
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
    // The caller has timed out, and may have ended already.
    signal.throwIfAborted();
    this.#see(written);
    this.#renewedAtMs = sentAtMs;
    return { kind: 'held' };
  }

  /** Gives the lease up, so that another process acquires it at its next attempt. Never rejects. */
  async #release(): Promise<void> {
    const { log, name, identity, times } = this.#options;
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
    try {
      await this.#within(attemptMs(times), undefined, (within) => this.#giveUp(within));
      log.info({ lease: name, identity }, 'lease released');
    } catch (err) {
      log.warn({ lease: name, identity, err }, 'lease not released, another process acquires it after it has expired');
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

  /** Returns for how long this process is still certain to be the leader. */
  #remainingMs(): number {
    return this.#renewedAtMs + this.#options.times.renewDeadlineMs - this.#options.clock.now();
  }
}

/** How long `lead` may take to end after the lease was lost. */
const endAfterLossMs = 3_000;

/** Returns how long one attempt may take. After one attempt without an answer there is time for another before the deadline. */
function attemptMs({ renewDeadlineMs }: LeaseTimes): number {
  return renewDeadlineMs / 2;
}

function isSameRecord(a: StoredLease, b: StoredLease): boolean {
  return (
    a.holder === b.holder &&
    a.renewTime === b.renewTime &&
    a.acquireTime === b.acquireTime &&
    a.transitions === b.transitions &&
    a.durationSeconds === b.durationSeconds
  );
}
