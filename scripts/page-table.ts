/** Tables that are generated into pages of the docs. */
import { type PageSection, withSection } from './page-section.ts';

export interface PageTable extends Omit<PageSection, 'text'> {
  /** The first row is the heading. Each row is a list of cells. */
  readonly rows: readonly (readonly string[])[];
}

/** Returns the page with its table replaced. Throws an error if the page has no section for the table. */
export function withTable(page: string, { rows: [heading = [], ...rows], ...section }: PageTable): string {
  const lines = [heading, heading.map(() => '---'), ...rows].map((cells, index) =>
    index === 1 ? `|${cells.join('|')}|` : `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`,
  );
  return withSection(page, { ...section, text: lines.join('\n') });
}
