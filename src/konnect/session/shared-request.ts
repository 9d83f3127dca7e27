/**
 * One request that all callers share while it is in flight. Each caller has its own signal and stops waiting on its own. When no caller is left, the
 * request is aborted, and from then on it cannot be joined.
 */
export class SharedRequest<T> {
  readonly #abort = new AbortController();
  readonly #leaveError: () => Error;
  readonly #result: Promise<T>;
  #waiting = 0;
  #isFinished = false;
  #value: T | undefined;

  /** `leaveError` returns the error for a caller whose signal is aborted. */
  constructor(start: (signal: AbortSignal) => Promise<T>, leaveError: () => Error) {
    this.#leaveError = leaveError;
    this.#result = this.#run(start);
    // It may fail when no caller is left.
    this.#result.catch(() => {});
  }

  /** The result. Undefined before the request has ended, and if it has failed. */
  get value(): T | undefined {
    return this.#value;
  }

  /** True until the request has ended or no caller is left. */
  get isJoinable(): boolean {
    return !this.#isFinished && !this.#abort.signal.aborted;
  }

  /** Settles as the request does. Rejects when `signal` is aborted first. */
  async join(signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw this.#leaveError();
    this.#waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => {
      left.reject(this.#leaveError());
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([this.#result, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#isFinished) this.#abort.abort();
    }
  }

  async #run(start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      this.#value = await start(this.#abort.signal);
      return this.#value;
    } finally {
      this.#isFinished = true;
    }
  }
}
