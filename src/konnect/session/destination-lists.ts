import { cutOff, isKonnectError } from '../errors.ts';
import type { AuditLogsAPI, Destination } from '../schema.ts';
import { SharedRequest } from './shared-request.ts';

/** Asks Konnect for a list, with one token. */
export type AskForList = (api: AuditLogsAPI, signal: AbortSignal) => Promise<readonly Destination[]>;

export interface ListWanted {
  /** The list was asked for less than so long ago; 0 for a request of the caller's own. */
  readonly maxAgeMs: number;
  /** Whether a list may be another token's of the same organization, which may see more or less than this one. */
  readonly anyToken?: boolean;
}

interface DestinationList {
  readonly startedAtMs: number;
  readonly asker: AskForList;
  readonly request: SharedRequest<readonly Destination[]>;
}

/** The destinations of one organization, listed once for all who ask alike. */
export class DestinationLists {
  readonly #nowMs: () => number;
  readonly #lists = new Map<AuditLogsAPI, DestinationList>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Rejects with a KonnectError. What another token is refused for is asked again with this one. */
  async get(
    api: AuditLogsAPI,
    asker: AskForList,
    { maxAgeMs, anyToken = false }: ListWanted,
    signal: AbortSignal,
  ): Promise<readonly Destination[]> {
    const nowMs = this.#nowMs();
    const known = this.#lists.get(api);
    const isOwn = known?.asker === asker;
    if (known !== undefined && (isOwn || anyToken) && nowMs - known.startedAtMs < maxAgeMs) {
      if (known.request.value !== undefined) return known.request.value;
      if (known.request.joinable) {
        try {
          return await known.request.join(signal);
        } catch (error) {
          if (isOwn || signal.aborted || !isKonnectError(error, 'Unauthorized', 'Forbidden', 'NotFound')) throw error;
          return this.get(api, asker, { maxAgeMs, anyToken }, signal);
        }
      }
    }
    if (signal.aborted) throw cutOff('list destinations');
    const request = new SharedRequest<readonly Destination[]>(
      (shared) => asker(api, shared),
      () => cutOff('list destinations'),
    );
    this.#lists.set(api, { startedAtMs: nowMs, asker, request });
    return request.join(signal);
  }

  /** Makes the next {@link get} ask Konnect; a request under way still answers those who wait for it, and nobody else. */
  forget(): void {
    this.#lists.clear();
  }

  /** The same for what this token was told. */
  forgetFrom(asker: AskForList): void {
    for (const [api, list] of this.#lists) if (list.asker === asker) this.#lists.delete(api);
  }
}
