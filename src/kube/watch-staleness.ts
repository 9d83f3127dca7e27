/** The state of an informer that probes and metrics show. */
export interface WatchHealth {
  readonly resource: string;
  /** Undefined if all namespaces are watched. */
  readonly namespace: string | undefined;
  /** Whether the process can do without this resource. */
  readonly isOptional: boolean;
  /** Whether the API server forbade the last list or watch. */
  readonly isForbidden: boolean;
  /** Whether the first list has ended. */
  readonly hasSynced: boolean;
  /** For how long the API server has sent nothing. */
  readonly silentMs: number;
}

/** Returns the informers whose list or watch the API server forbids, if it permits the same resource in another namespace or the process can do without. */
export function forbiddenWatches(informers: readonly WatchHealth[]): WatchHealth[] {
  return informers.filter(
    ({ isForbidden, isOptional, resource }) =>
      isForbidden && (isOptional || informers.some((other) => other.resource === resource && !other.isForbidden)),
  );
}

/** Returns the informers without {@link forbiddenWatches}: the work goes on without these. */
function permitted(informers: readonly WatchHealth[]): WatchHealth[] {
  const forbidden = new Set(forbiddenWatches(informers));
  return informers.filter((informer) => !forbidden.has(informer));
}

/**
 * Returns for how long the API server has sent nothing of each resource. If a resource has several informers, the longest time counts, except of those in
 * {@link forbiddenWatches}.
 */
export function silenceMs(informers: readonly WatchHealth[]): Map<string, number> {
  const silence = new Map<string, number>();
  for (const { resource, silentMs } of permitted(informers))
    silence.set(resource, Math.max(silentMs, silence.get(resource) ?? 0));
  return silence;
}

/** Returns the words for a probe about {@link forbiddenWatches}, or undefined if there are none. */
export function describeForbidden(informers: readonly WatchHealth[]): string | undefined {
  const names = forbiddenWatches(informers).map(
    ({ resource, namespace = 'all namespaces' }) => `${resource} in ${namespace}`,
  );
  return names.length === 0 ? undefined : `the API server forbids to list or watch ${listed(names)}`;
}

/** Returns, in words for a probe, which resources are not listed yet or have a stale watch. Returns undefined if there are none. */
export function staleWatches(informers: readonly WatchHealth[], limitMs: number): string | undefined {
  const unsynced = permitted(informers)
    .filter(({ hasSynced }) => !hasSynced)
    .map(({ resource }) => resource);
  if (unsynced.length > 0) return `not listed yet: ${listed(unsynced)}`;
  const stale = [...silenceMs(informers)].filter(([, silentMs]) => silentMs > limitMs);
  if (stale.length === 0) return undefined;
  const seconds = Math.round(Math.max(...stale.map(([, silentMs]) => silentMs)) / 1000);
  return `no data from the API server for ${String(seconds)} s: ${listed(stale.map(([resource]) => resource))}`;
}

function listed(resources: readonly string[]): string {
  return [...new Set(resources)].join(', ');
}
