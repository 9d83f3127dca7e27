/** A change of spec, of a Secret, of a Portal object or, by another client, of Konnect. */

import { clearWebhook, recordAttempt } from '../../../sandbox/konnect/model/webhooks.ts';
import { revokeToken, type Webhook } from '../../../sandbox/konnect/model.ts';
import { key, type SpecChoice, usual } from '../../support/forwarding-spec.ts';
import { codeOf, forum, garden, laden, otherSiem, shop, siem, tokens } from '../../support/konnect-fixtures.ts';
import { behaviors, inconvenient } from '../behaviors.ts';
import type { Scenario } from '../scenario.ts';
import { type SimulatedWorld, staleMs } from '../simulated-world.ts';
import { allAttached, byPortal, inline, inlineOn, organizationOnly, ownDestination, shopOnly } from './common.ts';

function detachShop(world: SimulatedWorld): void {
  clearWebhook(world.konnect, world.organization(), world.portal(shop));
}

/** The SIEM refuses three deliveries, so that Konnect switches the webhook off, and accepts the first one after the write `call`. */
function failDeliveries(world: SimulatedWorld, webhook: Webhook, call: string): void {
  const attempt = (code: number) =>
    recordAttempt(world.konnect, webhook, { at: new Date(world.clock.ms), code, message: '', ok: code < 300 });
  for (const code of [503, 503, 503]) attempt(code);
  world.afterCall(call, () => attempt(200));
}

const neverAdopting: SpecChoice = { ...usual, adoptionPolicy: 'Never' };
const inGreen: SpecChoice = {
  portals: [{ id: garden, enabled: true }],
  organization: { enabled: true },
  token: 'greens',
};

export const changes: readonly Scenario[] = [
  {
    title: 'update',
    deletable: true,
    before: usual,
    change: (world) =>
      world.edit({
        ...usual,
        portals: [
          { id: shop, enabled: true },
          { id: forum, enabled: false },
        ],
      }),
    after: { ...allAttached, 'blue/forum': `${key} off` },
    destinations: ownDestination,
  },
  {
    title: 'more-and-fewer-portals',
    deletable: true,
    before: shopOnly,
    change: (world) => world.edit({ portals: [{ id: forum, enabled: true }], organization: { enabled: true } }),
    after: { 'blue/forum': `${key} on`, 'blue/us': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'rotate',
    deletable: true,
    before: usual,
    change: (world) => world.putSecret('siem', otherSiem),
    after: allAttached,
    destinations: ownDestination,
  },
  {
    title: 'rotate-authorization',
    behavior: inconvenient,
    before: usual,
    change: (world) => world.putSecret('siem', { ...siem, authorization: 'Bearer CANARYnew' }),
    after: allAttached,
    destinations: ownDestination,
  },
  {
    title: 'rotate-at-the-region',
    deletable: true,
    behavior: behaviors['regional-v3'],
    before: usual,
    change: (world) => world.putSecret('siem', otherSiem),
    after: allAttached,
    destinations: ownDestination,
  },
  {
    title: 'rotate-v2',
    deletable: true,
    before: inline,
    change: (world) => world.putSecret('siem', otherSiem),
    after: { 'blue/us': `${codeOf('second')} on` },
    destinations: [],
  },
  {
    title: 'rotate-v2-and-portals',
    deletable: true,
    before: { ...usual, api: 'v2' },
    change: (world) => world.putSecret('siem', otherSiem),
    after: { ...allAttached, 'blue/us': `${codeOf('second')} on` },
    destinations: ownDestination,
  },
  {
    title: 'touch-secret',
    before: usual,
    change: (world) => world.putSecret('siem', siem),
    after: allAttached,
    destinations: ownDestination,
    writesNothing: true,
  },
  {
    title: 'drift',
    before: usual,
    foreign: (world) => void world.createForeign('theirs'),
    change(world) {
      const organization = world.organization();
      const theirs = organization.destinations.find(({ destination }) => destination.name === 'theirs');
      clearWebhook(world.konnect, organization, world.portal(forum));
      clearWebhook(world.konnect, organization, world.webhook());
      const mine = organization.destinations.find(
        ({ destination, to }) => to === undefined && destination.name === key,
      );
      if (mine !== undefined) mine.to = new Date(world.clock.ms);
      world.attach(world.portal(shop), theirs?.destination.id ?? '');
    },
    after: allAttached,
    destinations: ownDestination,
  },
  {
    title: 'drift-destination-gone',
    deletable: true,
    behavior: { usedDestination: 'deleted' },
    before: shopOnly,
    change(world) {
      const mine = world
        .organization()
        .destinations.find(({ destination, to }) => to === undefined && destination.name === key);
      if (mine !== undefined) mine.to = new Date(world.clock.ms);
      // The operator corrects the detached webhook with a destination that an old list may still show.
      clearWebhook(world.konnect, world.organization(), world.portal(shop));
      world.edit({ ...shopOnly, interval: '11m' });
    },
    after: { 'blue/shop': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'drift-again-and-again',
    before: shopOnly,
    change: detachShop,
    later: [detachShop, detachShop, detachShop],
    after: {},
    destinations: ownDestination,
    readiness: { [key]: 'False Contested Stalled' },
    // A process with an outdated cache does not know that the correction was the operator's.
    afterFault: { after: { 'blue/shop': `${key} on` }, destinations: ownDestination },
  },
  {
    title: 'drift-v2',
    before: inline,
    change(world) {
      const webhook = world.webhook();
      webhook.enabled = false;
      webhook.updatedAt = new Date(world.clock.ms);
    },
    after: { 'blue/us': inlineOn },
    destinations: [],
  },
  {
    title: 'switched-off-by-konnect',
    deletable: true,
    behavior: { switchOffAfter: 3 },
    before: shopOnly,
    change: (world) => failDeliveries(world, world.portal(shop), 'update portal webhook'),
    after: { 'blue/shop': `${key} on` },
    destinations: ownDestination,
    resyncsBeforeRest: 1,
  },
  {
    title: 'switched-off-by-konnect-v2',
    deletable: true,
    behavior: { switchOffAfter: 3 },
    before: inline,
    change: (world) => failDeliveries(world, world.webhook(), 'update inline webhook'),
    after: { 'blue/us': inlineOn },
    destinations: [],
    resyncsBeforeRest: 1,
  },
  {
    title: 'rename',
    deletable: true,
    before: usual,
    change: (world) => world.edit({ ...usual, name: 'renamed' }),
    after: { 'blue/shop': 'renamed on', 'blue/forum': 'renamed on', 'blue/us': 'renamed on' },
    destinations: ['blue/renamed'],
  },
  {
    title: 'change-region',
    deletable: true,
    before: usual,
    change: (world) => world.edit({ ...usual, region: 'eu', portals: [{ id: laden, enabled: true }] }),
    after: { 'blue/laden': `${key} on`, 'blue/eu': `${key} on` },
    destinations: ownDestination,
    oneOf: [['blue/us', 'blue/eu']],
  },
  {
    title: 'change-region-v2',
    deletable: true,
    before: inline,
    change: (world) => world.edit({ ...inline, region: 'eu' }),
    after: { 'blue/eu': inlineOn },
    destinations: [],
    oneOf: [['blue/us', 'blue/eu']],
  },
  {
    title: 'change-token',
    deletable: true,
    before: usual,
    change: (world) => world.putSecret('konnect', { token: tokens.blueAgain }),
    after: allAttached,
    destinations: ownDestination,
  },
  {
    title: 'change-organization',
    before: usual,
    change(world) {
      world.kubernetes.putSecret('platform/greens', { token: tokens.green });
      world.edit(inGreen);
    },
    after: { 'green/garden': `${key} on`, 'green/us': `${key} on` },
    destinations: [`green/${key}`],
    oneOf: [['blue/us', 'green/us']],
    // Only the crashed process knew a token of the old organization.
    afterFault: {
      after: { 'green/garden': `${key} on`, 'green/us': `${key} on` },
      destinations: [`green/${key}`],
      readiness: { [key]: 'False LeftBehind Stalled' },
      mayRemain: ['blue/shop', 'blue/forum', 'blue/us', `blue/${key}`],
    },
    undone: {
      after: allAttached,
      destinations: ownDestination,
      readiness: { [key]: 'False LeftBehind Stalled' },
      mayRemain: ['green/garden', 'green/us', `green/${key}`],
    },
  },
  {
    title: 'change-organization-and-revoke-the-token',
    foreign: (world) => world.putSecret('own', { token: tokens.blueAgain }),
    before: { ...usual, token: 'own' },
    change(world) {
      world.kubernetes.putSecret('platform/greens', { token: tokens.green });
      world.edit(inGreen);
      revokeToken(world.konnect, tokens.blueAgain);
    },
    later: [(world) => world.edit({ ...inGreen, deletionPolicy: 'Retain' })],
    after: { 'green/garden': `${key} on`, 'green/us': `${key} on` },
    destinations: [`green/${key}`],
    mayRemain: ['blue/shop', 'blue/forum', 'blue/us', `blue/${key}`],
    leavesUnrecorded: true,
  },
  {
    title: 'portal-made-anew',
    before: { portalRefs: [{ name: 'shop', enabled: true }] },
    foreign: (world) => world.putPortal('shop', shop),
    change(world) {
      world.putPortal('shop', forum);
      world.edit({ portalRefs: [{ name: 'shop', enabled: true }], interval: '11m' });
    },
    after: { 'blue/forum': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'portal-deleted-with-its-entry',
    before: byPortal,
    foreign: (world) => world.putPortal('shop', shop),
    change(world) {
      world.putPortal('shop', undefined);
      world.edit({ portals: [{ id: forum, enabled: true }] });
    },
    after: { 'blue/forum': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'portal-out-of-sight',
    before: usual,
    change(world) {
      world.hide(forum);
      world.edit({ ...usual, portals: [{ id: shop, enabled: true }] });
    },
    later: [(world) => world.hide(forum, false)],
    after: { 'blue/shop': `${key} on`, 'blue/us': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'replace',
    before: usual,
    change: (world) => world.replace(),
    after: allAttached,
    destinations: ownDestination,
    writesNothing: true,
  },
  {
    title: 'replace-suspended',
    before: usual,
    async prepare(world) {
      world.edit({ ...usual, suspend: true });
      await world.work();
    },
    change: (world) => world.replace(),
    after: allAttached,
    destinations: ownDestination,
    readiness: { [key]: 'Unknown Suspended' },
    writesNothing: true,
  },
  {
    title: 'suspend',
    before: usual,
    change: (world) => world.edit({ ...usual, portals: [], suspend: true }),
    after: allAttached,
    destinations: ownDestination,
    readiness: { [key]: 'Unknown Suspended' },
    writesNothing: true,
  },
  {
    title: 'resume',
    before: usual,
    async prepare(world) {
      world.edit({ ...usual, suspend: true });
      await world.work();
    },
    change: (world) => world.edit({ ...usual, portals: [{ id: shop, enabled: true }] }),
    after: { 'blue/shop': `${key} on`, 'blue/us': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'observe',
    before: usual,
    change: (world) => world.edit({ ...usual, mode: 'Observe', portals: [{ id: shop, enabled: true }] }),
    after: allAttached,
    destinations: ownDestination,
    readiness: { [key]: 'False Drifted' },
    writesNothing: true,
  },
  {
    title: 'v3-to-v2',
    deletable: true,
    before: organizationOnly,
    change: (world) => world.edit(inline),
    after: { 'blue/us': inlineOn },
    destinations: [],
    mayBeInterrupted: ['blue/us'],
  },
  {
    title: 'v2-to-v3',
    deletable: true,
    before: inline,
    change: (world) => world.edit(organizationOnly),
    after: { 'blue/us': `${key} on` },
    destinations: ownDestination,
    mayBeInterrupted: ['blue/us'],
  },
  {
    title: 'refer-to-another',
    deletable: true,
    foreign: (world) => void world.createForeign('theirs'),
    before: usual,
    change: (world) => world.edit({ ...usual, destinationRef: { name: 'theirs' } }),
    after: { 'blue/shop': 'theirs on', 'blue/forum': 'theirs on', 'blue/us': 'theirs on' },
    destinations: [],
  },
  {
    title: 'refer-to-another-and-back-while-deleting',
    foreign: (world) => void world.createForeign('theirs'),
    before: neverAdopting,
    async prepare(world) {
      // Even the oldest list shows the destination.
      world.clock.ms += staleMs;
      await world.work();
    },
    change(world) {
      world.afterCall('delete destination', () => world.edit(neverAdopting));
      world.edit({ ...neverAdopting, destinationRef: { name: 'theirs' } });
    },
    // There is nothing to delete if another client has done it.
    later: [(world) => world.edit(neverAdopting)],
    after: allAttached,
    destinations: ownDestination,
  },
  {
    title: 'refer-to-another-lenient',
    deletable: true,
    behavior: { usedDestination: 'deleted' },
    foreign: (world) => void world.createForeign('theirs'),
    before: usual,
    change: (world) => world.edit({ ...usual, destinationRef: { name: 'theirs' } }),
    after: { 'blue/shop': 'theirs on', 'blue/forum': 'theirs on', 'blue/us': 'theirs on' },
    destinations: [],
  },
  {
    title: 'refer-to-nothing-lenient',
    behavior: { usedDestination: 'deleted' },
    before: usual,
    change: (world) => world.edit({ ...usual, destinationRef: { name: 'misspelt' } }),
    after: allAttached,
    destinations: ownDestination,
    readiness: { [key]: 'False DestinationNotFound Stalled' },
    writesNothing: true,
  },
  {
    title: 'refer-to-the-new-owner-of-a-portal',
    foreign: (world) => void world.createForeign('theirs'),
    before: usual,
    async prepare(world) {
      world.edit({ ...usual, suspend: true });
      await world.work();
      const theirs = world.organization().destinations.find(({ destination }) => destination.name === 'theirs');
      world.attach(world.portal(forum), theirs?.destination.id ?? '');
    },
    change: (world) => world.edit({ ...shopOnly, destinationRef: { name: 'theirs' } }),
    after: { 'blue/shop': 'theirs on', 'blue/forum': 'theirs on' },
    destinations: [],
  },
  {
    title: 'refer-to-yet-another',
    deletable: true,
    foreign(world) {
      world.createForeign('others');
      world.createForeign('theirs');
    },
    before: { ...usual, destinationRef: { name: 'others' } },
    change: (world) => world.edit({ ...usual, destinationRef: { name: 'theirs' } }),
    after: { 'blue/shop': 'theirs on', 'blue/forum': 'theirs on', 'blue/us': 'theirs on' },
    destinations: [],
  },
  {
    title: 'refer-to-none',
    deletable: true,
    foreign: (world) => void world.createForeign('theirs'),
    before: { ...usual, destinationRef: { name: 'theirs' } },
    change: (world) => world.edit(usual),
    after: allAttached,
    destinations: ownDestination,
  },
];
