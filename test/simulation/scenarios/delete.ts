/** The deletion of a forwarding. */
import { key, usual } from '../../support/forwarding-spec.ts';
import { forum, garden, shop, tokens } from '../../support/konnect-fixtures.ts';
import { behaviors } from '../behaviors.ts';
import type { Scenario } from '../scenario.ts';
import type { SimulatedWorld } from '../simulated-world.ts';
import { allAttached, byPortal, inline, ownDestination, shopOnly } from './common.ts';

/** The final state of a deleted forwarding that leaves nothing in Konnect. */
const gone = { after: {}, destinations: [], readiness: { [key]: 'gone' } };

export const deletions: readonly Scenario[] = [
  {
    title: 'delete-by-portal',
    before: byPortal,
    foreign: (world) => world.putPortal('shop', shop),
    change(world) {
      world.putPortal('shop', undefined);
      world.delete();
    },
    ...gone,
  },
  {
    title: 'delete',
    before: usual,
    change: (world) => world.delete(),
    ...gone,
  },
  {
    title: 'delete-at-the-region',
    behavior: behaviors['regional-v2'],
    before: usual,
    change: (world) => world.delete(),
    ...gone,
  },
  {
    title: 'delete-after-an-old-409',
    behavior: { releaseDelayMs: 20_000 },
    before: usual,
    foreign: (world) => void world.createForeign('theirs'),
    change(world) {
      world.afterCall('delete destination', () => world.edit(usual));
      world.edit({ ...usual, destinationRef: { name: 'theirs' } });
    },
    later: [
      (world) => {
        world.clock.ms += 3_600_000;
        world.delete();
      },
    ],
    ...gone,
  },
  {
    title: 'delete-what-is-left-behind',
    foreign: (world) => world.putSecret('own', { token: tokens.blueAgain }),
    before: { ...usual, token: 'own' },
    change(world) {
      world.kubernetes.putSecret('platform/own', { token: tokens.green });
      world.edit({ portals: [{ id: garden, enabled: true }], token: 'own' });
      // The new process does not know the old token.
      world.restart();
    },
    later: [
      (world) => world.delete(),
      ...[tokens.blueAgain, tokens.green, tokens.blueAgain].map(
        (token) => (world: SimulatedWorld) => world.putSecret('own', { token }),
      ),
    ],
    ...gone,
    // The operator forgets a token that Konnect refuses.
    afterRefusal: {
      ...gone,
      readiness: { [key]: 'False OrganizationChanged Stalled' },
      mayRemain: ['green/garden', `green/${key}`],
    },
  },
  {
    title: 'delete-without-finalizer',
    before: usual,
    change(world) {
      world.replace();
      world.delete();
    },
    ...gone,
    afterFault: {
      ...gone,
      mayRemain: [`blue/${key}`, ...Object.keys(allAttached)],
    },
    leavesUnrecorded: true,
  },
  {
    title: 'delete-one-portal',
    before: shopOnly,
    change: (world) => world.delete(),
    ...gone,
  },
  {
    title: 'delete-what-drifted',
    before: usual,
    foreign: (world) => void world.createForeign('theirs'),
    change(world) {
      world.attach(world.portal(shop), world.idOf('theirs'));
      world.delete();
    },
    ...gone,
    after: { 'blue/shop': 'theirs on' },
  },
  {
    title: 'delete-what-a-user-attached',
    behavior: { usedDestination: 'deleted' },
    foreign: (world) => world.attach(world.portal(shop), world.createForeign('theirs')),
    before: { portals: [shop, forum].map((id) => ({ id, enabled: true })) },
    change(world) {
      // Another client owns the portal, and attaches it to the destination of the forwarding.
      world.attach(world.portal(shop), world.statusOf(key).destination?.id ?? '');
      world.delete();
    },
    ...gone,
    mayBeTaken: ['blue/shop'],
  },
  {
    title: 'delete-while-creating',
    behavior: { duplicateNames: 'allowed' },
    change(world) {
      world.add(shopOnly);
      world.afterCall('create destination', () => world.delete());
    },
    ...gone,
  },
  {
    title: 'delete-harsh',
    behavior: behaviors.harsh,
    before: usual,
    change: (world) => world.delete(),
    ...gone,
  },
  {
    title: 'delete-lenient',
    behavior: { usedDestination: 'deleted' },
    before: usual,
    change: (world) => world.delete(),
    ...gone,
  },
  {
    title: 'delete-v2',
    before: inline,
    change: (world) => world.delete(),
    ...gone,
  },
  {
    title: 'delete-retain',
    before: { ...usual, deletionPolicy: 'Retain' },
    change: (world) => world.delete(),
    after: allAttached,
    destinations: ownDestination,
    readiness: { [key]: 'gone' },
    writesNothing: true,
    leavesUnrecorded: true,
  },
];
