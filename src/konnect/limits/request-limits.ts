import type { Clock } from '../../runtime/clock.ts';
import type { Priority } from '../../runtime/priority.ts';
import type { RateLimit } from '../rate-limit.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from '../transport.ts';
import { RequestBudget } from './request-budget.ts';
import { type LimiterChange, type LimiterState, RequestLimiter } from './request-limiter.ts';
import type { Rank } from './wait-queue.ts';

/**
 * How many requests may be in flight for each reconciliation that runs at the same time. A reconciliation reads its destination and its webhooks at once,
 * and most have a few webhooks. While it writes to Kubernetes, it sends none, and others can use its share.
 */
export const requestsPerReconciliation = 4;

export interface RequestLimitsOptions {
  /** The average number of requests a second, for each organization and region. */
  readonly qps: number;
  /** The number of requests at once after a pause, for each organization and region. */
  readonly burst: number;
  /** The number of requests in flight at the same time, for each organization and region. */
  readonly maxInFlight: number;
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
  usedAtMs: number;
  /** The last one that Konnect stated, and when. */
  rateLimit?: RateLimit & { readonly atMs: number };
}

/** The organizations of one region whose limiters are in one state. */
export interface OrganizationCount {
  readonly region: string;
  readonly state: LimiterState;
  readonly count: number;
}

/** How near an organization is to its limits in one region. */
export interface LimitReading {
  readonly organization: string;
  readonly region: string;
  /** How many requests the budget would send at once. */
  readonly budget: number;
  /** Konnect's own limit, if an answer of the last five minutes stated it. */
  readonly rateLimit: RateLimit | undefined;
}

const maxRateLimitAgeMs = 5 * 60_000;
const maxIdleRoutes = 256;
/** Longer than Konnect can ask to wait, and than the longest delay between two attempts of a forwarding. */
const maxUnusedMs = 15 * 60_000;
/** More than Konnect has. Users can write any region into spec, and each one would be a series of a metric. */
const maxCountedRegions = 20;

/**
 * Limits the requests to Konnect, separately for each organization and region. The requests of a token count for its organization as soon as that is
 * known. One more budget covers the requests for the organization of a token, for all tokens together.
 */
export class RequestLimits {
  readonly #options: Required<RequestLimitsOptions>;
  readonly #routes = new Map<string, Route>();
  readonly #identityBudget: RequestBudget;

  constructor({ onChange = ignore, onWaited = ignore, onWithheld = ignore, ...options }: RequestLimitsOptions) {
    this.#options = { onChange, onWaited, onWithheld, ...options };
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
    const onRateLimit = (limit: RateLimit) => {
      route.rateLimit = { ...limit, atMs: clock.now() };
    };
    let isSent = false;
    const send = () => {
      isSent = true;
      const waitedMs = clock.now() - askedMs;
      onWaited(rank, waitedMs);
      return http.send({ ...request, onRateLimit });
    };
    try {
      return await route.limiter.run(request, { rank, budget, send });
    } finally {
      if (!isSent && !request.signal.aborted) onWithheld(route.limiter.state);
    }
  }

  /**
   * Returns how many organizations are in each state, for each region. Counts the regions beyond the twenty with the most organizations as the region
   * `other`.
   */
  countByState(): OrganizationCount[] {
    this.#forgetUnused();
    const routes = [...this.#routes.values()];
    const sizes = counted(routes.map(({ region }) => region)).toSorted(([, a], [, b]) => b - a);
    const regions = new Set(sizes.slice(0, maxCountedRegions).map(([region]) => region));
    const states: readonly LimiterState[] = ['open', 'limited', 'failing'];
    return states.flatMap((state) => {
      const inState = routes.filter(({ limiter }) => limiter.state === state);
      const named = inState.map(({ region }) => (regions.has(region) ? region : 'other'));
      return counted(named).map(([region, count]) => ({ region, state, count }));
    });
  }

  /** Returns a reading for each organization and region with recent requests. A token of an unknown organization has none. */
  readings(): LimitReading[] {
    this.#forgetUnused();
    const sinceMs = this.#options.clock.now() - maxRateLimitAgeMs;
    return [...this.#routes.values()].flatMap(({ organizationID: organization, region, budget, rateLimit }) => {
      if (organization === undefined) return [];
      const isRecent = rateLimit !== undefined && rateLimit.atMs >= sinceMs;
      return [{ organization, region, budget: budget.available, rateLimit: isRecent ? rateLimit : undefined }];
    });
  }

  #route({ organizationID, tokenDigest }: Account, region: string): Route {
    const key = `${organizationID ?? tokenDigest} ${region}`;
    const { onChange, maxInFlight, clock, random } = this.#options;
    const usedAtMs = clock.now();
    const known = this.#routes.get(key);
    if (known !== undefined) {
      known.usedAtMs = usedAtMs;
      return known;
    }
    if (this.#routes.size >= maxIdleRoutes) {
      this.#forgetUnused();
      this.#forgetIdle();
    }
    const limiter = new RequestLimiter({
      maxInFlight,
      clock,
      random,
      onChange: (news) => onChange(organizationID, region, news),
    });
    const made = { organizationID, region, limiter, budget: new RequestBudget(this.#options), usedAtMs };
    this.#routes.set(key, made);
    return made;
  }

  /** Forgets the routes that no forwarding uses any more, also if Konnect never answered on them. */
  #forgetUnused(): void {
    const sinceMs = this.#options.clock.now() - maxUnusedMs;
    for (const [key, { limiter, budget, usedAtMs }] of this.#routes)
      if (usedAtMs < sinceMs && !limiter.isBusy && budget.isFull) this.#routes.delete(key);
  }

  #forgetIdle(): void {
    for (const [key, { limiter, budget }] of this.#routes)
      if (limiter.isIdle && budget.isFull) this.#routes.delete(key);
  }
}

function counted(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts];
}

function ignore(): void {}
