import { abortedError, isKonnectError } from '../errors.ts';
import type { AuditLogsAPI, Destination } from '../schema.ts';
import { SharedRequest } from './shared-request.ts';

/** Requests a list of destinations from Konnect, with one token. */
export type RequestList = (api: AuditLogsAPI, signal: AbortSignal) => Promise<readonly Destination[]>;

export interface ListWanted {
  /** The greatest age of the list. 0 for a request of the caller's own. */
  readonly maxAgeMs: number;
  /** Whether the list may come from another token of the same organization, which may see more or less than this one. */
  readonly mayUseAnyToken?: boolean;
}

interface DestinationList {
  readonly startedAtMs: number;
  readonly requestList: RequestList;
  readonly request: SharedRequest<readonly Destination[]>;
}

/** The destinations of one organization. Callers share one request if they need the same list. */
export class DestinationLists {
  readonly #nowMs: () => number;
  readonly #lists = new Map<AuditLogsAPI, DestinationList>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Returns the destinations. Rejects with a KonnectError. If Konnect refuses the list to another token, requests it with this one. */
  async get(
    api: AuditLogsAPI,
    requestList: RequestList,
    { maxAgeMs, mayUseAnyToken = false }: ListWanted,
    signal: AbortSignal,
  ): Promise<readonly Destination[]> {
    const nowMs = this.#nowMs();
    const known = this.#lists.get(api);
    const isOwn = known?.requestList === requestList;
    if (known !== undefined && (isOwn || mayUseAnyToken) && nowMs - known.startedAtMs < maxAgeMs) {
      if (known.request.value !== undefined) return known.request.value;
      if (known.request.isJoinable) {
        try {
          return await known.request.join(signal);
        } catch (error) {
          if (isOwn || signal.aborted || !isKonnectError(error, 'Unauthorized', 'Forbidden', 'NotFound')) throw error;
          return this.get(api, requestList, { maxAgeMs, mayUseAnyToken }, signal);
        }
      }
    }
    if (signal.aborted) throw abortedError('list destinations');
    const request = new SharedRequest<readonly Destination[]>(
      (shared) => requestList(api, shared),
      () => abortedError('list destinations'),
    );
    this.#lists.set(api, { startedAtMs: nowMs, requestList, request });
    return request.join(signal);
  }

  /** Makes the next {@link get} request the list again. A request in flight still answers the callers that wait for it. */
  forget(): void {
    this.#lists.clear();
  }

  /** Like {@link forget}, for the lists that this token got. */
  forgetOf(requestList: RequestList): void {
    for (const [api, list] of this.#lists) if (list.requestList === requestList) this.#lists.delete(api);
  }
}
