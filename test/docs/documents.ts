import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** Every document, by its path from the root of the repository. */
export const documents: ReadonlyMap<string, string> = new Map(
  globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'helm/*/README.md'], { cwd: root })
    .toSorted()
    .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
);

export function document(path: string): string {
  const text = documents.get(path);
  if (text === undefined) throw new Error(`there is no ${path}`);
  return text;
}

/** Returns the text without fenced blocks. In these, a `#` begins a comment, and a link is only text. */
export function prose(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '');
}

/** Returns the titles of one level, such as 3 for `###`. */
export function headings(text: string, level: number): string[] {
  const marks = '#'.repeat(level);
  return [...prose(text).matchAll(new RegExp(`^${marks} (.+)$`, 'gm'))].map(([, title = '']) => title);
}

/** Returns the anchors of a document: those that repository hosts create for its headings, and its own. */
export function anchorsOf(path: string): string[] {
  const text = documents.get(path) ?? '';
  const own = [...prose(text).matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id = '']) => id);
  return [...[1, 2, 3, 4].flatMap((level) => headings(text, level)).map(anchorOf), ...own];
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** Returns the rows of all tables as their cells, without headings and rules. */
export function rows(text: string): string[][] {
  const lines = prose(text).split('\n');
  return lines
    .filter(
      (line, index) => line.startsWith('|') && !/^\|[-|]+\|$/.test(line) && lines[index + 1]?.startsWith('|-') !== true,
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

/** Returns the texts between backquotes. */
export function code(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
}
