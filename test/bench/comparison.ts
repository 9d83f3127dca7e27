/** Comparison of ours with the other contenders, with the targets, and of new results with older ones. */

import type { FigureResult, RowResult } from './results.ts';
import type { Target } from './row.ts';
import { ours } from './row.ts';
import { median } from './statistics.ts';

/** By how much a ratio may get worse. */
export const tolerance = 1 / 3;

/** Returns ours divided by another contender, from the medians. Undefined if one of the two has no values, or the other is 0. */
export function ratioTo(figure: Pick<FigureResult, 'values'>, contender: string): number | undefined {
  const [one, other] = [figure.values[ours], figure.values[contender]];
  if (one === undefined || other === undefined || median(other) === 0) return undefined;
  return median(one) / median(other);
}

export interface Verdict {
  readonly target: Target;
  readonly reached: number;
  readonly isMet: boolean;
}

/** Returns the verdict on each target that was measured. */
export function verdictsOf(figure: FigureResult): Verdict[] {
  return (figure.targets ?? []).flatMap(({ ratioTo: contender, limit }) => {
    const own = figure.values[ours];
    const reached = contender === undefined ? own && median(own) : ratioTo(figure, contender);
    if (reached === undefined) return [];
    const target = { limit, ...(contender === undefined ? {} : { ratioTo: contender }) };
    return [{ target, reached, isMet: figure.better === 'more' ? reached >= limit : reached <= limit }];
  });
}

/**
 * Returns a line for each ratio to another contender, and for each count, that is worse than before by more than a third. Times and memory alone
 * are not compared, because they are those of a machine.
 */
export function regressions(before: readonly RowResult[], after: readonly RowResult[]): string[] {
  return after.flatMap((now) => {
    const then = before.find(({ row, forwardings }) => row === now.row && forwardings === now.forwardings);
    return now.figures.flatMap((figure) => {
      const older = then?.figures.find(({ name }) => name === figure.name);
      return older === undefined ? [] : figureRegressions(now, older, figure);
    });
  });
}

function figureRegressions({ row, forwardings }: RowResult, older: FigureResult, newer: FigureResult): string[] {
  const what = `${row}, ${newer.name}, ${String(forwardings)} forwardings`;
  const lines = Object.keys(newer.values).map((contender) =>
    contender === ours
      ? undefined
      : line(`${what}: ratio to ${contender}`, ratioTo(older, contender), ratioTo(newer, contender), newer),
  );
  const [then, now] = [older.values[ours], newer.values[ours]];
  if (newer.isCount === true && then !== undefined && now !== undefined) {
    lines.push(line(what, median(then), median(now), newer));
  }
  return lines.filter((text) => text !== undefined);
}

function line(
  what: string,
  then: number | undefined,
  now: number | undefined,
  { better }: FigureResult,
): string | undefined {
  if (then === undefined || now === undefined) return undefined;
  const isWorse = better === 'more' ? now < then / (1 + tolerance) : now > then * (1 + tolerance);
  return isWorse ? `${what} was ${then.toFixed(2)} and is ${now.toFixed(2)}` : undefined;
}
