import type { Priority } from '../../runtime/priority.ts';
import { KonnectClient } from '../client.ts';
import { cutOff, isKonnectError, type KonnectError, type KonnectOperation } from '../errors.ts';
import type { Limits } from '../limits/request-limits.ts';
import type { AuditLogsAPI, Destination, Identified } from '../schema.ts';
import type { KonnectTransport } from '../transport.ts';
import { type AskForList, DestinationLists, type ListWanted } from './destination-lists.ts';
import { SharedRequest } from './shared-request.ts';

const writesOfDestinations: ReadonlySet<KonnectOperation> = new Set([
  'create destination',
  'update destination',
  'delete destination',
]);

/** For so long a token that was refused is not asked about again by those for whom nothing has changed. */
const refusalKeptMs = 60_000;

export interface KonnectTokenOptions {
  http: KonnectTransport;
  /** A valid template, see `problemWithKonnectURL`. */
  urlTemplate: string;
  token: string;
  /** Stands for the token, and is no secret. */
  tokenDigest: string;
  /** Without them everything is sent at once. */
  limits: Limits | undefined;
  /** Only ever grows; it need not be the time of day. */
  nowMs: () => number;
  /** The lists that all tokens of an organization share. */
  listsOf: (organizationID: string) => DestinationLists;
}

/** What is known of one token, and shared by all who use it. */
export class KonnectToken {
  readonly #options: KonnectTokenOptions;
  readonly #first: KonnectClient;
  readonly #ask: AskForList = (api, signal) => this.#first.listDestinations(api, signal);
  #lists: DestinationLists;
  #organization: SharedRequest<Identified> | undefined;
  #refused: { readonly error: KonnectError; readonly atMs: number } | undefined;

  constructor(options: KonnectTokenOptions) {
    this.#options = options;
    // Many may wait for what is shared, some of them for something new.
    this.#first = this.client('new');
    this.#lists = new DestinationLists(options.nowMs);
  }

  /** For everything that is not shared. Its writes of destinations invalidate the shared list. */
  client(priority: Priority): KonnectClient {
    const { urlTemplate, token } = this.#options;
    return new KonnectClient({ urlTemplate, token, http: this.#transport(priority) });
  }

  async organization(priority: Priority, signal: AbortSignal): Promise<Identified> {
    const known = this.#organization;
    if (known?.value !== undefined) return known.value;
    if (known?.joinable === true) return known.join(signal);
    if (signal.aborted) throw cutOff('get organization');
    const { nowMs } = this.#options;
    const refused = this.#refused;
    if (priority === 'resync' && refused !== undefined && nowMs() - refused.atMs < refusalKeptMs) throw refused.error;
    this.#organization = new SharedRequest(
      (shared) => this.#introduce(shared),
      () => cutOff('get organization'),
    );
    return this.#organization.join(signal);
  }

  destinations(api: AuditLogsAPI, wanted: ListWanted, signal: AbortSignal): Promise<readonly Destination[]> {
    return this.#lists.get(api, this.#ask, wanted, signal);
  }

  async #introduce(signal: AbortSignal): Promise<Identified> {
    const { nowMs, listsOf } = this.#options;
    try {
      const organization = await this.#first.organization(signal);
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
        const writes = writesOfDestinations.has(request.operation);
        if (writes) this.#lists.forget();
        try {
          return await (limits === undefined ? http.send(request) : limits.send(http, request, { account, priority }));
        } catch (error) {
          if (isKonnectError(error, 'Unauthorized')) {
            this.#organization = undefined;
            this.#lists.forgetFrom(this.#ask);
          }
          throw error;
        } finally {
          if (writes) this.#lists.forget();
        }
      },
    };
  }
}
