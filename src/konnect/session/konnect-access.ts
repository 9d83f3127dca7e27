import type { Priority } from '../../runtime/priority.ts';
import type { KonnectClient } from '../client.ts';
import type { AuditLogsAPI, Identified } from '../schema.ts';
import type { ListWanted } from './destination-lists.ts';
import type { KonnectToken } from './konnect-token.ts';
import type { ListedDestinations } from './listed-destinations.ts';

/** Konnect as one token sees it, for work of one priority in one region. Forwardings share the requests that they have in common. */
export class KonnectAccess {
  /** The client for all requests that are not shared. The shared lists no longer show the destinations that it writes. */
  readonly client: KonnectClient;
  readonly #token: KonnectToken;
  readonly #priority: Priority;

  constructor(token: KonnectToken, priority: Priority, region: string) {
    this.client = token.client(priority, region);
    this.#token = token;
    this.#priority = priority;
  }

  /**
   * Returns the organization of the token. It is requested once for all callers, and remembered until Konnect answers this token with 401. Resyncs get a
   * refusal again for one minute. Other failures are not remembered. Rejects with a KonnectError.
   */
  organization(signal: AbortSignal): Promise<Identified> {
    return this.#token.organization(this.#priority, signal);
  }

  /** Returns the destinations of the organization. Rejects with a KonnectError. */
  destinations(api: AuditLogsAPI, wanted: ListWanted, signal: AbortSignal): Promise<ListedDestinations> {
    return this.#token.destinations(api, wanted, signal);
  }

  /**
   * Returns a list like {@link destinations}, or undefined: the caller sends a request of its own. A new list is requested only after at least as many
   * such requests with this token as the list has pages, so that together they cost at most twice as much as without lists. Rejects with a KonnectError.
   */
  destinationsIfMany(
    api: AuditLogsAPI,
    wanted: ListWanted,
    signal: AbortSignal,
  ): Promise<ListedDestinations | undefined> {
    return this.#token.destinationsIfMany(api, wanted, signal);
  }
}
