/** What a problem is, for conditions, events and the next retry. Pure. */

/**
 * `stalled`: a user has to act. `waiting`: it ends by itself, by an event or after a while. `unavailable`: Konnect or the API server
 * fails, which says nothing about what Konnect holds.
 */
export type Severity = 'stalled' | 'waiting' | 'unavailable';

/** Something that keeps a forwarding from being ready. */
export interface Problem {
  /** The reason of the condition and of the event. */
  readonly reason: string;
  readonly severity: Severity;
  readonly message: string;
  /** The operator retries no sooner than after this time. */
  readonly retryAfterMs?: number;
  /** How long the problem has lasted, where the operator gives up after a while. */
  readonly lastsForMs?: number;
}

const order: readonly Severity[] = ['stalled', 'waiting', 'unavailable'];

/** Returns the problems, the most important one first; equal ones keep their order. */
export function worstFirst<P extends Problem>(problems: readonly P[]): readonly P[] {
  return problems.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}
