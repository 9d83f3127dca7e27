import type { Measurement } from '../row.ts';
import { exponentOf } from '../statistics.ts';
import { operatorsOf } from '../support/operators.ts';
import { type Costs, live } from './lifecycle.ts';

/** What may grow: at most linearly, with a tolerance for what is measured. */
const limit = 1.05;

const costs = [
  ['cold', 'time'],
  ['cold', 'processor time'],
  ['cold', 'calls'],
  ['restart', 'time'],
  ['restart', 'calls'],
  ['rotate', 'time'],
  ['rotate', 'calls'],
  ['delete', 'time'],
  ['delete', 'calls'],
] as const;

const nameOf = ([row, figure]: (typeof costs)[number]) => `${row}, ${figure}`;

/** How each cost grows with the number of forwardings: 1 is linear. */
export const growth: Measurement = {
  rows: [
    {
      name: 'growth',
      title: 'exponent of each cost, from 10 forwardings in steps of ten times to all',
      isSlow: true,
      figures: costs.map((cost) => ({
        name: nameOf(cost),
        unit: '',
        targets: [{ limit }],
        ...(cost[1] === 'calls' ? { isCount: true as const } : {}),
      })),
    },
  ],
  async contenders(bench) {
    const kinds = await operatorsOf(bench);
    const rows = new Set(costs.map(([row]) => row));
    return kinds.map((kind) => ({
      name: kind.name,
      async measure() {
        const found: (readonly [number, Costs])[] = [];
        for (const forwardings of sizesUpTo(bench.forwardings)) {
          bench.progress(`${String(forwardings)} forwardings`);
          found.push([forwardings, await live(bench, kind, { forwardings, rows })]);
        }
        const exponents = costs.map((cost) => {
          const [row, figure] = cost;
          return [nameOf(cost), exponentOf(found.map(([size, each]) => [size, Number(each[row]?.[figure])]))];
        });
        return { growth: Object.fromEntries(exponents) };
      },
    }));
  },
};

/** Returns 10, 100 and so on, and `most` as the last one. */
export function sizesUpTo(most: number): number[] {
  const sizes = [10, 100, 1_000, 10_000].filter((size) => size < most);
  return [...sizes, most];
}
