/** The last failure, with what an error needs to describe it again. */
export interface Failure {
  readonly kind: 'ServerError' | 'Unreachable';
  readonly status: number | undefined;
  readonly code: string | undefined;
}

export interface FailedRequest {
  readonly failure: Failure;
  /** The path of the object. Undefined for requests that all forwardings share. */
  readonly object: string | undefined;
}

export type Admission =
  | { readonly kind: 'allowed' }
  /** Allowed as the only request, to find out whether Konnect works again. Its result has to be recorded. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'refused'; readonly forMs: number; readonly failure: Failure };

const failuresToOpen = 5;
const initialOpenMs = 1_000;
const maxOpenMs = 30_000;

/**
 * Opens after five failures in a row, unless all of them concern the same object, because then that object may be the cause. While it is open, it
 * refuses every request. Then it allows one probe. The breaker closes if Konnect answers the probe, and otherwise stays open for longer: 1 s doubling
 * to 30 s, the upper half of that at random. All times are arguments, in milliseconds from an arbitrary start.
 */
export class CircuitBreaker {
  readonly #random: () => number;
  readonly #objects = new Set<string | undefined>();
  #failures = 0;
  #openings = 0;
  #openUntilMs = 0;
  #isProbing = false;
  #failure: Failure | undefined;

  /** `random` is uniform in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  get isOpen(): boolean {
    return this.#openings > 0;
  }

  /** Whether a new circuit breaker would behave the same. */
  get isFresh(): boolean {
    return this.#failures === 0 && !this.isOpen;
  }

  /** Returns for how long requests are refused, or undefined if one is allowed. */
  refusal(nowMs: number): { readonly forMs: number; readonly failure: Failure } | undefined {
    if (this.#failure === undefined || !this.isOpen) return undefined;
    if (nowMs < this.#openUntilMs) return { forMs: this.#openUntilMs - nowMs, failure: this.#failure };
    return this.#isProbing ? { forMs: initialOpenMs, failure: this.#failure } : undefined;
  }

  admit(nowMs: number): Admission {
    const refusal = this.refusal(nowMs);
    if (refusal !== undefined) return { kind: 'refused', ...refusal };
    if (!this.isOpen) return { kind: 'allowed' };
    this.#isProbing = true;
    return { kind: 'probe' };
  }

  /** Records that Konnect answered, even with a refusal. Returns whether that closes the breaker. */
  recordAnswer(): boolean {
    const wasOpen = this.isOpen;
    this.#failures = 0;
    this.#openings = 0;
    this.#isProbing = false;
    this.#failure = undefined;
    this.#objects.clear();
    return wasOpen;
  }

  /** Records a failure. Returns whether that opens the breaker. While it is open, only the failure of a probe counts. */
  recordFailure({ failure, object }: FailedRequest, { kind }: Pick<Admission, 'kind'>, nowMs: number): boolean {
    if (kind === 'probe' && this.isOpen) {
      this.#failure = failure;
      this.#open(nowMs);
      return false;
    }
    if (this.isOpen) return false;
    this.#failure = failure;
    this.#failures += 1;
    if (this.#objects.size < 2) this.#objects.add(object);
    const isOneObject = this.#objects.size === 1 && !this.#objects.has(undefined);
    if (this.#failures < failuresToOpen || isOneObject) return false;
    this.#open(nowMs);
    return true;
  }

  /** Records that the probe was aborted without a result. The next request is a probe then. */
  abandonProbe(): void {
    this.#isProbing = false;
  }

  #open(nowMs: number): void {
    const boundMs = Math.min(maxOpenMs, initialOpenMs * 2 ** this.#openings);
    this.#openings += 1;
    this.#isProbing = false;
    this.#openUntilMs = nowMs + (boundMs / 2) * (1 + this.#random());
  }
}
