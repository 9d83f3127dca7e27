/** A change of spec, of a Secret or of a Portal object. */

import { revokeToken } from '../../../sandbox/konnect/model.ts';
import { key, type SpecChoice, usual } from '../../support/forwarding-spec.ts';
import { codeOf, forum, garden, laden, otherSiem, shop, siem, tokens } from '../../support/konnect-fixtures.ts';
import { behaviors, inconvenient } from '../behaviors.ts';
import { neighbor } from '../fixtures.ts';
import type { Scenario } from '../scenario.ts';
import { allAttached, byPortal, inline, inlineOn, organizationOnly, ownDestination, shopOnly } from './common.ts';

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
    title: 'update-format',
    deletable: true,
    before: shopOnly,
    change: (world) => world.edit({ ...shopOnly, logFormat: 'json' }),
    after: { 'blue/shop': `${key} on` },
    destinations: ownDestination,
  },
  {
    title: 'update-daily',
    before: { ...shopOnly, interval: '24h' },
    change: (world) => world.edit({ portals: [{ id: shop, enabled: false }], interval: '24h' }),
    after: { 'blue/shop': `${key} off` },
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
    title: 'rotate-to-a-placeholder',
    before: usual,
    change: (world) => world.putSecret('siem', { ...siem, authorization: '<path:secret/data/CANARY#authorization>' }),
    later: [(world) => world.putSecret('siem', siem)],
    after: allAttached,
    destinations: ownDestination,
    writesNothing: true,
  },
  {
    title: 'rename-cluster',
    before: usual,
    change: (world) => world.restart('cluster'),
    after: { 'blue/shop': `cluster/${key} on`, 'blue/forum': `cluster/${key} on`, 'blue/us': `cluster/${key} on` },
    destinations: [`blue/cluster/${key}`, `blue/cluster/${neighbor}`],
    mayBeTaken: [neighbor],
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
    title: 'revoke-the-token',
    foreign: (world) => world.putSecret('own', { token: tokens.blueAgain }),
    before: { ...usual, token: 'own' },
    change(world) {
      revokeToken(world.konnect, tokens.blueAgain);
      world.edit({ ...usual, token: 'own', interval: '11m' });
    },
    after: allAttached,
    destinations: ownDestination,
    readiness: { [key]: 'False TokenRejected Stalled' },
    undone: {
      after: allAttached,
      destinations: ownDestination,
      readiness: { [key]: 'False TokenRejected Stalled' },
    },
    writesNothing: true,
    // The reconciliation after that has not even the organization.
    resyncsBeforeRest: 1,
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
];
