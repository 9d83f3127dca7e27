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
  /** The cause and the way out, and the object unless `object` is set. */
  readonly message: string;
  /** What the problem is about. Problems with the same cause become one message that names their objects. */
  readonly object?: string;
  /** The operator retries no sooner than after this time. */
  readonly retryAfterMs?: number;
  /** How long the problem has lasted, where the operator gives up after a while. */
  readonly lastsForMs?: number;
}

const maxObjects = 3;
/** What may differ between two failures of one cause: the code that a failing server answers, and the time until which Konnect limits requests. */
const details = /HTTP (?:408|5\d\d)|\d{4}-\d\d-\d\dT[\d:]+Z/g;

const order: readonly Severity[] = ['stalled', 'waiting', 'unavailable'];

/** Returns the problems, the most important one first; equal ones keep their order. */
export function worstFirst<P extends Problem>(problems: readonly P[]): readonly P[] {
  return problems.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

/** Returns a message without what may differ between two failures of one cause. */
export function causeOf(message: string): string {
  return message.replaceAll(details, '');
}

/** Returns one problem for each cause, in the same order. Its message names up to three objects, and it has the longest `retryAfterMs`. */
export function mergeCauses<P extends Problem>(problems: readonly P[]): readonly Omit<P, 'object'>[] {
  const byCause = Map.groupBy(problems, ({ message }) => causeOf(message));
  return [...byCause.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { object: _merged, ...rest } = first;
    const objects = [...new Set(same.flatMap(({ object }) => object ?? []))];
    const named = objects.length > maxObjects ? 'more than three objects' : objects.join(', ');
    const delays = same.flatMap(({ retryAfterMs }) => retryAfterMs ?? []);
    return {
      ...rest,
      message: named === '' ? rest.message : `${named}: ${rest.message}`,
      ...(delays.length === 0 ? {} : { retryAfterMs: Math.max(...delays) }),
    };
  });
}
