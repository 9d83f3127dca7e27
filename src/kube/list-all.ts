import { isKubeError, KubeError } from './errors.ts';

import { answerTooLong, type KubeClient, type ListOptions } from './kube-client.ts';
import { isKubeObject, type KubeList } from './objects.ts';

/** More than any cluster needs: a server whose pages never end is not to fill the memory. */
const MAX_PAGES = 100_000;

export interface Listed<T> {
  items: T[];
  /** Where a watch is to begin. */
  resourceVersion: string;
}

/**
 * Every object of `path`, page by page (`limit` a page), each through `keep` at once so that no more than a page is held whole. When the
 * server has forgotten where a page begins (410), everything is listed again, unpaged, once.
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
  // All pages show the state of the first one.
  const { resourceVersion } = first.metadata;
  let from = first.metadata.continue;
  let fetched = 1;
  while (from !== undefined && from !== '') {
    fetched += 1;
    if (fetched > MAX_PAGES) throw new KubeError(`GET ${path}: a list without an end`, { kind: 'Other' });
    pages.continue = from;
    const page = await listPage<T>(client, path, pages);
    for (const item of kept(path, page, keep)) items.push(item);
    from = page.metadata.continue;
  }
  return { items, resourceVersion };
}

/** Where a page has become too long an answer, it and all further ones have fewer objects: nobody's huge objects may keep a list from its end. */
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
  if (!items.every(isKubeObject)) throw new KubeError(`GET ${path}: a list of what are no objects`, { kind: 'Other' });
  return items.map(keep);
}
