import type { Behavior } from '../../sandbox/konnect/behavior.ts';
import { type KonnectServer, startKonnect } from '../../sandbox/konnect/server.ts';
import { organizationID, portalID, seed } from '../unit/sandbox/konnect/support.ts';

/** Runs `use` with a local Konnect that behaves like this. */
export async function withKonnect(
  behavior: Partial<Behavior>,
  use: (server: KonnectServer) => Promise<void>,
): Promise<void> {
  const server = await startKonnect({ seed, behavior });
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

/** Returns everything that is configured, without webhooks that are off and have no target. */
export function leftIn({ model }: KonnectServer): unknown {
  const found = model.organizations.get(organizationID);
  return {
    destinations: found?.destinations.filter(({ to }) => to === undefined).map(({ destination }) => destination.name),
    portal: found?.portals.get(portalID)?.webhook.target.kind,
    organization: found?.webhooks.get('us')?.target.kind,
  };
}

/** What `leftIn` returns if nothing is left. */
export const nothing = { destinations: [], portal: 'none', organization: 'none' };
