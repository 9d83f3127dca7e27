/** What the process keeps in memory about its forwardings. */
import type { AuditLogForwarding } from '../../api/v1alpha1.ts';
import { DeliveryLooks } from './delivery-looks.ts';
import { FirstSeen } from './first-seen.ts';
import { RefusedForwardings } from './refused-forwardings.ts';

/** The maximum number of timestamps in the status of one forwarding. */
const maxTimestamps = 8;
const outage = 'outage';

/**
 * Holds by key what must not be written to status: tokens that worked, and since when something lasts. Everything about a key belongs to
 * one object.
 */
export class ProcessMemory {
  /** The forwardings that Konnect refused something in their last reconciliation. */
  readonly refused = new RefusedForwardings();
  /** The forwardings that Kubernetes has deleted too early, by key. The operator still cleans up after them. */
  readonly deleted = new Map<string, AuditLogForwarding>();
  /** The forwardings that the cache no longer shows, by key, until it is known whether they were deleted or another operator watches them. */
  readonly vanished = new Map<string, { readonly forwarding: AuditLogForwarding; readonly isSeen: boolean }>();
  /** The uids of forwardings whose finalizer the operator has removed itself, until their deletion is reported. */
  readonly released = new Set<string>();
  readonly looks: DeliveryLooks;
  readonly #uids = new Map<string, string>();
  /** By key, then by organization. */
  readonly #goodTokens = new Map<string, Map<string, string>>();
  readonly #openRequests = new Map<string, string>();
  readonly #timestamps: FirstSeen;
  readonly #outages: FirstSeen;
  readonly #handovers: FirstSeen;
  readonly #inUse: FirstSeen;

  /** `nowMs` never goes back. */
  constructor(nowMs: () => number) {
    this.looks = new DeliveryLooks(nowMs);
    this.#timestamps = new FirstSeen(nowMs, maxTimestamps);
    this.#outages = new FirstSeen(nowMs);
    this.#handovers = new FirstSeen(nowMs);
    this.#inUse = new FirstSeen(nowMs);
  }

  /**
   * Forgets everything about `key` that belongs to another object of the same name, so that the new one does not get its tokens. Returns true
   * if this object was known.
   */
  keepOnlyOf(key: string, forwarding: AuditLogForwarding | undefined): boolean {
    const uid = forwarding?.metadata.uid;
    const isKnown = uid === this.#uids.get(key);
    if (!isKnown) {
      for (const each of [this.#uids, this.#goodTokens, this.#openRequests]) each.delete(key);
      this.looks.forget(key);
      const waits = [this.#timestamps, this.#outages, this.#handovers, this.#inUse];
      for (const each of waits) each.forget(key);
      this.refused.remove(key);
    }
    if (uid !== undefined) this.#uids.set(key, uid);
    return isKnown;
  }

  /** Keeps a token that was seen to belong to the organization. */
  rememberToken(key: string, organizationID: string, token: string): void {
    const known = this.#goodTokens.get(key) ?? new Map<string, string>();
    this.#goodTokens.set(key, known.set(organizationID, token));
  }

  forgetToken(key: string, organizationID: string): void {
    this.#goodTokens.get(key)?.delete(organizationID);
  }

  /** Returns the last token that was seen to belong to the organization. */
  goodToken(key: string, organizationID: string | undefined): string | undefined {
    return organizationID === undefined ? undefined : this.#goodTokens.get(key)?.get(organizationID);
  }

  /** Keeps a user's request that a reconciliation began and could not finish, or forgets the last one. */
  keepOpenRequest(key: string, request: string | undefined): void {
    if (request === undefined) this.#openRequests.delete(key);
    else this.#openRequests.set(key, request);
  }

  isOpenRequest(key: string, request: string): boolean {
    return this.#openRequests.get(key) === request;
  }

  /** Returns how long this process has known a timestamp of the forwarding's status, in milliseconds. */
  timestampAgeMs(key: string, time: string): number {
    return this.#timestamps.ageMs(key, time);
  }

  /** Makes the age of a timestamp infinite. */
  expireTimestamp(key: string, time: string): void {
    this.#timestamps.expire(key, time);
  }

  /** Makes the age of a timestamp begin again. */
  renewTimestamp(key: string, time: string): void {
    this.#timestamps.forget(key, time);
    this.#timestamps.ageMs(key, time);
  }

  /** Returns how long Konnect or the API server has been unavailable, in milliseconds, counted from the first call. */
  unavailableForMs(key: string): number {
    return this.#outages.ageMs(key, outage);
  }

  /** Ends the outage: the next one is counted from zero. */
  endOutage(key: string): void {
    this.#outages.forget(key);
  }

  /** Returns how long Konnect has refused to delete a destination that is in use, in milliseconds, counted from the first call. */
  inUseForMs(key: string, destinationID: string): number {
    return this.#inUse.ageMs(key, destinationID);
  }

  /** Returns how long the forwarding has waited for another one to take `object`, in milliseconds, counted from the first call. */
  handoverForMs(key: string, object: string): number {
    return this.#handovers.ageMs(key, object);
  }

  /** Ends the wait: the next one is counted from zero. */
  endHandover(key: string, object: string): void {
    this.#handovers.forget(key, object);
  }

  /**
   * Forgets every wait of a finished reconciliation that no longer lasts, so that the next one of the same object gets its whole time.
   * `webhooks` and `destinations` are what `cleanup` still lists.
   */
  endWaits(key: string, { webhooks, destinations }: Record<'webhooks' | 'destinations', ReadonlySet<string>>): void {
    this.#handovers.keepOnly(key, webhooks);
    this.#inUse.keepOnly(key, destinations);
  }
}
