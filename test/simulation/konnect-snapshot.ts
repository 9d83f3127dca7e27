import { currentDestinations } from '../../sandbox/konnect/model/destinations.ts';
import type { Destination, Organization, Webhook } from '../../sandbox/konnect/model.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** One webhook: `blue/shop` is that of a portal, `blue/us` that of the organization in a region. */
export interface WebhookState {
  readonly name: string;
  readonly organization: Organization;
  readonly webhook: Webhook;
  readonly which:
    | { readonly kind: 'portal'; readonly id: string }
    | { readonly kind: 'organization'; readonly region: string };
  /** Its destination. Undefined without one, or if it was deleted. */
  readonly destination: Destination | undefined;
}

export interface DestinationState {
  /** For example `blue/NAME`. */
  readonly name: string;
  readonly organization: Organization;
  readonly destination: Destination;
}

export function webhooksOf(world: SimulatedWorld): WebhookState[] {
  return [...world.konnect.organizations.values()].flatMap((organization) => {
    const standing = currentDestinations(organization);
    const see = (name: string, which: WebhookState['which'], webhook: Webhook): WebhookState => {
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

export function destinationsOf(world: SimulatedWorld): DestinationState[] {
  return [...world.konnect.organizations.values()].flatMap((organization) =>
    currentDestinations(organization).map((destination) => ({
      name: `${organization.name.toLowerCase()}/${destination.name}`,
      organization,
      destination,
    })),
  );
}

/** Returns the name of the webhook as an object of calls: `portal/ID`, or `organization/ID/REGION`. */
export function objectOf({ which, organization }: Pick<WebhookState, 'which' | 'organization'>): string {
  return which.kind === 'portal' ? `portal/${which.id}` : `organization/${organization.id}/${which.region}`;
}

/** Returns for example `platform/sumologic on`. An inline webhook has the end of its endpoint as its name. */
export function pointsAt({ webhook: { target, enabled }, destination }: WebhookState): string {
  const on = enabled ? 'on' : 'off';
  switch (target.kind) {
    case 'none':
      return `nothing ${on}`;
    case 'inline':
      return `${target.inline.endpoint.split('/').at(-1) ?? ''} ${on}`;
    case 'destination':
      return `${destination?.name ?? 'a deleted one'} ${on}`;
  }
}

/** True if the webhook delivers audit logs. */
export function isDelivering({ webhook: { target, enabled }, destination }: WebhookState): boolean {
  return enabled && (target.kind === 'inline' || destination !== undefined);
}
