/** The requests that a fault applies to. An absent field matches every request. */
export interface FaultMatch {
  readonly method?: string;
  readonly region?: string;
  /**
   * Matches the path below the region's host. A string that starts with `^` is the source of a RegExp. Any other string is a glob, in which
   * `*` matches any characters.
   */
  readonly path?: string | RegExp;
  /** Kong's operationId. */
  readonly operation?: string;
  /** The whole token, or its end. */
  readonly token?: string;
}

export type FaultKind =
  /** Waits, then applies the next rule that matches. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Answers with this status instead. With `done`, the request is processed first. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: number | string;
      readonly body?: FaultBody;
      readonly done?: boolean;
    }
  /**
   * Answers 429 when an organization sends more than `requests` in a window. The window begins with the organization's first request.
   * Retry-After says in whole seconds when the next window begins. An unknown token has a limit of its own. The rule ignores requests within
   * the limit.
   */
  | { readonly kind: 'rate-limit'; readonly requests: number; readonly windowMs: number }
  /** Resets the connection without processing the request. */
  | { readonly kind: 'drop-before' }
  /** Processes the request, then resets the connection instead of answering. */
  | { readonly kind: 'drop-after' }
  /** Redirects. By default with 307 to a path of this server, so that the log of calls shows a client that follows. */
  | { readonly kind: 'redirect'; readonly status?: number; readonly location?: string }
  /** Processes the request and answers with JSON in which every field has a wrong type. */
  | { readonly kind: 'wrong-types' };

/**
 * Body of a `status` fault: a problem that echoes the request's body, plain JSON like that of Kong's gateway, a web page, JSON cut by a reset
 * of the connection, 16 MiB of JSON, or nothing.
 */
export type FaultBody = 'problem' | 'json' | 'html' | 'truncated' | 'huge' | 'empty';

/** The rule ignores the first `skip` matching requests. It is removed after `times` uses, by default never. */
export type FaultRule = FaultKind & { readonly match?: FaultMatch; readonly times?: number; readonly skip?: number };

export interface ActiveFault {
  readonly id: number;
  readonly rule: FaultRule;
  /** Returns to how many requests the fault was applied. */
  readonly hits: () => number;
  readonly remove: () => void;
}

/** What a rule can match in a request. */
export interface FaultSubject {
  readonly method: string;
  readonly region: string;
  readonly path: string;
  readonly operation?: string;
  readonly token: string;
  /** Absent for an unknown token. */
  readonly organizationID?: string;
}

/** A fault to apply to a request. A `rate-limit` becomes its 429. */
export type AppliedFault = Exclude<FaultKind, { readonly kind: 'rate-limit' }>;

export interface Faults {
  add(rule: FaultRule): ActiveFault;
  list(): ActiveFault[];
  clear(): void;
  /**
   * Returns the faults to apply to a request, and counts them as used: latencies in the order of their rules, then at most one fault of
   * another kind.
   */
  take(subject: FaultSubject): AppliedFault[];
}

/** `nowMs` must be monotonic. */
export function createFaults(nowMs: () => number = () => performance.now()): Faults {
  const active = new Map<number, Entry>();
  let lastID = 0;
  return {
    add(rule) {
      lastID += 1;
      const id = lastID;
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
      const applied: AppliedFault[] = [];
      for (const entry of active.values()) {
        const { rule } = entry.fault;
        if (!entry.matches(subject)) continue;
        entry.seen += 1;
        if (entry.seen <= (rule.skip ?? 0)) continue;
        const fault = rule.kind === 'rate-limit' ? limit(entry.windows, rule, subject, nowMs()) : rule;
        if (fault === undefined) continue;
        entry.hits += 1;
        if (entry.hits >= (rule.times ?? Infinity)) entry.fault.remove();
        applied.push(fault);
        if (fault.kind !== 'latency') break;
      }
      return applied;
    },
  };
}

interface Entry {
  seen: number;
  hits: number;
  /** Windows of a `rate-limit`, keyed by organization or unknown token. */
  readonly windows: Map<string, { sinceMs: number; requests: number }>;
  readonly matches: (subject: FaultSubject) => boolean;
  readonly fault: ActiveFault;
}

function limit(
  windows: Entry['windows'],
  { requests, windowMs }: FaultKind & { kind: 'rate-limit' },
  { organizationID, token }: FaultSubject,
  nowMs: number,
): AppliedFault | undefined {
  const client = organizationID ?? token;
  const known = windows.get(client);
  const window = known !== undefined && nowMs - known.sinceMs < windowMs ? known : { sinceMs: nowMs, requests: 0 };
  windows.set(client, window);
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
