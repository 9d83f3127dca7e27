/** What stands in the local Konnect. */
import type { KonnectModel } from '../../../sandbox/konnect/model.ts';
import type { Fixture } from './fixture.ts';

/** Returns what the forwarding still has in Konnect. */
export function leftOf(one: Fixture): unknown[] {
  const webhooks = one.portals.map((_id, index) => one.portalWebhook(index));
  return [...one.destinations(), ...webhooks.filter(({ enabled, target }) => enabled || target.kind !== 'none')];
}

/** Returns everything in Konnect, of all clients. */
export function everything({ organizations }: KonnectModel): unknown {
  return [...organizations.values()].map(({ destinations, webhooks, portals }) => ({
    destinations: destinations.filter(({ to }) => to === undefined).map(({ destination }) => destination),
    webhooks: [...webhooks]
      .filter(([, { target }]) => target.kind !== 'none')
      .map(([region, { target, enabled }]) => ({ region, target, enabled })),
    portals: [...portals.values()]
      .filter(({ webhook }) => webhook.target.kind !== 'none')
      .map(({ id, webhook: { target, enabled } }) => ({ id, target, enabled })),
  }));
}

/** Returns the destinations and the attached webhooks of all clients. */
export function standingIn({ organizations }: KonnectModel): unknown[] {
  return [...organizations.values()].flatMap(({ destinations, webhooks, portals }) => [
    ...destinations.filter(({ to }) => to === undefined),
    ...[...webhooks.values(), ...[...portals.values()].map(({ webhook }) => webhook)].filter(
      ({ target }) => target.kind !== 'none',
    ),
  ]);
}
