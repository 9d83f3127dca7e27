import type { Clock } from '../../runtime/clock.ts';
import type { Priority } from '../../runtime/priority.ts';
import type { KonnectAnswer, KonnectRequest, KonnectTransport } from '../transport.ts';
import { Budget } from './request-budget.ts';
import { Gate, type GateNews, type GateState } from './request-limiter.ts';
import type { Rank } from './wait-queue.ts';

export interface LimitsOptions {
  /** Requests a second to one region for one organization, in the long run. */
  readonly qps: number;
  /** Requests at once, after a rest. */
  readonly burst: number;
  /** Requests under way at a time to one region for one organization. */
  readonly mostInFlight?: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Told when a gate closes or opens again; `organizationID` is undefined for a token whose organization is not known. */
  readonly onNews?: (organizationID: string | undefined, region: string, news: GateNews) => void;
  /** Told of each request that is sent: how long it waited before. */
  readonly onWaited?: (rank: Rank, waitedMs: number) => void;
  /** Told of each request that was not sent, since it was known to be of no use. */
  readonly onWithheld?: (state: GateState) => void;
}

/** On whose behalf something is asked of Konnect. */
export interface Account {
  /** Undefined as long as it is not known whose the token is. */
  readonly organizationID: string | undefined;
  /** Stands for the token, and is no secret. */
  readonly tokenDigest: string;
}

interface Way {
  readonly organizationID: string | undefined;
  readonly region: string;
  readonly gate: Gate;
  readonly budget: Budget;
}

const idleWaysKept = 256;

/**
 * What may be asked of Konnect, how fast, by organization and region: a token's requests join those of its organization as soon as that is
 * known. Whose a token is, is asked at that rate for all tokens together.
 */
export class Limits {
  readonly #options: Required<LimitsOptions>;
  readonly #ways = new Map<string, Way>();
  readonly #introductions: Budget;

  constructor({
    mostInFlight = 8,
    onNews = ignore,
    onWaited = ignore,
    onWithheld = ignore,
    ...options
  }: LimitsOptions) {
    this.#options = { mostInFlight, onNews, onWaited, onWithheld, ...options };
    this.#introductions = new Budget(options);
  }

  /** Sends through `http` when the time has come. Rejects as that does, and with what Konnect last said where it is no use to ask now. */
  async send(
    http: KonnectTransport,
    request: KonnectRequest,
    { account, priority }: { account: Account; priority: Priority },
  ): Promise<KonnectAnswer> {
    const { clock, onWaited, onWithheld } = this.#options;
    const way = this.#way(account, request.region);
    const rank: Rank = request.method === 'GET' ? priority : 'write';
    const budget = request.operation === 'get organization' ? this.#introductions : way.budget;
    const askedMs = clock.now();
    let isSent = false;
    const send = () => {
      isSent = true;
      const waitedMs = clock.now() - askedMs;
      onWaited(rank, waitedMs);
      return http.send(request);
    };
    try {
      return await way.gate.through(request, { rank, budget, send });
    } finally {
      if (!isSent && !request.signal.aborted) onWithheld(way.gate.state);
    }
  }

  /** How many organizations are in which state, by region. */
  census(): { region: string; state: GateState; count: number }[] {
    const counts = new Map<string, { region: string; state: GateState; count: number }>();
    for (const { region, gate } of this.#ways.values()) {
      const key = `${region} ${gate.state}`;
      const entry = counts.get(key) ?? { region, state: gate.state, count: 0 };
      counts.set(key, { ...entry, count: entry.count + 1 });
    }
    return [...counts.values()];
  }

  #way({ organizationID, tokenDigest }: Account, region: string): Way {
    const key = `${organizationID ?? tokenDigest} ${region}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    if (this.#ways.size >= idleWaysKept) this.#forgetIdle();
    const { onNews, mostInFlight, clock, random } = this.#options;
    const gate = new Gate({ mostInFlight, clock, random, onNews: (news) => onNews(organizationID, region, news) });
    const made = { organizationID, region, gate, budget: new Budget(this.#options) };
    this.#ways.set(key, made);
    return made;
  }

  #forgetIdle(): void {
    for (const [key, { gate, budget }] of this.#ways) if (gate.isIdle && budget.isFull) this.#ways.delete(key);
  }
}

function ignore(): void {}
