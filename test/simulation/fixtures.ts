/** Who and what is there in every story, beside what it is about. */
import { webhookIn } from '../../sandbox/konnect/model.ts';
import type { KonnectSeed } from '../../sandbox/konnect/seed.ts';
import { blue, forum, garden, green, laden, shop, siem, tokens } from '../unit/forwarding/support/harness.ts';
import type { World } from './simulated-world.ts';

/** Blue's portals beside those of the stories: one is somebody else's, one the rival's. */
export const kiosk = '7e551b39-227d-4297-b911-e68fd5d77c17';
export const stall = '8e551b39-227d-4297-b911-e68fd5d77c17';
/** Green's, and somebody else's. */
export const orchard = '9e551b39-227d-4297-b911-e68fd5d77c17';

export const key = 'platform/sumologic';
/** Another forwarding, which is older and has its own portal. */
export const rival = 'platform/rival';

export const rivalSiem = {
  endpoint: 'https://siem.example.com/receiver/v1/http/CANARYrival',
  authorization: 'Bearer CANARYrival',
};

/** Two organizations; of the first there are two tokens. */
export const konnectSeed: KonnectSeed = {
  regions: ['us', 'eu', 'au'],
  organizations: [
    {
      id: blue,
      name: 'Blue',
      tokens: [
        { value: tokens.blue, access: 'full' },
        { value: tokens.blueAgain, access: 'full' },
      ],
      portals: [
        { id: shop, name: 'shop', region: 'us' },
        { id: forum, name: 'forum', region: 'us' },
        { id: kiosk, name: 'kiosk', region: 'us' },
        { id: stall, name: 'stall', region: 'us' },
        { id: laden, name: 'laden', region: 'eu' },
      ],
    },
    {
      id: green,
      name: 'Green',
      tokens: [{ value: tokens.green, access: 'full' }],
      portals: [
        { id: garden, name: 'garden', region: 'us' },
        { id: orchard, name: 'orchard', region: 'us' },
      ],
    },
  ],
};

/** The Secrets, what others have set up in Konnect, and the rival. */
export function furnish(world: World): void {
  world.putSecret('konnect', { token: tokens.blue });
  world.putSecret('siem', siem);
  world.putSecret('rival-siem', rivalSiem);
  for (const [organization, portal] of [
    [world.organization(blue), kiosk],
    [world.organization(green), orchard],
  ] as const) {
    const id = world.createForeign('audit-of-others', { organization });
    world.point(world.portal(portal, organization), id, organization);
    world.point(webhookIn(organization, 'au'), id, organization);
  }
  world.add({ portals: [{ id: stall, enabled: true }], siem: 'rival-siem' }, rival, 7_200_000);
}
