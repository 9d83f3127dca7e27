import { isKubeError, KubeError } from './errors.ts';
import { answerTooLong, type KubeClient, type ListOptions } from './kube-client.ts';
import { isKubeObject, type KubeList } from './objects.ts';

/** More than any cluster needs. It keeps a server whose pages never end from filling the memory. */
const maxPages = 100_000;

export interface Listed<T> {
  items: T[];
  /** The resourceVersion from which to watch. */
  resourceVersion: string;
}

/**
 * Returns every object of `path`, requested in pages of `limit`. Each object passes through `keep` at once, so that only one page is complete in memory.
 * If the server no longer knows a page (410), lists everything again once, without pages.
 */
export async function listAll<T>(
  client: Pick<KubeClient, 'list'>,
  path: string,
  options: ListOptions,
  keep: (object: T) => T = (object) => object,
): Promise<Listed<T>> {
  try {
    return await listPages(client, path, options, keep);
  } catch (error) {
    if (options.limit === undefined || !isKubeError(error, 'Gone')) throw error;
    const { limit: _limit, ...unpaged } = options;
    return listPages(client, path, unpaged, keep);
  }
}

async function listPages<T>(
  client: Pick<KubeClient, 'list'>,
  path: string,
  options: ListOptions,
  keep: (object: T) => T,
): Promise<Listed<T>> {
  const pages = { ...options };
  const first = await listPage<T>(client, path, pages);
  const items = kept(path, first, keep);
  // All pages show the state of the first page.
  const { resourceVersion } = first.metadata;
  let from = first.metadata.continue;
  let pageCount = 1;
  while (from !== undefined && from !== '') {
    pageCount += 1;
    if (pageCount > maxPages) throw new KubeError(`GET ${path}: the list has too many pages`, { kind: 'Other' });
    pages.continue = from;
    const page = await listPage<T>(client, path, pages);
    for (const item of kept(path, page, keep)) items.push(item);
    from = page.metadata.continue;
  }
  return { items, resourceVersion };
}

/** Returns one page. If the answer is too long, requests smaller pages from now on, so that huge objects cannot block the list. */
async function listPage<T>(client: Pick<KubeClient, 'list'>, path: string, pages: ListOptions): Promise<KubeList<T>> {
  for (;;) {
    try {
      return await client.list<T>(path, pages);
    } catch (error) {
      const { limit = 1 } = pages;
      if (limit === 1 || !isKubeError(error) || error.reason !== answerTooLong) throw error;
      pages.limit = Math.ceil(limit / 4);
    }
  }
}

function kept<T>(path: string, { items }: KubeList<T>, keep: (object: T) => T): T[] {
  if (!items.every(isKubeObject)) throw new KubeError(`GET ${path}: the list has an invalid object`, { kind: 'Other' });
  return items.map(keep);
}
