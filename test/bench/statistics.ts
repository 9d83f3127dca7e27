/** Figures of several values. All functions throw a RangeError for no values. */

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Returns the value below which the part `part` of the values lies, between the two nearest ones where it falls between them. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new RangeError('there are no values');
  return below + (above - below) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function summarize(values: readonly number[]): Summary {
  return { median: median(values), least: quantile(values, 0), most: quantile(values, 1) };
}

/**
 * Returns the exponent by which a cost grows with a size: 1 if it doubles when the size doubles, 0 if it stays. It is the slope of the line
 * through the logarithms with the least squares. Sizes and costs must be above 0.
 */
export function exponentOf(points: readonly (readonly [size: number, cost: number])[]): number {
  const logarithms = points.map(([size, cost]) => [Math.log(size), Math.log(cost)] as const);
  const mean = (part: 0 | 1) => logarithms.reduce((sum, point) => sum + point[part], 0) / logarithms.length;
  const [meanSize, meanCost] = [mean(0), mean(1)];
  const together = logarithms.reduce((sum, [size, cost]) => sum + (size - meanSize) * (cost - meanCost), 0);
  const alone = logarithms.reduce((sum, [size]) => sum + (size - meanSize) ** 2, 0);
  if (!(alone > 0)) throw new RangeError('an exponent needs two sizes');
  return together / alone;
}

/**
 * Returns a quantile of a Prometheus histogram, whose buckets count all values up to their bound. Within a bucket, the values are taken as evenly
 * spread. A quantile above the last finite bound is that bound.
 */
export function quantileOfBuckets(buckets: readonly (readonly [bound: number, count: number])[], part: number): number {
  const sorted = buckets.toSorted(([a], [b]) => a - b);
  const rank = part * (sorted.at(-1)?.[1] ?? 0);
  let [lowerBound, lowerCount] = [0, 0];
  for (const [bound, count] of sorted) {
    if (count >= rank && count > lowerCount) {
      if (bound === Number.POSITIVE_INFINITY) return lowerBound;
      return lowerBound + ((bound - lowerBound) * (rank - lowerCount)) / (count - lowerCount);
    }
    [lowerBound, lowerCount] = [bound === Number.POSITIVE_INFINITY ? lowerBound : bound, count];
  }
  throw new RangeError('the histogram is empty');
}
