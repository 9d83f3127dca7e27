/** What an informer tells of itself. */
export interface Hearing {
  readonly resource: string;
  readonly hasHeard: boolean;
  readonly silentMs: number;
}

/** For how long nothing was heard of each resource: of several informers of one, the deafest counts. */
export function silenceMs(informers: readonly Hearing[]): Map<string, number> {
  const silence = new Map<string, number>();
  for (const { resource, silentMs } of informers) silence.set(resource, Math.max(silentMs, silence.get(resource) ?? 0));
  return silence;
}

/** What is not heard of, in words for a probe; undefined where the server has told of every resource within `limitMs`. */
export function deafness(informers: readonly Hearing[], limitMs: number): string | undefined {
  const mute = informers.filter(({ hasHeard }) => !hasHeard).map(({ resource }) => resource);
  if (mute.length > 0) return `the API server has not yet told of ${listed(mute)}`;
  const silent = [...silenceMs(informers)].filter(([, silentMs]) => silentMs > limitMs);
  if (silent.length === 0) return undefined;
  const seconds = Math.round(Math.max(...silent.map(([, silentMs]) => silentMs)) / 1000);
  return `the API server has told nothing of ${listed(silent.map(([resource]) => resource))} for ${String(seconds)} s`;
}

function listed(resources: readonly string[]): string {
  return [...new Set(resources)].join(', ');
}
