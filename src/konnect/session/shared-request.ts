/**
 * One request for everybody who asks while it is under way. Each caller has its own signal and leaves alone; the request is cut off when the
 * last of them has left, and from then on it can no longer be joined.
 */
export class SharedRequest<T> {
  readonly #abort = new AbortController();
  readonly #leaving: () => Error;
  readonly #result: Promise<T>;
  #waiting = 0;
  #settled = false;
  #value: T | undefined;

  /** `leaving` makes the error of a caller whose signal is aborted. */
  constructor(start: (signal: AbortSignal) => Promise<T>, leaving: () => Error) {
    this.#leaving = leaving;
    this.#result = this.#run(start);
    // Every caller may have left before it fails.
    this.#result.catch(() => {});
  }

  /** What it came to; undefined before that, and after a failure. */
  get value(): T | undefined {
    return this.#value;
  }

  /** True until it has settled or everybody has left. */
  get joinable(): boolean {
    return !this.#settled && !this.#abort.signal.aborted;
  }

  /** Settles as the request does, or rejects when `signal` is aborted, whichever comes first. */
  async join(signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw this.#leaving();
    this.#waiting += 1;
    const left = Promise.withResolvers<never>();
    const leave = () => {
      left.reject(this.#leaving());
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([this.#result, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      this.#waiting -= 1;
      if (this.#waiting === 0 && !this.#settled) this.#abort.abort();
    }
  }

  async #run(start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      this.#value = await start(this.#abort.signal);
      return this.#value;
    } finally {
      this.#settled = true;
    }
  }
}
