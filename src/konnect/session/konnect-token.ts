import type { Priority } from '../../runtime/priority.ts';
import { KonnectClient, type OnSkipped } from '../client.ts';
import { DestinationHosts, type KnownPlaces } from '../destination-hosts.ts';
import { pageSize } from '../destination-pages.ts';
import { abortedError, isKonnectError, type KonnectError, type KonnectOperation } from '../errors.ts';
import { globalRegion } from '../konnect-url.ts';
import { LedgerClient } from '../ledger-client.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { AuditLogsAPI, Identified } from '../schema.ts';
import type { KonnectRequest, KonnectTransport } from '../transport.ts';
import { DestinationLists, type ListWanted, type RequestList } from './destination-lists.ts';
import type { ListedDestinations } from './listed-destinations.ts';
import { SharedRequest } from './shared-request.ts';

const destinationWrites: ReadonlySet<KonnectOperation> = new Set([
  'create destination',
  'update destination',
  'delete destination',
]);

/** After how many requests of their own callers get a list, if it has fewer pages. */
const minUnlisted = 10;

/** How long resyncs get the remembered refusal of a token, without another request. */
const refusalKeptMs = 60_000;

export interface KonnectTokenOptions {
  http: KonnectTransport;
  /** A valid template: see `problemWithKonnectURL`. */
  urlTemplate: string;
  token: string;
  /** Identifies the token, and is not secret. */
  tokenDigest: string;
  /** Without limits every request is sent at once. */
  limits: RequestLimits | undefined;
  onSkipped: OnSkipped | undefined;
  /** Returns milliseconds that never decrease. */
  nowMs: () => number;
  /** Shared by all tokens: which host serves single destinations does not depend on the token. */
  knownPlaces: KnownPlaces;
  /** Returns the lists that all tokens of an organization share. */
  listsOf: (organizationID: string) => DestinationLists;
}

/** What the process knows of one token. All forwardings with that token share it. */
export class KonnectToken {
  readonly #options: KonnectTokenOptions;
  readonly #sharedClient: KonnectClient;
  readonly #requestList: RequestList = (api, signal) => this.#sharedClient.listDestinations(api, signal);
  #lists: DestinationLists;
  #organization: SharedRequest<Identified> | undefined;
  /** How often {@link destinationsIfMany} has returned undefined since it last requested a list. */
  #unlisted = 0;
  #refused: { readonly error: KonnectError; readonly atMs: number } | undefined;

  constructor(options: KonnectTokenOptions) {
    this.#options = options;
    // Many callers may wait for a shared request, and some of them may be new.
    this.#sharedClient = this.client('new', globalRegion);
    this.#lists = new DestinationLists(options.nowMs);
  }

  /** Returns a client for all requests that are not shared, for a forwarding in `region`. The shared lists no longer show the destinations that it writes. */
  client(priority: Priority, region: string): KonnectClient {
    const { urlTemplate, token, onSkipped, nowMs, knownPlaces } = this.#options;
    const destinationHosts = new DestinationHosts({
      region,
      known: knownPlaces,
      nowMs,
      list: (api, sinceMs, signal) => this.destinations(api, { sinceMs }, signal),
    });
    return new KonnectClient({ urlTemplate, token, destinationHosts, onSkipped, http: this.#transport(priority) });
  }

  /** Returns a client for what Konnect audited. */
  ledger(priority: Priority): LedgerClient {
    const { urlTemplate, token } = this.#options;
    return new LedgerClient({ urlTemplate, token, http: this.#transport(priority) });
  }

  async organization(priority: Priority, signal: AbortSignal): Promise<Identified> {
    const known = this.#organization;
    if (known?.value !== undefined) return known.value;
    if (known?.isJoinable === true) return known.join(signal);
    if (signal.aborted) throw abortedError('get organization');
    const { nowMs } = this.#options;
    const refused = this.#refused;
    if (priority === 'resync' && refused !== undefined && nowMs() - refused.atMs < refusalKeptMs) throw refused.error;
    this.#organization = new SharedRequest(
      (shared) => this.#requestOrganization(shared),
      () => abortedError('get organization'),
    );
    return this.#organization.join(signal);
  }

  destinations(api: AuditLogsAPI, wanted: ListWanted, signal: AbortSignal): Promise<ListedDestinations> {
    return this.#lists.get(api, this.#requestList, wanted, signal);
  }

  async destinationsIfMany(
    api: AuditLogsAPI,
    wanted: ListWanted,
    signal: AbortSignal,
  ): Promise<ListedDestinations | undefined> {
    if (!this.#lists.has(api, this.#requestList, wanted)) {
      this.#unlisted += 1;
      if (this.#unlisted <= Math.max(minUnlisted, this.#lists.size(api) / pageSize)) return undefined;
      this.#unlisted = 0;
    }
    return this.destinations(api, wanted, signal);
  }

  async #requestOrganization(signal: AbortSignal): Promise<Identified> {
    const { nowMs, listsOf } = this.#options;
    try {
      const organization = await this.#sharedClient.organization(signal);
      this.#refused = undefined;
      this.#lists = listsOf(organization.id);
      return organization;
    } catch (error) {
      if (isKonnectError(error, 'Unauthorized', 'Forbidden', 'NotFound')) this.#refused = { error, atMs: nowMs() };
      throw error;
    }
  }

  #transport(priority: Priority): KonnectTransport {
    const { http, limits, tokenDigest } = this.#options;
    return {
      send: async (request) => {
        const account = { organizationID: this.#organization?.value?.id, tokenDigest };
        const written = writtenKeys(request);
        this.#lists.onWrite(written);
        try {
          return await (limits === undefined ? http.send(request) : limits.send(http, request, { account, priority }));
        } catch (error) {
          if (isKonnectError(error, 'Unauthorized')) {
            this.#organization = undefined;
            this.#lists.forgetOf(this.#requestList);
          }
          throw error;
        } finally {
          this.#lists.onWrite(written);
        }
      },
    };
  }
}

/** Returns what the request may change in a list of destinations: an ID, a name, or both. */
function writtenKeys({ operation, url, body }: KonnectRequest): readonly string[] {
  if (!destinationWrites.has(operation)) return [];
  const id = operation === 'create destination' ? undefined : url.pathname.split('/').at(-1);
  const name = body !== undefined && 'name' in body ? body.name : undefined;
  return [id, name].filter((key) => typeof key === 'string');
}
