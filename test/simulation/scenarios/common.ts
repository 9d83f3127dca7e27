/** Choices that several scenarios share. */
import { key, type SpecChoice } from '../../support/forwarding-spec.ts';
import { codeOf, forum, shop } from '../../support/konnect-fixtures.ts';

export const shopOnly: SpecChoice = { portals: [{ id: shop, enabled: true }] };
export const organizationOnly: SpecChoice = { organization: { enabled: true } };
/** The organization's webhook through v2, without a destination. */
export const inline: SpecChoice = { api: 'v2', organization: { enabled: true } };
/** One portal by its ID and one by its Portal object. */
export const byPortal: SpecChoice = {
  portals: [{ id: forum, enabled: true }],
  portalRefs: [{ name: 'shop', enabled: true }],
};

/** `after` of a scenario in which all webhooks of `usual` are attached. */
export const allAttached = { 'blue/shop': `${key} on`, 'blue/forum': `${key} on`, 'blue/us': `${key} on` };
/** `destinations` of a scenario in which the forwarding has its own destination. */
export const ownDestination = [`blue/${key}`];
export const inlineOn = `${codeOf('code')} on`;
