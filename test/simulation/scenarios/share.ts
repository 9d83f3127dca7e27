/** Two forwardings that want the same webhook. */
import { key, type SpecChoice, usual } from '../../support/forwarding-spec.ts';
import { codeOf, forum, kiosk, nowhere, otherSiem, shop } from '../../support/konnect-fixtures.ts';
import type { FinalState, Scenario } from '../scenario.ts';
import { allAttached, inline, inlineOn, organizationOnly, ownDestination, shopOnly } from './common.ts';

const younger = 'platform/later';
const older = 'platform/earlier';
/** The state of the forwarding of the scenario, if a user creates it again after the other one has taken over. */
const claimed = { [key]: 'False Claimed Stalled' };

/** Two forwardings want the same webhooks. The older one, of the scenario, owns them. `siem` is the Secret of the younger one. */
function withYounger(choice: SpecChoice, siem = 'other'): Pick<Scenario, 'before' | 'prepare'> {
  return {
    before: choice,
    async prepare(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...choice, siem }, younger, 1_000);
      await world.work();
    },
  };
}

/** The forwarding may keep a destination that it created before Konnect refused a call. */
function passedOverFor(owner: string): FinalState {
  const after = { 'blue/us': `${owner} on` };
  return { after, destinations: [`blue/${owner}`], readiness: claimed, mayRemain: ownDestination };
}

const allHandedOver = { 'blue/shop': `${younger} on`, 'blue/forum': `${younger} on`, 'blue/us': `${younger} on` };

export const shared: readonly Scenario[] = [
  {
    title: 'share',
    before: usual,
    change(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...shopOnly, siem: 'other' }, younger, 1_000);
    },
    after: allAttached,
    destinations: ownDestination,
    readiness: { [younger]: 'False Claimed Stalled' },
    writesNothing: true,
  },
  {
    title: 'move-portal',
    changesOwner: true,
    before: usual,
    async prepare(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...shopOnly, portals: [{ id: shop, enabled: true }], siem: 'other' }, younger, 1_000);
      await world.work();
    },
    change: (world) => world.edit({ ...usual, portals: [{ id: forum, enabled: true }] }),
    after: { 'blue/shop': `${younger} on`, 'blue/forum': `${key} on`, 'blue/us': `${key} on` },
    destinations: [...ownDestination, `blue/${younger}`],
    undone: {
      after: { 'blue/shop': `${younger} on`, 'blue/forum': `${key} on`, 'blue/us': `${key} on` },
      destinations: [...ownDestination, `blue/${younger}`],
      readiness: claimed,
    },
  },
  {
    title: 'move-portal-there-and-back',
    changesOwner: true,
    before: usual,
    async prepare(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...shopOnly, siem: 'other' }, younger, 1_000);
      await world.work();
    },
    change: (world) => world.edit({ ...usual, portals: [{ id: forum, enabled: true }] }),
    later: [
      (world) => {
        world.edit(usual);
        world.edit({ portals: [{ id: kiosk, enabled: true }], siem: 'other' }, younger);
      },
      (world) => {
        world.edit({ ...usual, portals: [{ id: forum, enabled: true }] });
        world.edit({ ...shopOnly, siem: 'other' }, younger);
      },
    ],
    after: { 'blue/shop': `${younger} on`, 'blue/forum': `${key} on`, 'blue/us': `${key} on` },
    destinations: [...ownDestination, `blue/${younger}`],
  },
  {
    title: 'hand-over-beside-a-missing-portal',
    changesOwner: true,
    before: shopOnly,
    async prepare(world) {
      world.putSecret('other', otherSiem);
      const portals = [nowhere, shop].map((id) => ({ id, enabled: true }));
      world.add({ portals, siem: 'other' }, younger, 1_000);
      await world.work();
    },
    change: (world) => world.delete(),
    after: { 'blue/shop': `${younger} on` },
    destinations: [`blue/${younger}`],
    readiness: { [key]: 'gone', [younger]: 'False PortalNotFound Stalled' },
    undone: {
      after: { 'blue/shop': `${younger} on` },
      destinations: [`blue/${younger}`],
      readiness: { ...claimed, [younger]: 'False PortalNotFound Stalled' },
    },
  },
  {
    title: 'claim-without-a-secret',
    before: { portals: [{ id: forum, enabled: true }] },
    async prepare(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...organizationOnly, siem: 'other' }, older, 7_200_000);
      await world.work();
    },
    change(world) {
      // The operator reconciles the younger one before it knows that the older one has no Secret.
      world.isSequential = true;
      world.edit({ portals: [forum, shop].map((id) => ({ id, enabled: true })) });
      world.edit({ ...shopOnly, ...organizationOnly, siem: 'missing' }, older);
    },
    after: { 'blue/shop': `${key} on`, 'blue/forum': `${key} on`, 'blue/us': `${older} on` },
    destinations: [...ownDestination, `blue/${older}`],
    readiness: { [older]: 'False SecretNotFound Reconciling' },
  },
  {
    title: 'hand-over',
    changesOwner: true,
    ...withYounger(usual),
    change: (world) => world.delete(),
    after: allHandedOver,
    destinations: [`blue/${younger}`],
    readiness: { [key]: 'gone' },
    undone: { after: allHandedOver, destinations: [`blue/${younger}`], readiness: claimed },
  },
  {
    title: 'hand-over-of-one-endpoint',
    changesOwner: true,
    ...withYounger(usual, 'siem'),
    change: (world) => world.delete(),
    after: allHandedOver,
    destinations: [`blue/${younger}`],
    readiness: { [key]: 'gone' },
    undone: { after: allHandedOver, destinations: [`blue/${younger}`], readiness: claimed },
  },
  {
    title: 'hand-over-v2',
    changesOwner: true,
    ...withYounger(inline),
    change: (world) => world.delete(),
    after: { 'blue/us': `${codeOf('second')} on` },
    destinations: [],
    readiness: { [key]: 'gone' },
    undone: { after: { 'blue/us': `${codeOf('second')} on` }, destinations: [], readiness: claimed },
  },
  {
    title: 'hand-over-v2-of-one-endpoint',
    changesOwner: true,
    ...withYounger(inline, 'siem'),
    change: (world) => world.delete(),
    after: { 'blue/us': inlineOn },
    destinations: [],
    readiness: { [key]: 'gone' },
    undone: { after: { 'blue/us': inlineOn }, destinations: [], readiness: claimed },
  },
  {
    title: 'v3-to-v2-beside-another',
    ...withYounger(organizationOnly),
    change: (world) => world.edit(inline),
    after: { 'blue/us': inlineOn },
    destinations: [],
    readiness: { [younger]: 'False Claimed Stalled' },
    // A forwarding that Konnect refuses is passed over.
    afterRefusal: passedOverFor(younger),
    undone: passedOverFor(younger),
    mayBeInterrupted: ['blue/us'],
  },
  {
    title: 'v3-to-v2-beside-an-older-one',
    before: organizationOnly,
    async prepare(world) {
      world.putSecret('other', otherSiem);
      world.add({ ...organizationOnly, siem: 'other' }, older, 7_200_000);
      await world.work();
    },
    change: (world) => world.edit(inline),
    after: { 'blue/us': inlineOn },
    destinations: [],
    readiness: { [older]: 'False Claimed Stalled' },
    afterRefusal: passedOverFor(older),
    undone: passedOverFor(older),
    mayBeInterrupted: ['blue/us'],
  },
  {
    title: 'hand-over-to-portal',
    changesOwner: true,
    before: shopOnly,
    async prepare(world) {
      world.putPortal('shop', shop);
      world.putSecret('other', otherSiem);
      world.add({ portalRefs: [{ name: 'shop', enabled: true }], siem: 'other' }, younger, 1_000);
      await world.work();
    },
    change: (world) => world.delete(),
    after: { 'blue/shop': `${younger} on` },
    destinations: [`blue/${younger}`],
    readiness: { [key]: 'gone' },
    undone: { after: { 'blue/shop': `${younger} on` }, destinations: [`blue/${younger}`], readiness: claimed },
  },
];
