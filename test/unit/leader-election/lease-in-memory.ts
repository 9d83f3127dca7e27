import type { LeaseChange, LeaseStore, StoredLease } from '../../../src/leader-election/lease.ts';

/** What happens to one request, however it is meant. */
export type LeaseTrouble =
  /** Nothing is done, and that is said. */
  | 'refused'
  /** It is done, and the answer is lost. */
  | 'answer-lost'
  /** No answer ever, and nothing is done. */
  | 'swallowed';

/** A Lease as the API server keeps one, with optimistic concurrency, for several processes. */
export class LeaseInMemory {
  lease: StoredLease | undefined;
  /** Who held it, in order, without renewals; `-` for nobody. */
  readonly history: string[] = [];
  /** `get`, `create` and `update`, with who asked. */
  readonly requests: string[] = [];
  #resourceVersion = 0;

  /** The way of one process to it. `trouble` is asked once for each request. */
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

  /** Whatever stood there before. */
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
