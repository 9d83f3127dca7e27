import { type ContractClient, itemPath, itemPlaces } from '../contract-client.ts';
import { type Finding, finding } from '../finding.ts';

/** Checks which hosts serve requests for one destination. The other checks then use the first host that serves all of them. */
export async function* askDestinationHosts(client: ContractClient): AsyncGenerator<Finding> {
  const { ask, make, settings } = client;
  let isFound = false;
  for (const place of itemPlaces) {
    const made = await make();
    const { id, name, endpoint, log_format, skip_ssl_verification } = made.body;
    if (typeof id !== 'string') throw new Error(`no destination can be created: POST answered ${made.status}`);
    const path = itemPath(place, id);
    const body = { name, endpoint, log_format, skip_ssl_verification, authorization: 'Bearer contract' };
    const refused: string[] = [];
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const { status } = await ask(method, place.host, path, method === 'PATCH' ? { body } : {});
      if (status >= 300) refused.push(`${method} ${status}`);
    }
    if (refused.length === 0 && !isFound) {
      client.askItemsAt(place);
      isFound = true;
    }
    const where = place.host === 'global' ? 'global' : settings.region;
    yield finding(
      `item-${place.host}-${place.version}`,
      `Does the host of ${where} serve GET, PATCH and DELETE of one destination in ${place.version}?`,
      refused.length === 0 ? 'yes' : `no: ${refused.join(', ')}`,
    );
  }
}
