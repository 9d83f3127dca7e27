/** One request that reached the server, without anything secret. */
export interface Call {
  readonly at: Date;
  readonly method: string;
  readonly region: string;
  /** Below the region's host. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Kong's operationId; absent where no operation has this path and method. */
  readonly operation?: string;
  /** The last 4 characters. */
  readonly token: string;
  /** Of the answer; where the connection was dropped after the deed, of the answer that was lost; absent where nothing was done or all is still under way. */
  status?: number;
  /** The kinds of the faults that it met. */
  readonly faults: readonly string[];
}

const callsKept = 50_000;

export interface CallLog {
  add(call: Call): void;
  /** In the order in which they came, the last 50,000. */
  list(): Call[];
  clear(): void;
}

export function createCallLog(): CallLog {
  let calls: Call[] = [];
  return {
    add(call) {
      calls.push(call);
      if (calls.length > callsKept) calls.shift();
    },
    list: () => [...calls],
    clear() {
      calls = [];
    },
  };
}
