import type { Destination } from './schema.ts';

export const pageSize = 100;
const maxPages = 200;
/** For all pages together, which stay in memory. No organization has nearly as many destinations. */
const maxListCharacters = 2 * 1024 * 1024;
const charactersOfAnEntry = 256;

export interface DestinationPage {
  readonly entries: readonly Destination[];
  /** The path of the next page. Empty or undefined on the last page. */
  readonly next: string | undefined;
}

/** Returns the destinations of all pages, or undefined if the pages do not end, repeat, or are too long together. */
export async function allPages(
  read: (query: Readonly<Record<string, string>>) => Promise<DestinationPage>,
): Promise<Destination[] | undefined> {
  const found = new Map<string, Destination>();
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let characters = 0;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const { entries, next = '' } = await read({
      'page[size]': String(pageSize),
      ...(cursor === undefined ? {} : { 'page[after]': cursor }),
    });
    for (const entry of entries) {
      found.set(entry.id, entry);
      characters += charactersOfAnEntry + (entry.name ?? '').length + (entry.endpoint ?? '').length;
    }
    if (characters > maxListCharacters) return undefined;
    if (next === '') return [...found.values()];
    cursor = cursorOf(next);
    if (cursor === undefined || cursors.has(cursor)) return undefined;
    cursors.add(cursor);
  }
  return undefined;
}

/** Returns the cursor in `next`. The path in `next` is not used, because its prefix does not exist on the public host. */
export function cursorOf(next: string): string | undefined {
  const query = next.includes('?') ? next.slice(next.indexOf('?') + 1) : '';
  const cursor = new URLSearchParams(query).get('page[after]') ?? '';
  return cursor === '' || cursor.length > 4096 ? undefined : cursor;
}
