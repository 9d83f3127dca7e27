import { abortedError, isKonnectError } from '../errors.ts';
import type { AuditLogsAPI, Destination } from '../schema.ts';
import { ListedDestinations } from './listed-destinations.ts';
import { SharedRequest } from './shared-request.ts';

/** Requests a list of destinations from Konnect, with one token. */
export type RequestList = (api: AuditLogsAPI, signal: AbortSignal) => Promise<readonly Destination[]>;

export interface ListWanted {
  /** The list was requested after this time, on the clock of the process. Infinity for a request of the caller's own. */
  readonly sinceMs: number;
  /** Whether the list may come from another token of the same organization, which may see more or less than this one. */
  readonly mayUseAnyToken?: boolean;
}

interface DestinationList {
  readonly api: AuditLogsAPI;
  readonly requestList: RequestList;
  readonly startedAtMs: number;
  readonly request: SharedRequest<ListedDestinations>;
  /** The IDs and names that this process has written since. */
  readonly written: Set<string>;
}

/** The number of lists that are kept, of all tokens. */
const maxLists = 8;

/** The destinations of one organization. Callers share one request if they need the same list. */
export class DestinationLists {
  readonly #nowMs: () => number;
  /** At most one for each token and API version, the latest last. */
  #lists: readonly DestinationList[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Returns the destinations. Rejects with a KonnectError. If Konnect refuses the list to another token, requests it with this one. */
  async get(
    api: AuditLogsAPI,
    requestList: RequestList,
    wanted: ListWanted,
    signal: AbortSignal,
  ): Promise<ListedDestinations> {
    const known = this.#find(api, requestList, wanted);
    if (known?.request.value !== undefined) return known.request.value;
    if (known !== undefined) {
      try {
        return await known.request.join(signal);
      } catch (error) {
        const isOwn = known.requestList === requestList;
        if (isOwn || signal.aborted || !isKonnectError(error, 'Unauthorized', 'Forbidden', 'NotFound')) throw error;
        return this.get(api, requestList, wanted, signal);
      }
    }
    if (signal.aborted) throw abortedError('list destinations');
    return this.#sharedRequest(api, requestList).join(signal);
  }

  /** Returns true if {@link get} needs no new request. */
  has(api: AuditLogsAPI, requestList: RequestList, wanted: ListWanted): boolean {
    return this.#find(api, requestList, wanted) !== undefined;
  }

  /** Returns the number of destinations in the last list, or 0 without a list. */
  size(api: AuditLogsAPI): number {
    return this.#lists.findLast((one) => one.api === api && one.request.value !== undefined)?.request.value?.size ?? 0;
  }

  /** Has to be called before and after each write of a destination, with its ID and name: the lists no longer show what they are. */
  onWrite(keys: readonly string[]): void {
    for (const { written } of this.#lists) for (const key of keys) written.add(key);
  }

  /** Forgets the lists that this token got. A request in flight still answers the callers that wait for it. */
  forgetOf(requestList: RequestList): void {
    this.#lists = this.#lists.filter((one) => one.requestList !== requestList);
  }

  #find(
    api: AuditLogsAPI,
    requestList: RequestList,
    { sinceMs, mayUseAnyToken = false }: ListWanted,
  ): DestinationList | undefined {
    return this.#lists.findLast(
      (one) =>
        one.api === api &&
        one.startedAtMs > sinceMs &&
        (mayUseAnyToken || one.requestList === requestList) &&
        (one.request.value !== undefined || one.request.isJoinable),
    );
  }

  #sharedRequest(api: AuditLogsAPI, requestList: RequestList): SharedRequest<ListedDestinations> {
    const written = new Set<string>();
    const request = new SharedRequest(
      async (shared) => new ListedDestinations(await requestList(api, shared), written),
      () => abortedError('list destinations'),
    );
    const others = this.#lists.filter((one) => one.api !== api || one.requestList !== requestList);
    const list = { api, requestList, startedAtMs: this.#nowMs(), request, written };
    this.#lists = [...others, list].slice(-maxLists);
    return request;
  }
}
