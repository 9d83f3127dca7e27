import type { Clock } from '../../runtime/clock.ts';
import { cutOff, isKonnectError, KonnectError } from '../errors.ts';
import type { KonnectAnswer, KonnectRequest } from '../transport.ts';
import { type Admission, Circuit, type Failure } from './circuit-breaker.ts';
import type { Budget } from './request-budget.ts';
import { Line, type Rank } from './wait-queue.ts';

/** `open`: all is well. `limited`: Konnect asked to wait. `failing`: Konnect does not answer, or with 5xx. */
export type GateState = 'open' | 'limited' | 'failing';

export interface GateNews {
  readonly state: GateState;
  /** What Konnect's answer was, or Node's code where none came; undefined where all is well. */
  readonly cause: number | string | undefined;
  /** Until the next request may go, in milliseconds; 0 where all is well. */
  readonly forMs: number;
}

export interface GateOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Requests under way at a time. */
  readonly mostInFlight: number;
  readonly onNews: (news: GateNews) => void;
}

const shortestClosedMs = 1_000;
const longestClosedMs = 10 * 60_000;
/** Konnect's limit on connections answers 429 without a Retry-After; other clients of Konnect wait this long. */
const firstPatienceMs = 15_000;
const longestPatienceMs = 5 * 60_000;
const longestSpreadMs = 30_000;

/** The one way to a region of Konnect for all that belongs to one organization: what one resource learns there, the others obey. */
export class Gate {
  readonly #options: GateOptions;
  readonly #circuit: Circuit;
  readonly #line = new Line();
  #inFlight = 0;
  #closedUntilMs = Number.NEGATIVE_INFINITY;
  /** Says why, as the answer that closed the gate did. */
  #closedBy: Pick<KonnectError, 'kind' | 'status'> | undefined;
  #limitedInARow = 0;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#circuit = new Circuit(options.random);
  }

  get state(): GateState {
    if (this.#circuit.isOpen) return 'failing';
    return this.#options.clock.now() < this.#closedUntilMs ? 'limited' : 'open';
  }

  /** Whether forgetting this gate would make no difference. */
  get isIdle(): boolean {
    return this.#inFlight === 0 && this.#line.isEmpty && this.#circuit.isFresh && this.state === 'open';
  }

  /**
   * Sends as soon as the budget has room and not too many are under way; at once, with the error that Konnect last gave and how long to
   * wait, while it is known to be no use. A POST waits for nothing: status tells since when a creation is under way, and that must not begin late.
   */
  async through(
    request: KonnectRequest,
    { rank, budget, send }: { rank: Rank; budget: Budget; send: () => Promise<KonnectAnswer> },
  ): Promise<KonnectAnswer> {
    const { method, operation, signal } = request;
    this.#refuseWhileClosed(request);
    if (method === 'POST') budget.overdraw();
    else if (!(await budget.take(rank, signal))) throw cutOff(operation);
    if (!(await this.#enter(rank, request))) throw cutOff(operation);
    try {
      return await this.#sent(request, budget, send);
    } finally {
      this.#inFlight -= 1;
      while (this.#inFlight < this.#options.mostInFlight && this.#line.callNext()) this.#inFlight += 1;
    }
  }

  /** Whether the caller is in flight from now on. */
  async #enter(rank: Rank, { method, signal }: KonnectRequest): Promise<boolean> {
    if (method === 'POST' || (this.#inFlight < this.#options.mostInFlight && this.#line.isEmpty)) {
      this.#inFlight += 1;
      return true;
    }
    return this.#line.wait(rank, signal);
  }

  async #sent(request: KonnectRequest, budget: Budget, send: () => Promise<KonnectAnswer>): Promise<KonnectAnswer> {
    this.#refuseWhileClosed(request);
    const { clock } = this.#options;
    const admission = this.#circuit.admit(clock.now());
    if (admission.kind === 'refused') throw this.#refused(request, admission);
    try {
      const answer = await send();
      this.#limitedInARow = 0;
      this.#answered();
      return answer;
    } catch (error) {
      if (isKonnectError(error)) throw this.#learned(error, request, admission, budget);
      if (admission.kind === 'probe') this.#circuit.probeLost();
      throw error;
    }
  }

  #learned(error: KonnectError, request: KonnectRequest, admission: Admission, budget: Budget): KonnectError {
    if (error.code === 'ABORT_ERR') {
      if (admission.kind === 'probe') this.#circuit.probeLost();
      return error;
    }
    this.#closeIfAsked(error, budget);
    const failure = failureOf(error);
    if (failure === undefined) this.#answered();
    else this.#failed(failure, request, admission);
    const forMs = this.#closedForMs();
    return forMs === undefined ? error : error.postponed(this.#spread(forMs));
  }

  #answered(): void {
    if (this.#circuit.answered()) this.#options.onNews({ state: 'open', cause: undefined, forMs: 0 });
  }

  #failed(failure: Failure, request: KonnectRequest, admission: Admission): void {
    const { clock, onNews } = this.#options;
    const opened = this.#circuit.failed({ failure, object: objectOf(request) }, admission, clock.now());
    const { status, code = failure.kind } = failure;
    if (opened) onNews({ state: 'failing', cause: status ?? code, forMs: this.#closedForMs() ?? 0 });
  }

  /** Whatever the request was about, Konnect asked the organization to wait. */
  #closeIfAsked({ kind, status, retryAfterMs }: KonnectError, budget: Budget): void {
    if (kind !== 'RateLimited' && retryAfterMs === undefined) return;
    const { clock, onNews } = this.#options;
    const now = clock.now();
    const wasOpen = now >= this.#closedUntilMs;
    // What was under way when the gate closed says nothing new.
    if (!wasOpen && retryAfterMs === undefined) return;
    const waitMs = retryAfterMs === undefined ? this.#patienceMs() : bounded(retryAfterMs);
    this.#closedUntilMs = Math.max(this.#closedUntilMs, now + waitMs);
    this.#closedBy = { kind, status };
    budget.drain();
    if (wasOpen) onNews({ state: 'limited', cause: status, forMs: waitMs });
  }

  #patienceMs(): number {
    const boundMs = Math.min(longestPatienceMs, firstPatienceMs * 2 ** this.#limitedInARow);
    this.#limitedInARow += 1;
    return (boundMs / 2) * (1 + this.#options.random());
  }

  #closedForMs(): number | undefined {
    const now = this.#options.clock.now();
    const forMs = Math.max(this.#closedUntilMs - now, this.#circuit.refusal(now)?.forMs ?? 0);
    return forMs > 0 ? forMs : undefined;
  }

  #refuseWhileClosed(request: KonnectRequest): void {
    if (request.signal.aborted) throw cutOff(request.operation);
    const now = this.#options.clock.now();
    const refusal = this.#circuit.refusal(now);
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

  /** Those who were told to wait do not all come back at once. */
  #spread(forMs: number): number {
    return Math.ceil(forMs + Math.min(longestSpreadMs, Math.max(1_000, forMs / 4)) * this.#options.random());
  }
}

function bounded(waitMs: number): number {
  return Math.min(Math.max(waitMs, shortestClosedMs), longestClosedMs);
}

/** Undefined where Konnect answered: then it is not out of order, whatever it thinks of the request. */
function failureOf({ kind, status, code }: KonnectError): Failure | undefined {
  return kind === 'ServerError' || kind === 'Unreachable' ? { kind, status, code } : undefined;
}

function objectOf({ operation, url }: KonnectRequest): string | undefined {
  return operation === 'list destinations' || operation === 'get organization' ? undefined : url.pathname;
}
