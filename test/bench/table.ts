/** The results as a table for a terminal. */
import { ratioTo, verdictsOf } from './comparison.ts';
import type { FigureResult, RowResult } from './results.ts';
import { ours } from './row.ts';
import { summarize } from './statistics.ts';

/** Returns a number with three significant digits, without an exponent. */
export function short(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** Returns the median, and the least and the most in brackets where they differ from it. */
export function spread(values: readonly number[]): string {
  const { median, least, most } = summarize(values);
  return least === most ? short(median) : `${short(median)} (${short(least)}–${short(most)})`;
}

/** Returns the name of a figure with its unit, unless the name says it. */
export function nameWithUnit({ name, unit }: Pick<FigureResult, 'name' | 'unit'>): string {
  return unit === '' || name.split(/[ ,]+/).includes(unit) ? name : `${name}, ${unit}`;
}

/** Returns the lines of the table. Each row begins with its title. */
export function tableOf(results: readonly RowResult[]): string[] {
  return results.flatMap(({ row, title, forwardings, figures }) => [
    `${row}: ${title}${sizeText(forwardings)}`,
    ...aligned(figures.flatMap((figure) => linesOf(figure))),
    '',
  ]);
}

function sizeText(forwardings: number): string {
  if (forwardings === 0) return '';
  return forwardings === 1 ? ', 1 forwarding' : `, ${forwardings.toLocaleString('en-US')} forwardings`;
}

function linesOf(figure: FigureResult): string[][] {
  const contenders = [ours, ...Object.keys(figure.values).filter((name) => name !== ours)];
  return contenders
    .filter((contender) => figure.values[contender] !== undefined)
    .map((contender, index) => [
      index === 0 ? `  ${nameWithUnit(figure)}` : '',
      contender,
      spread(figure.values[contender] ?? []),
      verdictText(figure, contender),
    ]);
}

function verdictText(figure: FigureResult, contender: string): string {
  const ratio = contender === ours ? undefined : ratioTo(figure, contender);
  const targets = verdictsOf(figure)
    .filter(({ target }) => (target.ratioTo ?? ours) === contender)
    .map(({ target, isMet }) => {
      const bound = figure.better === 'more' ? 'at least' : 'at most';
      return `${isMet ? 'met' : 'MISSED'}: ${bound} ${short(target.limit)}`;
    });
  return [...(ratio === undefined ? [] : [`ratio ${ratio.toFixed(2)}`]), ...targets].join('; ');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
