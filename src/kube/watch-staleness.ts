/** The state of an informer that probes and metrics show. */
export interface WatchHealth {
  readonly resource: string;
  /** Whether the first list has ended. */
  readonly hasSynced: boolean;
  /** For how long the API server has sent nothing. */
  readonly silentMs: number;
}

/** Returns for how long the API server has sent nothing of each resource. If a resource has several informers, the longest time counts. */
export function silenceMs(informers: readonly WatchHealth[]): Map<string, number> {
  const silence = new Map<string, number>();
  for (const { resource, silentMs } of informers) silence.set(resource, Math.max(silentMs, silence.get(resource) ?? 0));
  return silence;
}

/** Returns, in words for a probe, which resources are not listed yet or have a stale watch. Returns undefined if there are none. */
export function staleWatches(informers: readonly WatchHealth[], limitMs: number): string | undefined {
  const unsynced = informers.filter(({ hasSynced }) => !hasSynced).map(({ resource }) => resource);
  if (unsynced.length > 0) return `not listed yet: ${listed(unsynced)}`;
  const stale = [...silenceMs(informers)].filter(([, silentMs]) => silentMs > limitMs);
  if (stale.length === 0) return undefined;
  const seconds = Math.round(Math.max(...stale.map(([, silentMs]) => silentMs)) / 1000);
  return `no data from the API server for ${String(seconds)} s: ${listed(stale.map(([resource]) => resource))}`;
}

function listed(resources: readonly string[]): string {
  return [...new Set(resources)].join(', ');
}
