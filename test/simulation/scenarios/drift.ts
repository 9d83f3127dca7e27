/** What other clients and Konnect itself change in Konnect. */

import { clearWebhook, recordAttempt } from '../../../sandbox/konnect/model/webhooks.ts';
import type { Webhook } from '../../../sandbox/konnect/model.ts';
import { key, usual } from '../../support/forwarding-spec.ts';
import { forum, shop, siem } from '../../support/konnect-fixtures.ts';
import type { Scenario } from '../scenario.ts';
import type { SimulatedWorld } from '../simulated-world.ts';
import { allAttached, inline, inlineOn, ownDestination, shopOnly } from './common.ts';

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

export const drifts: readonly Scenario[] = [
  {
    title: 'drift',
    before: usual,
    foreign: (world) => void world.createForeign('theirs'),
    change(world) {
      const organization = world.organization();
      clearWebhook(world.konnect, organization, world.portal(forum));
      clearWebhook(world.konnect, organization, world.webhook());
      world.destination(key).to = new Date(world.clock.ms);
      world.attach(world.portal(shop), world.idOf('theirs'));
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
      world.destination(key).to = new Date(world.clock.ms);
      // The operator corrects the detached webhook with a destination that an old list may still show.
      clearWebhook(world.konnect, world.organization(), world.portal(shop));
      world.edit({ ...shopOnly, interval: '11m' });
    },
    after: { 'blue/shop': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'drift-beside-a-touched-secret',
    before: usual,
    change(world) {
      world.changeFormat(world.statusOf(key).destination?.id ?? '');
      world.putSecret('siem', siem);
    },
    after: allAttached,
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
];
