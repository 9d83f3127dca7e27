import { createHash } from 'node:crypto';
import type { Priority } from '../../runtime/priority.ts';
import type { OnSkipped } from '../client.ts';
import type { KnownPlaces } from '../destination-hosts.ts';
import { globalRegion } from '../konnect-url.ts';
import type { LedgerClient } from '../ledger-client.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { KonnectTransport } from '../transport.ts';
import { DestinationLists } from './destination-lists.ts';
import { KonnectAccess } from './konnect-access.ts';
import { KonnectToken, type KonnectTokenOptions } from './konnect-token.ts';

export interface KonnectOptions {
  http: KonnectTransport;
  /** A valid template: see `problemWithKonnectURL`. */
  urlTemplate: string;
  /** How many tokens and how many organizations are remembered. The least recently used one is forgotten first. */
  maxTokens?: number;
  /** Returns milliseconds that never decrease. */
  nowMs?: () => number;
  /** Without limits every request is sent at once. */
  limits?: RequestLimits;
  /** Called for each page of a list that has entries without a valid ID. */
  onSkipped?: OnSkipped;
}

/** What the process knows of Konnect, by token, and what the tokens of an organization share. */
export class Konnect {
  readonly #tokens = new Map<string, KonnectToken>();
  readonly #lists = new Map<string, DestinationLists>();
  readonly #knownPlaces: KnownPlaces = new Map();
  readonly #options: Omit<Required<KonnectOptions>, 'limits' | 'onSkipped'> &
    Pick<KonnectTokenOptions, 'limits' | 'onSkipped'>;

  constructor({ maxTokens = 1_000, nowMs = () => performance.now(), limits, onSkipped, ...rest }: KonnectOptions) {
    this.#options = { ...rest, maxTokens, nowMs, limits, onSkipped };
  }

  /** Returns access with the token, for a forwarding in `region`. What the process knows of the token is shared, as long as it is remembered. */
  forToken(token: string, priority: Priority = 'new', region: string = globalRegion): KonnectAccess {
    return new KonnectAccess(this.#tokenOf(token), priority, region);
  }

  /** Returns a client for what Konnect audited, as the token sees it. */
  ledger(token: string, priority: Priority): LedgerClient {
    return this.#tokenOf(token).ledger(priority);
  }

  #tokenOf(token: string): KonnectToken {
    const tokenDigest = createHash('sha256').update(token).digest('base64');
    return this.#lastUsed(this.#tokens, tokenDigest, () => {
      const listsOf = (organizationID: string) => this.#listsOf(organizationID);
      return new KonnectToken({ ...this.#options, token, tokenDigest, listsOf, knownPlaces: this.#knownPlaces });
    });
  }

  #listsOf(organizationID: string): DestinationLists {
    return this.#lastUsed(this.#lists, organizationID, () => new DestinationLists(this.#options.nowMs));
  }

  #lastUsed<T>(known: Map<string, T>, key: string, make: () => T): T {
    const one = known.get(key) ?? make();
    known.delete(key);
    known.set(key, one);
    for (const oldest of known.keys()) {
      if (known.size <= this.#options.maxTokens) break;
      known.delete(oldest);
    }
    return one;
  }
}
