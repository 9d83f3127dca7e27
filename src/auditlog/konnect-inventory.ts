/** Reads what stands in Konnect: the destinations of the organization, and the webhooks of a region. */
import type { KonnectClient } from '../konnect/client.ts';
import type { Destination, InlineWebhook, Webhook } from '../konnect/schema.ts';
import { Konnect } from '../konnect/session/konnect.ts';
import { type KonnectConnection, requiredToken } from './konnect-connection.ts';

export interface Inventory {
  readonly destinations: readonly Destination[];
  /** Undefined if it names no destination. */
  readonly organization: Webhook | undefined;
  /** The organization's webhook with an endpoint of its own. Undefined if it names a destination, or has none. */
  readonly inline: InlineWebhook | undefined;
  /** The portals whose webhook names a destination. */
  readonly portals: readonly { readonly id: string; readonly webhook: Webhook }[];
  /** How many portals the token sees. */
  readonly portalCount: number;
}

/** More than any organization has. It ends a list whose pages never end. */
const maxPages = 100;

/** Returns the IDs of all portals that the token sees in the region. Rejects with a KonnectError. */
export async function portalIDs(
  client: Pick<KonnectClient, 'listPortals'>,
  region: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = new Set<string>();
  for (let page = 1; page <= maxPages; page += 1) {
    const before = found.size;
    for (const { id } of await client.listPortals(region, signal, page)) found.add(id);
    // Konnect may return fewer than the command asks for, so only a page without a new portal is the last one.
    if (found.size === before) break;
  }
  return [...found];
}

/** Returns what the token sees. Rejects with a KonnectError, and with a UsageError if the user gave no token. */
export async function readInventory(
  { http, urlTemplate, region, token }: KonnectConnection,
  signal: AbortSignal,
): Promise<Inventory> {
  const { client } = new Konnect({ http, urlTemplate }).forToken(requiredToken(token), 'new', region);
  const [destinations, attached, inline, listed] = await Promise.all([
    client.listDestinations('v3', signal),
    client.getOrganizationWebhook(region, signal),
    client.getInlineWebhook(region, signal),
    portalIDs(client, region, signal),
  ]);
  const portals = await Promise.all(
    listed.map(async (id) => ({ id, webhook: await client.getPortalWebhook(region, id, signal) })),
  );
  const isAttached = attached?.destinationID !== undefined;
  return {
    destinations,
    organization: isAttached ? attached : undefined,
    inline: isAttached || inline?.endpoint === undefined ? undefined : inline,
    portals: portals.flatMap(({ id, webhook }) => (webhook?.destinationID === undefined ? [] : [{ id, webhook }])),
    portalCount: listed.length,
  };
}
