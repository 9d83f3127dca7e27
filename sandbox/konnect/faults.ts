/** Which requests a fault meets. What is left out matches everything. */
export interface FaultMatch {
  readonly method?: string;
  readonly region?: string;
  /**
   * Of the path below the region's host: a RegExp, the source of one if the string starts with `^`, else a glob in which `*` stands for any
   * run of characters.
   */
  readonly path?: string | RegExp;
  /** Kong's operationId. */
  readonly operation?: string;
  /** The whole token, or its end. */
  readonly token?: string;
}

export type FaultKind =
  /** Waits, then goes on with the next rule that matches, or as if there were none. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Answers this instead; with `done`, only after having done what was asked. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: number | string;
      readonly body?: FaultBody;
      readonly done?: boolean;
    }
  /**
   * 429 for what an organization (an unknown token, by itself) asks beyond so many requests in a window of time, which begins with its first
   * request; Retry-After in whole seconds says when the next one begins. Requests within the limit go on as if there were no such rule.
   */
  | { readonly kind: 'rate-limit'; readonly requests: number; readonly windowMs: number }
  /** Resets the connection; nothing is done. */
  | { readonly kind: 'drop-before' }
  /** Does what is asked, then resets the connection instead of answering. */
  | { readonly kind: 'drop-after' }
  /** Sends the client elsewhere; 307 to a path of this server, where a request that follows shows up in the calls. */
  | { readonly kind: 'redirect'; readonly status?: number; readonly location?: string }
  /** Does what is asked and answers JSON whose fields all have another type. */
  | { readonly kind: 'wrong-types' };

/**
 * What comes with a status: a problem that echoes the request's body, plain JSON as Kong's gateway sends it, a web page, JSON that breaks off with
 * the connection, 16 MiB of JSON, or nothing.
 */
export type FaultBody = 'problem' | 'json' | 'html' | 'truncated' | 'huge' | 'empty';

/** `times`: how often it is used before it is gone; for ever where left out. `skip`: how many matching requests it lets pass first. */
export type FaultRule = FaultKind & { readonly match?: FaultMatch; readonly times?: number; readonly skip?: number };

export interface ActiveFault {
  readonly id: number;
  readonly rule: FaultRule;
  /** How many requests have met it. */
  readonly hits: () => number;
  readonly remove: () => void;
}

export interface FaultSubject {
  readonly method: string;
  readonly region: string;
  readonly path: string;
  readonly operation?: string;
  readonly token: string;
  /** Absent for an unknown token. */
  readonly organizationID?: string;
}

/** What a request meets: of a limit, its refusal. */
export type MetFault = Exclude<FaultKind, { readonly kind: 'rate-limit' }>;

export interface Faults {
  add(rule: FaultRule): ActiveFault;
  list(): ActiveFault[];
  clear(): void;
  /** The faults that a request meets, used up by asking: latencies in the order of their rules, then at most one of another kind. */
  take(subject: FaultSubject): MetFault[];
}

/** `nowMs` only ever grows. */
export function createFaults(nowMs: () => number = () => performance.now()): Faults {
  const active = new Map<number, Entry>();
  let made = 0;
  return {
    add(rule) {
      made += 1;
      const id = made;
      const entry: Entry = {
        seen: 0,
        hits: 0,
        windows: new Map(),
        matches: matcher(rule.match ?? {}),
        fault: { id, rule, hits: () => entry.hits, remove: () => void active.delete(id) },
      };
      active.set(id, entry);
      return entry.fault;
    },
    list: () => [...active.values()].map(({ fault }) => fault),
    clear: () => active.clear(),
    take(subject) {
      const met: MetFault[] = [];
      for (const entry of active.values()) {
        const { rule } = entry.fault;
        if (!entry.matches(subject)) continue;
        entry.seen += 1;
        if (entry.seen <= (rule.skip ?? 0)) continue;
        const fault = rule.kind === 'rate-limit' ? limit(entry.windows, rule, subject, nowMs()) : rule;
        if (fault === undefined) continue;
        entry.hits += 1;
        if (entry.hits >= (rule.times ?? Infinity)) entry.fault.remove();
        met.push(fault);
        if (fault.kind !== 'latency') break;
      }
      return met;
    },
  };
}

interface Entry {
  seen: number;
  hits: number;
  /** Of a limit, by whom it counts. */
  readonly windows: Map<string, { sinceMs: number; requests: number }>;
  readonly matches: (subject: FaultSubject) => boolean;
  readonly fault: ActiveFault;
}

function limit(
  windows: Entry['windows'],
  { requests, windowMs }: FaultKind & { kind: 'rate-limit' },
  { organizationID, token }: FaultSubject,
  nowMs: number,
): MetFault | undefined {
  const whose = organizationID ?? token;
  const known = windows.get(whose);
  const window = known !== undefined && nowMs - known.sinceMs < windowMs ? known : { sinceMs: nowMs, requests: 0 };
  windows.set(whose, window);
  window.requests += 1;
  if (window.requests <= requests) return undefined;
  return { kind: 'status', status: 429, retryAfter: Math.ceil((window.sinceMs + windowMs - nowMs) / 1_000) };
}

function matcher(match: FaultMatch): (subject: FaultSubject) => boolean {
  const path = match.path === undefined ? undefined : pattern(match.path);
  return (subject) =>
    (match.method === undefined || match.method.toUpperCase() === subject.method) &&
    (match.region === undefined || match.region === subject.region) &&
    (match.operation === undefined || match.operation === subject.operation) &&
    (match.token === undefined || subject.token.endsWith(match.token)) &&
    (path === undefined || path.test(subject.path));
}

function pattern(path: string | RegExp): RegExp {
  if (path instanceof RegExp) return new RegExp(path.source, path.flags.replaceAll(/[gy]/g, ''));
  if (path.startsWith('^')) return new RegExp(path);
  return new RegExp(`^${path.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
}
