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

export interface Comparison {
  /** How many ratios and counts both have. */
  readonly compared: number;
  /** A line for each that is worse by more than a third. */
  readonly worse: readonly string[];
}

/**
 * Compares every ratio to another contender, and every count, with those of earlier results. Times and memory alone are not compared, because
 * they are those of a machine.
 */
export function compare(before: readonly RowResult[], after: readonly RowResult[]): Comparison {
  const pairs = after.flatMap((now) => {
    const then = before.find(({ row, forwardings }) => row === now.row && forwardings === now.forwardings);
    return now.figures.flatMap((figure) => {
      const older = then?.figures.find(({ name }) => name === figure.name);
      return older === undefined ? [] : pairsOf(now, older, figure);
    });
  });
  const worse = pairs
    .filter(({ was, is, isMoreBetter }) => (isMoreBetter ? is < was / (1 + tolerance) : is > was * (1 + tolerance)))
    .map(({ what, was, is }) => `${what} was ${was.toFixed(2)} and is ${is.toFixed(2)}`);
  return { compared: pairs.length, worse };
}

interface Pair {
  readonly what: string;
  readonly was: number;
  readonly is: number;
  readonly isMoreBetter: boolean;
}

function pairsOf({ row, forwardings }: RowResult, older: FigureResult, newer: FigureResult): Pair[] {
  const what = `${row}, ${newer.name}, ${String(forwardings)} forwardings`;
  const isMoreBetter = newer.better === 'more';
  const pair = (name: string, was: number | undefined, is: number | undefined): Pair[] =>
    was === undefined || is === undefined ? [] : [{ what: name, was, is, isMoreBetter }];
  const others = Object.keys(newer.values).filter((contender) => contender !== ours);
  const ratios = others.flatMap((other) =>
    pair(`${what}: ratio to ${other}`, ratioTo(older, other), ratioTo(newer, other)),
  );
  const [was, is] = [older.values[ours], newer.values[ours]];
  if (newer.isCount !== true || was === undefined || is === undefined) return ratios;
  return [...ratios, ...pair(what, median(was), median(is))];
}
