import type { Clock } from '../../runtime/clock.ts';
import { abortedError, isKonnectError, KonnectError } from '../errors.ts';
import type { KonnectAnswer, KonnectRequest } from '../transport.ts';
import { type Admission, CircuitBreaker, type Failure } from './circuit-breaker.ts';
import type { RequestBudget } from './request-budget.ts';
import { type Rank, WaitQueue } from './wait-queue.ts';

/** `open`: requests are sent. `limited`: Konnect asked to wait. `failing`: Konnect does not answer, or answers 5xx. */
export type LimiterState = 'open' | 'limited' | 'failing';

export interface LimiterChange {
  readonly state: LimiterState;
  /** The HTTP status of the answer, or Node's error code if there was none. Undefined for `open`. */
  readonly cause: number | string | undefined;
  /** For how long no request is sent, in milliseconds. 0 for `open`. */
  readonly forMs: number;
}

export interface RequestLimiterOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The number of requests in flight at the same time. */
  readonly maxInFlight: number;
  readonly onChange: (change: LimiterChange) => void;
}

const minClosedMs = 1_000;
const maxClosedMs = 10 * 60_000;
/** The pause after a 429 without Retry-After, which Konnect's limit on connections answers. Other clients of Konnect wait as long. */
const initialPauseMs = 15_000;
const maxPauseMs = 5 * 60_000;
const maxSpreadMs = 30_000;

/** Limits the requests of one organization to one region. What one forwarding learns there holds for all forwardings. */
export class RequestLimiter {
  readonly #options: RequestLimiterOptions;
  readonly #breaker: CircuitBreaker;
  readonly #queue = new WaitQueue();
  #inFlight = 0;
  #closedUntilMs = Number.NEGATIVE_INFINITY;
  /** The answer that closed the limiter. */
  #closedBy: Pick<KonnectError, 'kind' | 'status'> | undefined;
  #limitedInARow = 0;

  constructor(options: RequestLimiterOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.random);
  }

  get state(): LimiterState {
    if (this.#breaker.isOpen) return 'failing';
    return this.#options.clock.now() < this.#closedUntilMs ? 'limited' : 'open';
  }

  /** Whether requests are in flight or wait. */
  get isBusy(): boolean {
    return this.#inFlight > 0 || !this.#queue.isEmpty;
  }

  /** Whether a new limiter would behave the same. */
  get isIdle(): boolean {
    return !this.isBusy && this.#breaker.isFresh && this.state === 'open';
  }

  /**
   * Sends the request when the budget allows it and not too many are in flight. While Konnect asks to wait or is unavailable, rejects at once with the
   * last error of Konnect and the time to wait. A POST waits for nothing: status records when a creation begins, so the request must not be sent late.
   */
  async run(
    request: KonnectRequest,
    { rank, budget, send }: { rank: Rank; budget: RequestBudget; send: () => Promise<KonnectAnswer> },
  ): Promise<KonnectAnswer> {
    const { method, operation, signal } = request;
    this.#refuseWhileClosed(request);
    if (method === 'POST') budget.overdraw();
    else if (!(await budget.take(rank, signal))) throw abortedError(operation);
    if (!(await this.#waitForPlace(rank, request))) throw abortedError(operation);
    try {
      return await this.#sendNow(request, budget, send);
    } finally {
      this.#inFlight -= 1;
      while (this.#inFlight < this.#options.maxInFlight && this.#queue.admitNext()) this.#inFlight += 1;
    }
  }

  /** Resolves to true when the request may be in flight, or to false if its signal is aborted first. */
  async #waitForPlace(rank: Rank, { method, signal }: KonnectRequest): Promise<boolean> {
    if (method === 'POST' || (this.#inFlight < this.#options.maxInFlight && this.#queue.isEmpty)) {
      this.#inFlight += 1;
      return true;
    }
    return this.#queue.wait(rank, signal);
  }

  async #sendNow(
    request: KonnectRequest,
    budget: RequestBudget,
    send: () => Promise<KonnectAnswer>,
  ): Promise<KonnectAnswer> {
    this.#refuseWhileClosed(request);
    const { clock } = this.#options;
    const admission = this.#breaker.admit(clock.now());
    if (admission.kind === 'refused') throw this.#refused(request, admission);
    try {
      const answer = await send();
      this.#limitedInARow = 0;
      this.#recordAnswer();
      return answer;
    } catch (error) {
      if (isKonnectError(error)) throw this.#recordError(error, request, admission, budget);
      if (admission.kind === 'probe') this.#breaker.abandonProbe();
      throw error;
    }
  }

  #recordError(
    error: KonnectError,
    request: KonnectRequest,
    admission: Admission,
    budget: RequestBudget,
  ): KonnectError {
    if (error.code === 'ABORT_ERR') {
      if (admission.kind === 'probe') this.#breaker.abandonProbe();
      return error;
    }
    this.#closeIfAsked(error, budget);
    const failure = failureOf(error);
    if (failure === undefined) this.#recordAnswer();
    else this.#recordFailure(failure, request, admission);
    const forMs = this.#closedForMs();
    return forMs === undefined ? error : error.withRetryAfter(this.#spread(forMs));
  }

  #recordAnswer(): void {
    if (this.#breaker.recordAnswer()) this.#options.onChange({ state: 'open', cause: undefined, forMs: 0 });
  }

  #recordFailure(failure: Failure, request: KonnectRequest, admission: Admission): void {
    const { clock, onChange } = this.#options;
    const hasOpened = this.#breaker.recordFailure({ failure, object: objectOf(request) }, admission, clock.now());
    const { status, code = failure.kind } = failure;
    if (hasOpened) onChange({ state: 'failing', cause: status ?? code, forMs: this.#closedForMs() ?? 0 });
  }

  /** Closes the limiter if Konnect asked to wait. This concerns the whole organization, whatever the request was for. */
  #closeIfAsked({ kind, status, retryAfterMs }: KonnectError, budget: RequestBudget): void {
    if (kind !== 'RateLimited' && retryAfterMs === undefined) return;
    const { clock, onChange } = this.#options;
    const now = clock.now();
    const wasOpen = now >= this.#closedUntilMs;
    // This request was in flight before the limiter closed: its answer is not news.
    if (!wasOpen && retryAfterMs === undefined) return;
    const waitMs = retryAfterMs === undefined ? this.#pauseMs() : clampedMs(retryAfterMs);
    this.#closedUntilMs = Math.max(this.#closedUntilMs, now + waitMs);
    this.#closedBy = { kind, status };
    budget.drain();
    if (wasOpen) onChange({ state: 'limited', cause: status, forMs: waitMs });
  }

  #pauseMs(): number {
    const boundMs = Math.min(maxPauseMs, initialPauseMs * 2 ** this.#limitedInARow);
    this.#limitedInARow += 1;
    return (boundMs / 2) * (1 + this.#options.random());
  }

  #closedForMs(): number | undefined {
    const now = this.#options.clock.now();
    const forMs = Math.max(this.#closedUntilMs - now, this.#breaker.refusal(now)?.forMs ?? 0);
    return forMs > 0 ? forMs : undefined;
  }

  #refuseWhileClosed(request: KonnectRequest): void {
    if (request.signal.aborted) throw abortedError(request.operation);
    const now = this.#options.clock.now();
    const refusal = this.#breaker.refusal(now);
    if (refusal !== undefined) throw this.#refused(request, refusal);
    if (now < this.#closedUntilMs && this.#closedBy !== undefined) {
      throw this.#refused(request, { failure: this.#closedBy, forMs: this.#closedUntilMs - now });
    }
  }

  #refused(
    { operation }: KonnectRequest,
    {
      failure,
      forMs,
    }: { failure: Pick<KonnectError, 'kind' | 'status'> & { code?: string | undefined }; forMs: number },
  ): KonnectError {
    return new KonnectError({ ...failure, operation, retryAfterMs: this.#spread(forMs), isWithheld: true });
  }

  /** Returns a longer wait, at random, so that not all callers come back at the same time. */
  #spread(forMs: number): number {
    return Math.ceil(forMs + Math.min(maxSpreadMs, Math.max(1_000, forMs / 4)) * this.#options.random());
  }
}

function clampedMs(waitMs: number): number {
  return Math.min(Math.max(waitMs, minClosedMs), maxClosedMs);
}

/** Returns undefined if Konnect answered: a refused request does not count as an outage. */
function failureOf({ kind, status, code }: KonnectError): Failure | undefined {
  return kind === 'ServerError' || kind === 'Unreachable' ? { kind, status, code } : undefined;
}

function objectOf({ operation, url }: KonnectRequest): string | undefined {
  return operation === 'list destinations' || operation === 'get organization' ? undefined : url.pathname;
}
