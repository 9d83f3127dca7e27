/** Generated sections in pages of the docs, between `<!-- NAME -->` and `<!-- /NAME -->`. */

export interface PageSection {
  /** The page that contains the section, from the root of the repository. */
  readonly file: string;
  readonly name: string;
  readonly text: string;
}

/** Returns the page with the section replaced by `text`. Throws an error if the page has no such section. */
export function withSection(page: string, { file, name, text }: PageSection): string {
  const begins = `<!-- ${name} -->\n`;
  const begin = page.indexOf(begins) + begins.length;
  const end = page.indexOf(`<!-- /${name} -->\n`);
  if (begin < begins.length || end < begin) throw new Error(`${file} has no section <!-- ${name} -->`);
  return `${page.slice(0, begin)}\n${text}\n\n${page.slice(end)}`;
}
