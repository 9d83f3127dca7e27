/** Returns the region of a request: the first label of its host (`us.localhost`), else the first segment of its path (`/us/…`). */
export function addressOf(
  { host, url }: { readonly host: string | undefined; readonly url: string },
  regions: readonly string[],
): { region: string; path: string; query: URLSearchParams } {
  const question = url.indexOf('?');
  const fullPath = question === -1 ? url : url.slice(0, question);
  const query = new URLSearchParams(question === -1 ? '' : url.slice(question + 1));
  const label = host?.split('.', 1)[0] ?? '';
  if (regions.includes(label)) return { region: label, path: fullPath, query };
  const [, region = '', ...rest] = fullPath.split('/');
  return { region, path: `/${rest.join('/')}`, query };
}
