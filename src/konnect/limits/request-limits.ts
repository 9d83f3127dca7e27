import type { Clock } from '../../runtime/clock.ts';
import type { Priority } from '../../runtime/priority.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from '../transport.ts';
import { RequestBudget } from './request-budget.ts';
import { type LimiterChange, type LimiterState, RequestLimiter } from './request-limiter.ts';
import type { Rank } from './wait-queue.ts';

export interface RequestLimitsOptions {
  /** The average number of requests a second, for each organization and region. */
  readonly qps: number;
  /** The number of requests at once after a pause, for each organization and region. */
  readonly burst: number;
  /** The number of requests in flight at the same time, for each organization and region. */
  readonly maxInFlight?: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Called when a limiter closes or opens again. `organizationID` is undefined for a token whose organization is unknown. */
  readonly onChange?: (organizationID: string | undefined, region: string, change: LimiterChange) => void;
  /** Called for each request that is sent, with the time that it waited before. */
  readonly onWaited?: (rank: Rank, waitedMs: number) => void;
  /** Called for each request that is not sent because its limiter is closed. */
  readonly onWithheld?: (state: LimiterState) => void;
}

/** The token that a request is sent with, and its organization. */
export interface Account {
  /** Undefined until the organization of the token is known. */
  readonly organizationID: string | undefined;
  /** Identifies the token, and is not secret. */
  readonly tokenDigest: string;
}

interface Route {
  readonly organizationID: string | undefined;
  readonly region: string;
  readonly limiter: RequestLimiter;
  readonly budget: RequestBudget;
}

const maxIdleRoutes = 256;

/**
 * Limits the requests to Konnect, separately for each organization and region. The requests of a token count for its organization as soon as that is
 * known. One more budget covers the requests for the organization of a token, for all tokens together.
 */
export class RequestLimits {
  readonly #options: Required<RequestLimitsOptions>;
  readonly #routes = new Map<string, Route>();
  readonly #identityBudget: RequestBudget;

  constructor({
    maxInFlight = 8,
    onChange = ignore,
    onWaited = ignore,
    onWithheld = ignore,
    ...options
  }: RequestLimitsOptions) {
    this.#options = { maxInFlight, onChange, onWaited, onWithheld, ...options };
    this.#identityBudget = new RequestBudget(options);
  }

  /** Sends the request through `http` when the limits allow it. Rejects as `http` does, or with the last error of Konnect while the limiter is closed. */
  async send(
    http: KonnectTransport,
    request: KonnectRequest,
    { account, priority }: { account: Account; priority: Priority },
  ): Promise<KonnectAnswer> {
    const { clock, onWaited, onWithheld } = this.#options;
    const route = this.#route(account, request.region);
    const rank: Rank = request.method === 'GET' ? priority : 'write';
    const budget = request.operation === 'get organization' ? this.#identityBudget : route.budget;
    const askedMs = clock.now();
    let isSent = false;
    const send = () => {
      isSent = true;
      const waitedMs = clock.now() - askedMs;
      onWaited(rank, waitedMs);
      return http.send(request);
    };
    try {
      return await route.limiter.run(request, { rank, budget, send });
    } finally {
      if (!isSent && !request.signal.aborted) onWithheld(route.limiter.state);
    }
  }

  /** Returns how many organizations are in each state, for each region. */
  countByState(): { region: string; state: LimiterState; count: number }[] {
    const counts = new Map<string, { region: string; state: LimiterState; count: number }>();
    for (const { region, limiter } of this.#routes.values()) {
      const key = `${region} ${limiter.state}`;
      const entry = counts.get(key) ?? { region, state: limiter.state, count: 0 };
      counts.set(key, { ...entry, count: entry.count + 1 });
    }
    return [...counts.values()];
  }

  #route({ organizationID, tokenDigest }: Account, region: string): Route {
    const key = `${organizationID ?? tokenDigest} ${region}`;
    const known = this.#routes.get(key);
    if (known !== undefined) return known;
    if (this.#routes.size >= maxIdleRoutes) this.#forgetIdle();
    const { onChange, maxInFlight, clock, random } = this.#options;
    const limiter = new RequestLimiter({
      maxInFlight,
      clock,
      random,
      onChange: (news) => onChange(organizationID, region, news),
    });
    const made = { organizationID, region, limiter, budget: new RequestBudget(this.#options) };
    this.#routes.set(key, made);
    return made;
  }

  #forgetIdle(): void {
    for (const [key, { limiter, budget }] of this.#routes)
      if (limiter.isIdle && budget.isFull) this.#routes.delete(key);
  }
}

function ignore(): void {}
