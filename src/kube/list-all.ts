import { isKubeError } from './errors.ts';
import type { KubeClient, ListOptions } from './kube-client.ts';

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
  const first = await client.list<T>(path, options);
  const items = first.items.map(keep);
  // All pages show the state of the first one.
  const { resourceVersion } = first.metadata;
  let from = first.metadata.continue;
  while (from !== undefined && from !== '') {
    const page = await client.list<T>(path, { ...options, continue: from });
    items.push(...page.items.map(keep));
    from = page.metadata.continue;
  }
  return { items, resourceVersion };
}
