import { KonnectClient } from './client.ts';
import { isKonnectError, KonnectError, type KonnectOperation } from './errors.ts';
import type { AuditLogsAPI, Destination, Identified } from './schema.ts';
import { SharedRequest } from './shared-request.ts';
import type { KonnectTransport } from './transport.ts';

const writesOfDestinations: ReadonlySet<KonnectOperation> = new Set([
  'create destination',
  'update destination',
  'delete destination',
]);

interface DestinationList {
  startedAtMs: number;
  request: SharedRequest<readonly Destination[]>;
}

/** Konnect as one token sees it: what many forwardings ask alike is asked once. */
export class KonnectAccess {
  /** For everything that is not shared. Its writes of destinations invalidate the shared list. */
  readonly client: KonnectClient;
  readonly #nowMs: () => number;
  readonly #lists = new Map<AuditLogsAPI, DestinationList>();
  #organization: SharedRequest<Identified> | undefined;

  /** `nowMs` only ever grows; it need not be the time of day. */
  constructor(options: { http: KonnectTransport; urlTemplate: string; token: string; nowMs: () => number }) {
    this.#nowMs = options.nowMs;
    this.client = new KonnectClient({ ...options, http: this.#watched(options.http) });
  }

  /**
   * Whose token this is: asked once, by however many callers, and then remembered until Konnect answers 401 to this token. A failure is not
   * remembered. Rejects with a KonnectError.
   */
  async organization(signal: AbortSignal): Promise<Identified> {
    const known = this.#organization;
    if (known?.value !== undefined) return known.value;
    if (known?.joinable === true) return known.join(signal);
    if (signal.aborted) throw cutOff('get organization');
    this.#organization = new SharedRequest(
      (shared) => this.client.organization(shared),
      () => cutOff('get organization'),
    );
    return this.#organization.join(signal);
  }

  /**
   * The organisation's destinations, in a list that was asked for less than `maxAgeMs` ago (0: a request of the caller's own) and after the
   * last write of a destination with this token. Rejects with a KonnectError.
   */
  async destinations(
    api: AuditLogsAPI,
    { maxAgeMs }: { maxAgeMs: number },
    signal: AbortSignal,
  ): Promise<readonly Destination[]> {
    const nowMs = this.#nowMs();
    const known = this.#lists.get(api);
    if (known !== undefined && nowMs - known.startedAtMs < maxAgeMs) {
      if (known.request.value !== undefined) return known.request.value;
      if (known.request.joinable) return known.request.join(signal);
    }
    if (signal.aborted) throw cutOff('list destinations');
    const request = new SharedRequest<readonly Destination[]>(
      (shared) => this.client.listDestinations(api, shared),
      () => cutOff('list destinations'),
    );
    this.#lists.set(api, { startedAtMs: nowMs, request });
    return request.join(signal);
  }

  /** Makes the next {@link destinations} ask Konnect; a request under way still answers those who wait for it, and nobody else. */
  invalidateDestinations(): void {
    this.#lists.clear();
  }

  #watched(http: KonnectTransport): KonnectTransport {
    return {
      send: async (request) => {
        const writes = writesOfDestinations.has(request.operation);
        if (writes) this.invalidateDestinations();
        try {
          return await http.send(request);
        } catch (error) {
          if (isKonnectError(error, 'Unauthorized')) {
            this.#organization = undefined;
            this.invalidateDestinations();
          }
          throw error;
        } finally {
          if (writes) this.invalidateDestinations();
        }
      },
    };
  }
}

function cutOff(operation: KonnectOperation): KonnectError {
  return new KonnectError({ kind: 'Unreachable', operation, code: 'ABORT_ERR' });
}
