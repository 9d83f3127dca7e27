/** What the local Konnect holds, seen past its API. */
import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import type { Destination, Organization, Webhook } from '../../sandbox/konnect/model.ts';
import type { KonnectServer } from '../../sandbox/konnect/server.ts';
import { sandboxData } from '../../sandbox/sandbox.ts';

export interface KonnectWorld {
  destinations(): Destination[];
  /** By name. Throws where there is not exactly one. */
  destination(name: string): Destination;
  portal(id: string): Webhook;
  /** The organization's webhook in us. */
  organization(): Webhook;
  /** Lines of what is configured; empty where nothing is. */
  leftOver(): string[];
}

export function worldOf({ model }: Pick<KonnectServer, 'model'>): KonnectWorld {
  const organization = (): Organization => found(model.organizations.get(sandboxData.organizationID), 'organization');
  const idle: Webhook = { enabled: false, target: { kind: 'none' } };
  return {
    destinations: () => currentDestinations(organization()),
    destination(name) {
      const all = currentDestinations(organization()).filter((one) => one.name === name);
      if (all.length > 1) throw new Error(`${all.length} destinations are called ${name}`);
      return found(all[0], `destination ${name}`);
    },
    portal: (id) => found(organization().portals.get(id), `portal ${id}`).webhook,
    organization: () => organization().webhooks.get('us') ?? idle,
    leftOver() {
      const { destinations, portals, webhooks } = { ...organization() };
      return [
        ...destinations
          .filter(({ to }) => to === undefined)
          .map(({ destination }) => `destination ${destination.name}`),
        ...[...portals.values()].filter(({ webhook }) => inUse(webhook)).map(({ name }) => `webhook of portal ${name}`),
        ...[...webhooks].filter(([, webhook]) => inUse(webhook)).map(([region]) => `webhook of ${region}`),
      ];
    },
  };
}

/** On, or naming something. One that v2 set up inline and switched off still names its endpoint: v2 has no DELETE. */
function inUse({ enabled, target }: Webhook): boolean {
  return enabled || target.kind === 'destination';
}

function found<T>(thing: T | undefined, what: string): T {
  if (thing === undefined) throw new Error(`there is no ${what}`);
  return thing;
}
