import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import type { Destination, Organization, Webhook } from '../../sandbox/konnect/model.ts';
import type { World } from './simulated-world.ts';

/** One webhook of any organization: `blue/shop` for a portal, `blue/us` for the organization's in a region. */
export interface SeenWebhook {
  readonly name: string;
  readonly organization: Organization;
  readonly webhook: Webhook;
  readonly which:
    | { readonly kind: 'portal'; readonly id: string }
    | { readonly kind: 'organization'; readonly region: string };
  /** What it points at; undefined where that is nothing, or gone. */
  readonly destination: Destination | undefined;
}

export interface SeenDestination {
  /** `blue/NAME`. */
  readonly name: string;
  readonly organization: Organization;
  readonly destination: Destination;
}

export function webhooksOf(world: World): SeenWebhook[] {
  return [...world.konnect.organizations.values()].flatMap((organization) => {
    const standing = currentDestinations(organization);
    const see = (name: string, which: SeenWebhook['which'], webhook: Webhook): SeenWebhook => {
      const { target } = webhook;
      const destination = target.kind === 'destination' ? standing.find(({ id }) => id === target.id) : undefined;
      return { name: `${organization.name.toLowerCase()}/${name}`, organization, webhook, which, destination };
    };
    return [
      ...[...organization.portals.values()].map(({ id, name, webhook }) => see(name, { kind: 'portal', id }, webhook)),
      ...[...organization.webhooks].map(([region, webhook]) => see(region, { kind: 'organization', region }, webhook)),
    ];
  });
}

export function destinationsOf(world: World): SeenDestination[] {
  return [...world.konnect.organizations.values()].flatMap((organization) =>
    currentDestinations(organization).map((destination) => ({
      name: `${organization.name.toLowerCase()}/${destination.name}`,
      organization,
      destination,
    })),
  );
}

/** Such as `platform/sumologic on`; an inline webhook by the end of its endpoint. */
export function pointsAt({ webhook: { target, enabled }, destination }: SeenWebhook): string {
  const on = enabled ? 'on' : 'off';
  switch (target.kind) {
    case 'none':
      return `nothing ${on}`;
    case 'inline':
      return `${target.inline.endpoint.split('/').at(-1) ?? ''} ${on}`;
    case 'destination':
      return `${destination?.name ?? 'what is gone'} ${on}`;
  }
}

/** True where what happens is delivered. */
export function isDelivering({ webhook: { target, enabled }, destination }: SeenWebhook): boolean {
  return enabled && (target.kind === 'inline' || destination !== undefined);
}
