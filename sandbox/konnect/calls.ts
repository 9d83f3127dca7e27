/** A request that reached the server, without secrets. */
export interface Call {
  readonly at: Date;
  readonly method: string;
  readonly region: string;
  /** Below the region's host. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Kong's operationId. Absent if no operation has this path and method. */
  readonly operation?: string;
  /** Last 4 characters of the token. */
  readonly token: string;
  /**
   * Status of the answer, even if a fault dropped the connection before the client received it. Absent if the request was not processed, or
   * is still being processed.
   */
  status?: number;
  /** Kinds of the faults that were applied. */
  readonly faults: readonly string[];
}

const maxCalls = 50_000;

export interface CallLog {
  add(call: Call): void;
  /** Returns the last 50,000 calls, in the order of arrival. */
  list(): Call[];
  clear(): void;
}

export function createCallLog(): CallLog {
  let calls: Call[] = [];
  return {
    add(call) {
      calls.push(call);
      if (calls.length > maxCalls) calls.shift();
    },
    list: () => [...calls],
    clear() {
      calls = [];
    },
  };
}
