import type { Priority } from '../../runtime/priority.ts';
import type { KonnectClient } from '../client.ts';
import type { AuditLogsAPI, Destination, Identified } from '../schema.ts';
import type { ListWanted } from './destination-lists.ts';
import type { KonnectToken } from './konnect-token.ts';

/** Konnect as one token sees it, for work of one priority: what many forwardings ask alike is asked once. */
export class KonnectAccess {
  /** For everything that is not shared. Its writes of destinations invalidate the shared list. */
  readonly client: KonnectClient;
  readonly #token: KonnectToken;
  readonly #priority: Priority;

  constructor(token: KonnectToken, priority: Priority) {
    this.client = token.client(priority);
    this.#token = token;
    this.#priority = priority;
  }

  /**
   * Whose token this is: asked once, by however many callers, and then remembered until Konnect answers 401 to this token. A refusal is
   * remembered for a minute, for resyncs; no other failure is. Rejects with a KonnectError.
   */
  organization(signal: AbortSignal): Promise<Identified> {
    return this.#token.organization(this.#priority, signal);
  }

  /** The organization's destinations, in a list that was asked for after the last write of one through this process. Rejects with a KonnectError. */
  destinations(api: AuditLogsAPI, wanted: ListWanted, signal: AbortSignal): Promise<readonly Destination[]> {
    return this.#token.destinations(api, wanted, signal);
  }
}
