/** What exists in every scenario beside its own forwarding. */
import { webhookIn } from '../../sandbox/konnect/model.ts';
import {
  blue,
  green,
  kiosk,
  neighborSiem,
  orchard,
  sharedSiem,
  siem,
  stall,
  tokens,
} from '../support/konnect-fixtures.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Another forwarding. It is older and has its own portal. */
export const neighbor = 'platform/neighbor';

/** Creates the Secrets, the objects of other clients in Konnect, and the neighbor. */
export function setUpOthers(world: SimulatedWorld): void {
  world.putSecret('konnect', { token: tokens.blue });
  world.putSecret('siem', siem);
  world.putSecret('neighbor-siem', neighborSiem);
  world.putSecret('shared-siem', sharedSiem);
  for (const [organization, portal] of [
    [world.organization(blue), kiosk],
    [world.organization(green), orchard],
  ] as const) {
    const id = world.createForeign('audit-of-others', { organization });
    world.attach(world.portal(portal, organization), id, organization);
    world.attach(webhookIn(organization, 'au'), id, organization);
  }
  world.add({ portals: [{ id: stall, enabled: true }], siem: 'neighbor-siem' }, neighbor, 7_200_000);
}
