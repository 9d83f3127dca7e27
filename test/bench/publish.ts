/** The committed results in the documentation: a table in the page, and the picture. */
import { readFile } from 'node:fs/promises';
import { withTable } from '../../scripts/page-table.ts';
import { ratioTo, verdictsOf } from './comparison.ts';
import { drawRatios } from './drawing.ts';
import { measurements } from './measurements.ts';
import { type FigureResult, type RowResult, readResults } from './results.ts';
import { goOperator, ours } from './row.ts';
import { nameWithUnit, short, spread } from './table.ts';

export const resultsFolder = 'bench/results';
const pageFile = 'docs/trust/performance.md';
const pictureFile = 'docs/trust/performance.svg';

const heading = ['row', 'figure', 'forwardings', 'the operator', 'the Go operator', 'ratio', 'others', 'target'];

/** Returns the results with the most forwardings of each row, in the order of the rows. */
export function shownResults(results: readonly RowResult[]): RowResult[] {
  const names = measurements.flatMap(({ rows }) => rows.map(({ name }) => name));
  return results
    .filter(({ row, forwardings }) => !results.some((other) => other.row === row && other.forwardings > forwardings))
    .toSorted((a, b) => names.indexOf(a.row) - names.indexOf(b.row));
}

/** Resolves with the files of the documentation that show the committed results, and their texts. */
export async function publishedFiles(): Promise<[file: string, text: string][]> {
  const results = shownResults(await readResults(resultsFolder));
  return [
    [pageFile, withResults(await readFile(pageFile, 'utf8'), results)],
    [pictureFile, drawRatios(results)],
  ];
}

/** Returns the page with its tables of results and of runs replaced. */
export function withResults(page: string, results: readonly RowResult[]): string {
  const rows = results.flatMap((result) => result.figures.map((figure) => cellsOf(result, figure)));
  const withFigures = withTable(page, { file: pageFile, name: 'results', rows: [heading, ...rows] });
  return withTable(withFigures, {
    file: pageFile,
    name: 'runs',
    rows: [['rows', 'measured', 'values of each', 'commit', 'machine', 'note'], ...runsOf(results)],
  });
}

function cellsOf({ row, forwardings }: RowResult, figure: FigureResult): string[] {
  const ratio = ratioTo(figure, goOperator);
  const shown = (contender: string) => {
    const values = figure.values[contender];
    return values === undefined ? '' : spread(values);
  };
  const others = Object.keys(figure.values).filter((name) => name !== ours && name !== goOperator);
  return [
    row,
    nameWithUnit(figure),
    forwardings === 0 ? '' : forwardings.toLocaleString('en-US'),
    shown(ours),
    shown(goOperator),
    ratio === undefined ? '' : ratio.toFixed(2),
    others.map((name) => `${name} ${shown(name)}`).join('; '),
    verdictsOf(figure).map(verdictText(figure)).join('; '),
  ];
}

function verdictText({ better }: FigureResult) {
  return ({ target, isMet }: ReturnType<typeof verdictsOf>[number]): string => {
    const to = target.ratioTo === undefined ? '' : ` × ${target.ratioTo}`;
    return `${better === 'more' ? '≥' : '≤'} ${short(target.limit)}${to}: ${isMet ? 'met' : '**missed**'}`;
  };
}

/** Returns one line for each machine, commit and day. */
function runsOf(results: readonly RowResult[]): string[][] {
  const runs = new Map<string, { rows: string[]; cells: string[] }>();
  for (const { row, forwardings, measuredAt, commit, machine, note = '', figures } of results) {
    const times = Math.max(0, ...figures.map(({ values }) => values[ours]?.length ?? 0));
    const cells = [
      measuredAt.slice(0, 10),
      String(times),
      commit.slice(0, 10) + commit.slice(40),
      `${String(machine['processors'])} × ${String(machine['processor'])}, ${String(machine['memoryGiB'])} GiB`,
      note,
    ];
    const run = runs.get(JSON.stringify(cells)) ?? { rows: [], cells };
    run.rows.push(forwardings === 0 ? row : `${row} ${forwardings.toLocaleString('en-US')}`);
    runs.set(JSON.stringify(cells), run);
  }
  return [...runs.values()].map(({ rows, cells }) => [rows.join(', '), ...cells]);
}
