/** What went wrong last: enough to say it again without asking. */
export interface Failure {
  readonly kind: 'ServerError' | 'Unreachable';
  readonly status: number | undefined;
  readonly code: string | undefined;
}

export interface FailedRequest {
  readonly failure: Failure;
  /** What was asked for; undefined for what all resources ask for alike. */
  readonly object: string | undefined;
}

export type Admission =
  | { readonly kind: 'go' }
  /** Alone, to see whether it works again; its end has to be told. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'refused'; readonly forMs: number; readonly failure: Failure };

const failuresToOpen = 5;
const firstOpenMs = 1_000;
const longestOpenMs = 30_000;

/**
 * Opens after five failures in a row, unless all of them were about one object, which may be what is wrong. While it is open nothing is
 * sent. Then one request is let through: its success closes the circuit, its failure opens it for longer (1 s doubling to 30 s, the upper half of
 * that at random). Knows no time but the one it is told, in milliseconds from an arbitrary start.
 */
export class Circuit {
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

  /** Whether forgetting this circuit would make no difference. */
  get isFresh(): boolean {
    return this.#failures === 0 && !this.isOpen;
  }

  /** How long nothing is to be sent; undefined where something may be. */
  refusal(nowMs: number): { readonly forMs: number; readonly failure: Failure } | undefined {
    if (this.#failure === undefined || !this.isOpen) return undefined;
    if (nowMs < this.#openUntilMs) return { forMs: this.#openUntilMs - nowMs, failure: this.#failure };
    return this.#isProbing ? { forMs: firstOpenMs, failure: this.#failure } : undefined;
  }

  admit(nowMs: number): Admission {
    const refusal = this.refusal(nowMs);
    if (refusal !== undefined) return { kind: 'refused', ...refusal };
    if (!this.isOpen) return { kind: 'go' };
    this.#isProbing = true;
    return { kind: 'probe' };
  }

  /** Konnect answered, whatever it said. True if that closes the circuit. */
  answered(): boolean {
    const wasOpen = this.isOpen;
    this.#failures = 0;
    this.#openings = 0;
    this.#isProbing = false;
    this.#failure = undefined;
    this.#objects.clear();
    return wasOpen;
  }

  /** True if that opens the circuit, which was not open before. A failure of what was sent before it opened changes nothing. */
  failed({ failure, object }: FailedRequest, { kind }: Pick<Admission, 'kind'>, nowMs: number): boolean {
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

  /** The probe was cut off before it showed anything: the next request is one. */
  probeLost(): void {
    this.#isProbing = false;
  }

  #open(nowMs: number): void {
    const boundMs = Math.min(longestOpenMs, firstOpenMs * 2 ** this.#openings);
    this.#openings += 1;
    this.#isProbing = false;
    this.#openUntilMs = nowMs + (boundMs / 2) * (1 + this.#random());
  }
}
