/** A change between an own destination and one that another client owns. */

import { key, type SpecChoice, usual } from '../../support/forwarding-spec.ts';
import { forum } from '../../support/konnect-fixtures.ts';
import type { Scenario } from '../scenario.ts';
import { staleMs } from '../simulated-world.ts';
import { allAttached, ownDestination, shopOnly } from './common.ts';

const neverAdopting: SpecChoice = { ...usual, adoptionPolicy: 'Never' };

export const references: readonly Scenario[] = [
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
      world.attach(world.portal(forum), world.idOf('theirs'));
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
