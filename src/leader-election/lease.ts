/** A Lease as the API server shows it. Its times are only compared for equality: the clocks of other machines may be wrong. */
export interface StoredLease {
  /** Empty if no process holds it. */
  readonly holder: string;
  readonly durationSeconds: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  /** How often the holder has changed. */
  readonly transitions: number;
  /** The version of the object. The API server refuses an update of another version. */
  readonly version: { readonly uid: string; readonly resourceVersion: string };
}

/** What is written into a Lease. Times are milliseconds since 1970. */
export interface LeaseChange {
  readonly holder: string;
  readonly durationSeconds: number;
  readonly acquireTimeMs: number;
  readonly renewTimeMs: number;
  readonly transitions: number;
}

/** One Lease. Every method rejects if the API server cannot be reached or refuses, and if its signal is aborted. */
export interface LeaseStore {
  /** Returns undefined if there is no such Lease. */
  get(signal: AbortSignal): Promise<StoredLease | undefined>;
  /** Rejects if there is such a Lease already. */
  create(change: LeaseChange, signal: AbortSignal): Promise<StoredLease>;
  /** Rejects if the Lease has changed since it was read, or is gone. Keeps all fields that `change` does not have. */
  update(lease: StoredLease, change: LeaseChange, signal: AbortSignal): Promise<StoredLease>;
}

export interface LeaseTimes {
  /** How long another process waits after the last renewal that it saw. */
  readonly leaseDurationMs: number;
  /** How long the leader continues without a renewal. It is shorter, so that the leader has ended before another process begins. */
  readonly renewDeadlineMs: number;
  /** How long the leader waits between renewals. */
  readonly retryPeriodMs: number;
}

/** The longest jitter that client-go adds to its retry period, as a multiple of that period. */
export const jitterFactor = 1.2;

/** Returns whether the leader ends before another process begins, and has time for a second attempt to renew. */
export function areLeaseTimes({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: LeaseTimes): boolean {
  return leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryPeriodMs * jitterFactor;
}
