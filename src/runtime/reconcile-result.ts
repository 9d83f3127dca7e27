/** What a failure counts for in the back-off of its key. */
export interface BackOffKey {
  /** What the reconciliation was asked for. The count starts again with another request. */
  readonly request: string;
  /** Each cause has a count of its own, so that a short wait does not inherit the delay of a long outage. */
  readonly cause: string;
}

export interface EarlyResync {
  readonly minDelayMs: number;
  readonly backOffKey: BackOffKey;
}

/** What happens with a key after its reconciliation. */
export type ReconcileResult =
  /** Nothing, until the key is enqueued again. */
  | { readonly kind: 'done' }
  /** A resync after this time. With `early` it comes sooner: after the back-off of its key, and not before `minDelayMs`. */
  | { readonly kind: 'requeue'; readonly afterMs: number; readonly early?: EarlyResync }
  /** The same work again, with its priority, after the back-off of its key and not before `minDelayMs`. */
  | { readonly kind: 'retry'; readonly minDelayMs?: number; readonly backOffKey?: BackOffKey };
