/** Two organizations of a local Konnect, with their portals and tokens, and the SIEMs that the tests forward to. */
import type { KonnectSeed } from '../../sandbox/konnect/seed.ts';

export const blue = '998db3e4-5cb7-4dd5-b51c-9878096a6999';
export const green = '777db3e4-5cb7-4dd5-b51c-9878096a6999';

/** Portals of blue in region us. */
export const shop = '3e551b39-227d-4297-b911-e68fd5d77c17';
export const forum = '4e551b39-227d-4297-b911-e68fd5d77c17';
export const kiosk = '7e551b39-227d-4297-b911-e68fd5d77c17';
export const stall = '8e551b39-227d-4297-b911-e68fd5d77c17';
/** A portal of blue in region eu. */
export const laden = '5e551b39-227d-4297-b911-e68fd5d77c17';
/** Portals of green in region us. */
export const garden = '6e551b39-227d-4297-b911-e68fd5d77c17';
export const orchard = '9e551b39-227d-4297-b911-e68fd5d77c17';
/** No portal has this ID. */
export const nowhere = 'ffffffff-227d-4297-b911-e68fd5d77c17';

/** Every secret contains the word CANARY, which no output may contain. */
export const tokens = {
  blue: 'kpat_blueCANARY0123456789',
  blueAgain: 'kpat_blueCANARYother98765',
  readOnly: 'spat_readCANARY0123456789',
  /** A token that may not read the organization. */
  unproven: 'spat_noneCANARY0123456789',
  green: 'kpat_greenCANARY012345678',
};

/** The end of a code that the endpoint of a SumoLogic source contains, as long and as mixed as the real ones. */
export const codeOf = (end: string) => `ZaVnC4dhaV1fQ9mB7xT2pLw8KsYd3RgHj6Ne0UoCANARY${end}`;
/** An endpoint that holds a secret, so that an equal one proves the ownership. */
const endpointOf = (end: string) => `https://siem.example.com/receiver/v1/http/${codeOf(end)}`;

export const siem = {
  endpoint: endpointOf('code'),
  authorization: 'Bearer CANARY',
};
export const otherSiem = {
  endpoint: endpointOf('second'),
  authorization: 'Bearer CANARYsecond',
};
export const neighborSiem = {
  endpoint: endpointOf('neighbor'),
  authorization: 'Bearer CANARYneighbor',
};
/** All teams that send to this SIEM have the same endpoint. */
export const sharedSiem = {
  endpoint: 'https://http-inputs.splunk.example.com/services/collector/raw',
  authorization: 'Splunk CANARYshared',
};

export const konnectSeed: KonnectSeed = {
  regions: ['us', 'eu', 'au'],
  organizations: [
    {
      id: blue,
      name: 'Blue',
      tokens: [
        { value: tokens.blue, access: 'full' },
        { value: tokens.blueAgain, access: 'full' },
        { value: tokens.readOnly, access: 'read-only' },
        { value: tokens.unproven, access: 'no-organization' },
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
