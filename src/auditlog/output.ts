/** How commands print: tables for people, JSON and YAML for programs. */
import { styleText } from 'node:util';
import { printable } from '../telemetry/printable.ts';
import { type Arguments, type OptionHelp, type Terminal, textOf, UsageError } from './command.ts';

const formats = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof formats)[number];

export const outputOption: OptionHelp = {
  type: 'string',
  short: 'o',
  value: formats.join('|'),
  help: 'The format of the output. The default is table.',
};

/** Returns the format that `--output` names. Throws a UsageError for another. */
export function outputFormat(args: Arguments): OutputFormat {
  const text = textOf(args, 'output') ?? 'table';
  const format = formats.find((one) => one === text);
  if (format === undefined) throw new UsageError(`--output must be one of ${formats.join(', ')}`);
  return format;
}

/** Returns a value as JSON or YAML, with a line end. */
export async function toText(value: unknown, format: 'json' | 'yaml'): Promise<string> {
  if (format === 'json') return `${JSON.stringify(value, undefined, 2)}\n`;
  const { dump } = await import('js-yaml');
  return dump(value);
}

export type Color = 'green' | 'yellow' | 'red';

export interface Cell {
  readonly text: string;
  readonly color?: Color;
  /** True for numbers. */
  readonly alignRight?: boolean;
}

/** Returns the cell of a number, which has the color unless the number is zero. */
export function countCell(count: number, color?: Color): Cell {
  return { text: String(count), alignRight: true, ...(color === undefined || count === 0 ? {} : { color }) };
}

/** Returns a table: a line of headings, then the rows. Each line ends with a line end. Cells show no character that a terminal interprets. */
export function toTable(
  headings: readonly string[],
  cells: readonly (readonly Cell[])[],
  { hasColors }: Pick<Terminal, 'hasColors'>,
): string {
  const rows = cells.map((row) => row.map((cell) => ({ ...cell, text: printable(cell.text) })));
  const widths = headings.map((heading, index) =>
    Math.max(heading.length, ...rows.map((row) => row[index]?.text.length ?? 0)),
  );
  const line = (row: readonly Cell[]) =>
    row
      .map(({ text, color, alignRight = false }, index) => {
        const space = ' '.repeat((widths[index] ?? 0) - text.length);
        const shown = hasColors && color !== undefined ? styleText(color, text, { validateStream: false }) : text;
        return alignRight ? space + shown : shown + space;
      })
      .join('   ')
      .trimEnd();
  const alignments = rows[0] ?? [];
  const head = headings.map((text, index) => ({ text, alignRight: alignments[index]?.alignRight ?? false }));
  return [head, ...rows].map((row) => `${line(row)}\n`).join('');
}
