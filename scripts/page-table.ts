/** Tables that are generated into pages of the docs, between `<!-- NAME -->` and `<!-- /NAME -->`. */

export interface PageTable {
  /** The page that contains the table, from the root of the repository. */
  readonly file: string;
  readonly name: string;
  /** The first row is the heading. Each row is a list of cells. */
  readonly rows: readonly (readonly string[])[];
}

/** Returns the page with its table replaced. Throws an error if the page has no place for the table. */
export function withTable(page: string, { file, name, rows: [heading = [], ...rows] }: PageTable): string {
  const begins = `<!-- ${name} -->\n`;
  const begin = page.indexOf(begins) + begins.length;
  const end = page.indexOf(`<!-- /${name} -->\n`);
  if (begin < begins.length || end < begin) throw new Error(`${file} has no place for the table of ${name}`);
  const lines = [heading, heading.map(() => '---'), ...rows].map((cells, index) =>
    index === 1 ? `|${cells.join('|')}|` : `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return `${page.slice(0, begin)}\n${lines.join('\n')}\n\n${page.slice(end)}`;
}
