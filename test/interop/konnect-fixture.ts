/** The state of the local Konnect, read from its model. */
import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import type { Destination, Organization, Webhook } from '../../sandbox/konnect/model.ts';
import type { KonnectServer } from '../../sandbox/konnect/server.ts';
import { sandboxData } from '../../sandbox/sandbox.ts';

export interface KonnectFixture {
  destinations(): Destination[];
  /** Returns the only destination of this name. Throws if there is none, or more than one. */
  destination(name: string): Destination;
  portal(id: string): Webhook;
  /** Returns the organization's webhook in region us. */
  organization(): Webhook;
  /** Returns one line for each configured object. */
  leftOver(): string[];
}

export function fixtureOf({ model }: Pick<KonnectServer, 'model'>): KonnectFixture {
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

/** True if the webhook is on or has a destination. After v2 has switched an inline webhook off, its endpoint stays: v2 has no DELETE. */
function inUse({ enabled, target }: Webhook): boolean {
  return enabled || target.kind === 'destination';
}

function found<T>(thing: T | undefined, what: string): T {
  if (thing === undefined) throw new Error(`there is no ${what}`);
  return thing;
}
