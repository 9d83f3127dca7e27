export type Buckets = readonly (readonly [bound: number, count: number])[];

/** Resolves with a histogram of a page of metrics, summed over all its series. */
export async function histogramOf(metricsURL: string, name: string): Promise<Buckets> {
  return bucketsOf(await (await fetch(metricsURL)).text(), name);
}

/** Returns the buckets in the order of their bounds. Each counts all values up to its bound. */
export function bucketsOf(page: string, name: string): Buckets {
  const counts = new Map<number, number>();
  for (const [, bound = '', count] of page.matchAll(
    new RegExp(`^${name}_bucket\\{.*?le="([^"]+)".*?\\} (\\S+)`, 'gm'),
  )) {
    const limit = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    counts.set(limit, (counts.get(limit) ?? 0) + Number(count));
  }
  return [...counts].toSorted(([a], [b]) => a - b);
}
