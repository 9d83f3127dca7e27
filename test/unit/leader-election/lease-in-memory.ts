import type { LeaseChange, LeaseStore, StoredLease } from '../../../src/leader-election/lease.ts';

/** A fault of one request. */
export type LeaseTrouble =
  /** Nothing is done, and the request fails. */
  | 'refused'
  /** The request is done, and its answer is lost. */
  | 'answer-lost'
  /** Nothing is done, and there is never an answer. */
  | 'swallowed';

/** A Lease with optimistic concurrency, as on the API server, for several processes. */
export class LeaseInMemory {
  lease: StoredLease | undefined;
  /** The holders in order, without renewals. `-` for no holder. */
  readonly history: string[] = [];
  /** The requests: the process and `get`, `create` or `update`. */
  readonly requests: string[] = [];
  #resourceVersion = 0;

  /** Returns the store of one process. `trouble` is called once for each request. */
  for(who: string, trouble: (request: string) => LeaseTrouble | undefined = () => undefined): LeaseStore {
    const request = async <T>(what: string, action: () => T): Promise<T> => {
      this.requests.push(`${who} ${what}`);
      const met = trouble(what);
      if (met === 'swallowed') return new Promise<never>(() => undefined);
      if (met === 'refused') throw new Error('no connection');
      const answer = action();
      if (met === 'answer-lost') throw new Error('connection reset');
      return answer;
    };
    return {
      get: () => request('get', () => this.lease),
      create: (change) =>
        request('create', () => {
          if (this.lease !== undefined) throw new Error('there is one');
          return this.put(change);
        }),
      update: ({ version }, change) =>
        request('update', () => {
          if (this.lease?.version.resourceVersion !== version.resourceVersion) throw new Error('conflict');
          return this.put(change);
        }),
    };
  }

  /** Replaces the Lease. */
  put({ holder, durationSeconds, acquireTimeMs, renewTimeMs, transitions }: LeaseChange): StoredLease {
    this.#resourceVersion += 1;
    this.lease = {
      holder,
      durationSeconds,
      transitions,
      acquireTime: new Date(acquireTimeMs).toISOString(),
      renewTime: new Date(renewTimeMs).toISOString(),
      version: { uid: 'uid', resourceVersion: String(this.#resourceVersion) },
    };
    if (this.history.at(-1) !== (holder || '-')) this.history.push(holder || '-');
    return this.lease;
  }
}
