/** A new forwarding: created, adopted or refused. */

import { pointWebhook } from '../../../sandbox/konnect/model/webhooks.ts';
import { key, type SpecChoice, usual } from '../../support/forwarding-spec.ts';
import { codeOf, neighborSiem, sharedSiem, shop, siem } from '../../support/konnect-fixtures.ts';
import { inconvenient } from '../behaviors.ts';
import type { Scenario } from '../scenario.ts';
import { type SimulatedWorld, staleMs } from '../simulated-world.ts';
import { allAttached, byPortal, inline, inlineOn, organizationOnly, ownDestination, shopOnly } from './common.ts';

function createAdoptable(world: SimulatedWorld): void {
  world.createForeign(key, { endpoint: siem.endpoint });
  const id = world.createForeign('adoptable', { endpoint: siem.endpoint });
  world.attach(world.portal(shop), id);
  world.attach(world.webhook(), id);
  // It stands for so long that an old list shows it as well.
  world.clock.ms += staleMs;
}

/** Several teams send to its SIEM by one endpoint. */
const ofSharedSiem: SpecChoice = { ...shopOnly, siem: 'shared-siem' };

export const creations: readonly Scenario[] = [
  {
    title: 'create',
    change: (world) => world.add(usual),
    after: allAttached,
    destinations: ownDestination,
    deletable: true,
  },
  {
    title: 'create-harsh',
    deletable: true,
    behavior: inconvenient,
    change: (world) => world.add(usual),
    after: allAttached,
    destinations: ownDestination,
  },
  {
    title: 'create-one-portal',
    deletable: true,
    behavior: { duplicateNames: 'allowed' },
    change: (world) => world.add(shopOnly),
    after: { 'blue/shop': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'create-v2',
    deletable: true,
    change: (world) => world.add(inline),
    after: { 'blue/us': inlineOn },
    destinations: [],
  },
  {
    title: 'create-v2-and-portals',
    deletable: true,
    change: (world) => world.add({ ...usual, api: 'v2' }),
    after: { ...allAttached, 'blue/us': inlineOn },
    destinations: ownDestination,
  },
  {
    title: 'create-with-a-default-port',
    deletable: true,
    behavior: inconvenient,
    change(world) {
      const endpoint = siem.endpoint.replace('siem.example.com', 'SIEM.example.com:443');
      world.putSecret('port', { ...siem, endpoint });
      world.add({ ...usual, api: 'v2', siem: 'port' });
    },
    after: { ...allAttached, 'blue/us': inlineOn },
    destinations: ownDestination,
  },
  {
    title: 'adopt',
    deletable: true,
    foreign: createAdoptable,
    change: (world) => world.add(usual),
    after: allAttached,
    destinations: ownDestination,
    mayBeTaken: [key, 'blue/shop', 'blue/forum', 'blue/us'],
  },
  {
    title: 'webhooks-taken-back',
    foreign: createAdoptable,
    before: usual,
    change(world) {
      const id = world.idOf('adoptable');
      world.attach(world.portal(shop), id);
      world.attach(world.webhook(), id);
    },
    after: { 'blue/shop': 'adoptable on', 'blue/us': 'adoptable on', 'blue/forum': `${key} on` },
    destinations: ownDestination,
    readiness: { [key]: 'False WebhookInUse Stalled' },
    mayBeTaken: [key, 'blue/shop', 'blue/us'],
    writesNothing: true,
  },
  {
    title: 'destination-taken-back',
    foreign: createAdoptable,
    before: usual,
    change: (world) => world.changeFormat(world.idOf(key)),
    after: allAttached,
    destinations: ownDestination,
    readiness: { [key]: 'False NameInUse Stalled' },
    mayBeTaken: [key, 'blue/shop', 'blue/forum', 'blue/us'],
    writesNothing: true,
    leavesUnrecorded: true,
  },
  {
    title: 'refuse',
    foreign: (world) => {
      const id = world.createForeign('theirs');
      world.attach(world.portal(shop), id);
    },
    change: (world) => world.add(shopOnly),
    after: { 'blue/shop': 'theirs on' },
    destinations: [],
    readiness: { [key]: 'False WebhookInUse Stalled' },
    writesNothing: true,
  },
  {
    title: 'create-beside-a-new-namesake',
    behavior: { duplicateNames: 'allowed' },
    change(world) {
      // The neighbor has just read the list that all forwardings share.
      world.createForeign(key);
      world.clock.ms += 60_000;
      world.add({ ...shopOnly, adoptionPolicy: 'Never' });
    },
    after: {},
    destinations: ownDestination,
    readiness: { [key]: 'False NameInUse Stalled' },
    writesNothing: true,
  },
  {
    title: 'refuse-shared-endpoint',
    foreign: (world) => {
      const id = world.createForeign('theirs', { endpoint: sharedSiem.endpoint });
      world.attach(world.portal(shop), id);
      world.createForeign(key, { endpoint: sharedSiem.endpoint });
    },
    change: (world) => world.add(ofSharedSiem),
    after: { 'blue/shop': 'theirs on' },
    destinations: [],
    readiness: { [key]: 'False NameInUse Stalled' },
    writesNothing: true,
    deletable: true,
  },
  {
    title: 'create-with-a-shared-endpoint',
    deletable: true,
    behavior: { duplicateNames: 'allowed' },
    foreign: (world) => void world.createForeign('theirs', { endpoint: sharedSiem.endpoint }),
    change: (world) => world.add(ofSharedSiem),
    after: { 'blue/shop': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'refuse-inline',
    foreign(world) {
      const inlineTarget = { ...neighborSiem, logFormat: 'cef', skipSSLVerification: false } as const;
      pointWebhook(world.konnect, world.organization(), world.webhook(), { kind: 'inline', inline: inlineTarget });
      world.webhook().enabled = true;
    },
    change: (world) => world.add(organizationOnly),
    after: { 'blue/us': `${codeOf('neighbor')} on` },
    destinations: [],
    readiness: { [key]: 'False WebhookInUse Stalled' },
    writesNothing: true,
  },
  {
    title: 'create-by-portal',
    change(world) {
      world.putPortal('shop', shop);
      world.add(byPortal);
    },
    after: { 'blue/shop': `${key} on`, 'blue/forum': `${key} on` },
    destinations: ownDestination,
  },
];
