import { isKonnectError, KonnectError, type KonnectOperation, listedButNotServedCode } from './errors.ts';
import { globalRegion } from './konnect-url.ts';
import type { AuditLogsAPI } from './schema.ts';

/** Where a request for one destination is sent. */
export interface DestinationHost {
  readonly region: string;
  readonly api: AuditLogsAPI;
}

const places = ['global', 'region v3', 'region v2'] as const;
type Place = (typeof places)[number];

/** The place that last answered for one destination, by the API version that the forwarding asks for. One for the whole process. */
export type KnownPlaces = Map<AuditLogsAPI, Place>;

export interface DestinationHostsOptions {
  /** The region of the forwarding. */
  readonly region: string;
  readonly known: KnownPlaces;
  /** Returns a list that was requested after `sinceMs`. Rejects with a KonnectError. */
  readonly list: (api: AuditLogsAPI, sinceMs: number, signal: AbortSignal) => Promise<{ has(id: string): boolean }>;
  /** Returns milliseconds that never decrease. */
  readonly nowMs: () => number;
}

export interface DestinationCall {
  readonly operation: KonnectOperation;
  readonly api: AuditLogsAPI;
  /** A UUID in lower case. */
  readonly id: string;
  readonly signal: AbortSignal;
}

/**
 * Finds the host that serves requests for one destination. Konnect documents only the hosts of regions for them, and `global` only for lists and
 * creations. One request is enough where the first host serves them.
 */
export class DestinationHosts {
  readonly #options: DestinationHostsOptions;

  constructor(options: DestinationHostsOptions) {
    this.#options = options;
  }

  /**
   * Returns what `send` returns for the first host that knows the destination. Returns undefined only if the destination is certainly gone: a host answers
   * 404, and a list that was requested afterwards lacks the destination. Rejects with a KonnectError, of the list too.
   */
  async ask<T>(call: DestinationCall, send: (host: DestinationHost) => Promise<T>): Promise<T | undefined> {
    const { api, operation } = call;
    const { known, nowMs } = this.#options;
    const sentAtMs = nowMs();
    const proved = known.get(api);
    let isListed: boolean | undefined;
    let isMissing = false;
    let failure: KonnectError | undefined;
    for (const place of inOrder(proved)) {
      try {
        const result = await send(this.#hostAt(place, api));
        known.set(api, place);
        return result;
      } catch (error) {
        if (!isUnknownThere(error)) throw error;
        failure = error;
        isMissing ||= error.kind === 'NotFound';
      }
      isListed ??= await this.#isListed(call, sentAtMs);
      // The list may be older than the destination. It counts at once only together with a host that has served destinations.
      if (!isListed && isMissing && place === proved) return undefined;
    }
    if (isListed === false && isMissing) return undefined;
    known.delete(api);
    if (isListed === false && failure !== undefined) throw failure;
    throw new KonnectError({ kind: 'UnexpectedAnswer', operation, status: 404, code: listedButNotServedCode });
  }

  #hostAt(place: Place, api: AuditLogsAPI): DestinationHost {
    const { region } = this.#options;
    switch (place) {
      case 'global':
        return { region: globalRegion, api };
      case 'region v3':
        return { region, api: 'v3' };
      case 'region v2':
        return { region, api: 'v2' };
    }
  }

  /** Returns whether a list shows the destination that was requested after the call was sent. Calls that are sent together share it. */
  async #isListed({ api, id, signal }: DestinationCall, sentAtMs: number): Promise<boolean> {
    return (await this.#options.list(api, sentAtMs, signal)).has(id);
  }
}

function inOrder(proved: Place | undefined): readonly Place[] {
  return proved === undefined ? places : [proved, ...places.filter((place) => place !== proved)];
}

/** Returns whether the host has no such destination, or no such route: 404 of Konnect or of a gateway in front of it, or 405. */
function isUnknownThere(error: unknown): error is KonnectError {
  return isKonnectError(error) && !error.isWithheld && (error.status === 404 || error.status === 405);
}
