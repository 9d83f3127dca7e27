import { createHash } from 'node:crypto';
import { KonnectAccess } from './access.ts';
import type { KonnectTransport } from './transport.ts';

export interface KonnectOptions {
  http: KonnectTransport;
  /** A valid template, see `problemWithKonnectURL`. */
  urlTemplate: string;
  /** How many tokens are remembered; the one that was not asked for longest goes first. */
  mostTokens?: number;
  /** Only ever grows; milliseconds. */
  nowMs?: () => number;
}

/** The process's view of Konnect, one {@link KonnectAccess} per token. */
export class Konnect {
  readonly #accesses = new Map<string, KonnectAccess>();
  readonly #options: Required<KonnectOptions>;

  constructor({ http, urlTemplate, mostTokens = 1_000, nowMs = () => performance.now() }: KonnectOptions) {
    this.#options = { http, urlTemplate, mostTokens, nowMs };
  }

  /** The same access for the same token, as long as it is among those last asked for. */
  forToken(token: string): KonnectAccess {
    const key = createHash('sha256').update(token).digest('base64');
    const access = this.#accesses.get(key) ?? new KonnectAccess({ ...this.#options, token });
    this.#accesses.delete(key);
    this.#accesses.set(key, access);
    for (const oldest of this.#accesses.keys()) {
      if (this.#accesses.size <= this.#options.mostTokens) break;
      this.#accesses.delete(oldest);
    }
    return access;
  }
}
