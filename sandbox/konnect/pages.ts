import type { PublicRequest } from './operation.ts';
import { invalid } from './validation.ts';

interface PageSizes {
  readonly default: number;
  readonly max: number;
}

/**
 * Returns `page[size]`: 10 if it is absent or empty, at most `pageSizeMax`, unless `sizes` says otherwise.
 *
 * @throws {Problem} 400 unless it is a positive integer
 */
export function pageSize(
  request: Pick<PublicRequest, 'model' | 'query'>,
  sizes: PageSizes = { default: 10, max: request.model.behavior.pageSizeMax },
): number {
  return Math.min(positive(request.query, 'page[size]', sizes.default), sizes.max);
}

interface NumberedPage<Item> {
  readonly meta: { readonly page: { readonly number: number; readonly size: number; readonly total: number } };
  readonly data: Item[];
}

/** Returns a numbered page, as lists of portals and control planes have them. */
export function numberedPage<Item>(
  request: Pick<PublicRequest, 'model' | 'query'>,
  items: readonly Item[],
): NumberedPage<Item> {
  const size = pageSize(request);
  const number = positive(request.query, 'page[number]', 1);
  return {
    meta: { page: { number, size, total: items.length } },
    data: items.slice((number - 1) * size, number * size),
  };
}

interface CursorPage<Item> {
  readonly data: Item[];
  /** Paths with a prefix that the public hosts do not have, so clients can use only their cursors. */
  readonly meta: { readonly next: string | null; readonly previous: string | null; readonly size: number };
}

/**
 * Returns a page by cursor, as lists of destinations have them. A cursor names the item before or after the page. That item may be deleted.
 *
 * @throws {Problem} 400 for an invalid cursor
 */
export function cursorPage<Item extends { readonly sequence: number }>(
  request: Pick<PublicRequest, 'model' | 'query' | 'path'>,
  items: readonly Item[],
  sizes?: PageSizes,
): CursorPage<Item> {
  const size = pageSize(request, sizes);
  const after = cursor(request.query, 'page[after]');
  const before = cursor(request.query, 'page[before]');
  if (after !== undefined && before !== undefined) {
    throw invalid([
      { field: 'page[before]', rule: 'invalid', reason: 'must not be used with page[after]', source: 'query' },
    ]);
  }
  const candidates = items.filter(
    ({ sequence }) => (after === undefined || sequence > after) && (before === undefined || sequence < before),
  );
  const data = before === undefined ? candidates.slice(0, size) : candidates.slice(-size);
  const first = data.at(0)?.sequence;
  const last = data.at(-1)?.sequence;
  const hasNext = last !== undefined && items.some(({ sequence }) => sequence > last);
  const hasPrevious = first !== undefined && items.some(({ sequence }) => sequence < first);
  return {
    data,
    meta: {
      next: hasNext ? link(request, 'page[after]', last, size) : null,
      previous: hasPrevious ? link(request, 'page[before]', first, size) : null,
      size,
    },
  };
}

function link(
  { path, query }: Pick<PublicRequest, 'query' | 'path'>,
  name: string,
  sequence: number,
  size: number,
): string {
  const parameters = new URLSearchParams([...query].filter(([key]) => !key.startsWith('page[')));
  parameters.set(name, Buffer.from(JSON.stringify({ sequence })).toString('base64'));
  parameters.set('page[size]', String(size));
  return `/api${path}?${parameters.toString()}`;
}

function cursor(query: URLSearchParams, name: string): number | undefined {
  const sent = query.get(name);
  if (sent === null || sent === '') return undefined;
  const decoded = /^\{"sequence":(\d+)\}$/.exec(Buffer.from(sent, 'base64').toString());
  if (decoded === null)
    throw invalid([{ field: name, rule: 'invalid', reason: `is not a cursor [${sent}]`, source: 'query' }]);
  return Number(decoded[1]);
}

function positive(query: URLSearchParams, name: string, defaultValue: number): number {
  const sent = query.get(name);
  if (sent === null || sent === '') return defaultValue;
  if (/^[1-9]\d{0,8}$/.test(sent)) return Number(sent);
  throw invalid([{ field: name, rule: 'is_number', reason: `must be a positive number [${sent}]`, source: 'query' }]);
}
