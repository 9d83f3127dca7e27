import { describe, expect, test } from '@jest/globals';
import type { Status } from '../../../../src/api/v1alpha1.ts';
import type { SeenWebhook } from '../../../../src/forwarding/observed/observed-state.ts';
import { ownershipOf, uncontested, type WebhookKey } from '../../../../src/forwarding/ownership/ownership.ts';
import { forum, shop } from '../../../support/konnect-fixtures.ts';
import {
  attached,
  cleanup,
  contest,
  inlineOn,
  organizationID,
  type Sketch,
  stalledBy,
  wantsBoth,
  wantsPortal,
} from './forwardings.ts';

const portal: WebhookKey = { kind: 'portal', id: shop };
const organization: WebhookKey = { kind: 'organization' };
const pointsAt = (destinationID: string): SeenWebhook => ({
  kind: 'attached',
  destinationID,
  enabled: true,
  destinationExists: true,
});
const unconfigured: SeenWebhook = { kind: 'unconfigured' };
const inline: SeenWebhook = {
  kind: 'inline',
  endpointDigest: 'e',
  enabled: true,
  logFormat: undefined,
  skipSSLVerification: undefined,
  updatedAt: undefined,
};
const leavesV3: Status = {
  cleanup: [{ organizationID, region: 'us', api: 'v3', kind: 'organization', destinationID: 'B' }],
};
const entersV2: Status = { organization: { api: 'v2', enabled: true, state: 'pending', updating: 'Change' } };

const free = { kind: 'free' };
const held = (by: string) => ({ kind: 'held', by: `n/${by}` });
const yielded = (by: string) => ({ kind: 'yielded', by: `n/${by}` });

describe("a portal's webhook", () => {
  const cases: readonly [string, Sketch, Readonly<Record<string, Sketch>>, SeenWebhook, object][] = [
    ['no other forwarding wants it', { age: 1 }, {}, unconfigured, free],
    ['the older one takes a webhook without an owner', { age: 1 }, { b: { age: 2 } }, unconfigured, free],
    ['the younger one leaves it to the older one', { age: 2 }, { b: { age: 1 } }, unconfigured, held('b')],
    ['the name decides between two of one age', { age: 1 }, { b: { age: 1 } }, unconfigured, free],
    [
      'the owner keeps it, although it is younger',
      { age: 1 },
      { b: { age: 2, status: attached('B') } },
      pointsAt('B'),
      held('b'),
    ],
    [
      'the owner keeps it while its write has no answer',
      { age: 1 },
      { b: { age: 2, status: attached('B', 'pending') } },
      pointsAt('B'),
      held('b'),
    ],
    [
      'the previous owner loses it if it points at the destination of this forwarding',
      { age: 2, status: attached('A') },
      { b: { age: 1, status: attached('B') } },
      pointsAt('A'),
      free,
    ],
    [
      'the last owner keeps it, although it is detached',
      { age: 1 },
      { b: { age: 2, status: attached('B') } },
      unconfigured,
      held('b'),
    ],
    [
      'the last owner keeps it, although it points elsewhere',
      { age: 1 },
      { b: { age: 2, status: attached('B') } },
      pointsAt('X'),
      held('b'),
    ],
    [
      'this forwarding keeps it as the last owner',
      { age: 2, status: attached('A') },
      { b: { age: 1 } },
      pointsAt('X'),
      free,
    ],
    [
      'a write that may not have been executed gives no ownership',
      { age: 1 },
      { b: { age: 2, status: attached('B', 'pending') } },
      unconfigured,
      free,
    ],
    [
      'the last owner loses it if it is stalled',
      { age: 1 },
      { b: { age: 2, status: { ...attached('B'), ...stalledBy('TokenRejected') } } },
      unconfigured,
      free,
    ],
    [
      'the owner keeps it if it is stalled',
      { age: 1 },
      { b: { age: 2, status: { ...attached('B'), ...stalledBy('TokenRejected') } } },
      pointsAt('B'),
      held('b'),
    ],
    [
      'a suspended owner keeps it',
      { age: 1 },
      { b: { age: 2, spec: { ...wantsPortal, suspend: true }, status: attached('B') } },
      unconfigured,
      held('b'),
    ],
    [
      'a suspended forwarding takes nothing',
      { age: 2 },
      { b: { age: 1, spec: { ...wantsPortal, suspend: true } } },
      unconfigured,
      free,
    ],
    [
      'a forwarding in mode Observe takes nothing',
      { age: 2 },
      { b: { age: 1, spec: { ...wantsPortal, mode: 'Observe' } } },
      unconfigured,
      free,
    ],
    [
      'a stalled forwarding takes nothing',
      { age: 2 },
      { b: { age: 1, status: stalledBy('SecretInvalid') } },
      unconfigured,
      free,
    ],
    [
      'a forwarding that lost a claim can take the next one',
      { age: 2 },
      { b: { age: 1, status: stalledBy('Claimed') } },
      unconfigured,
      held('b'),
    ],
    [
      'a forwarding that cannot see the portal takes nothing',
      { age: 2 },
      { b: { age: 1, status: { portals: [{ id: shop, enabled: true, state: 'refused', reason: 'PortalNotFound' }] } } },
      unconfigured,
      free,
    ],
    [
      'a forwarding for another portal takes nothing',
      { age: 2 },
      { b: { age: 1, spec: { portals: [{ id: forum, enabled: true }] } } },
      unconfigured,
      free,
    ],
    [
      'a forwarding for another region takes nothing',
      { age: 2 },
      { b: { age: 1, spec: { ...wantsPortal, region: 'eu' } } },
      unconfigured,
      free,
    ],
    [
      'a forwarding of another organization takes nothing',
      { age: 2 },
      { b: { age: 1, status: { konnect: { organizationID: 'p', region: 'us' } } } },
      unconfigured,
      free,
    ],
    [
      'a forwarding without a proved organization takes nothing',
      { age: 2 },
      { b: { age: 1, status: { konnect: undefined } } },
      unconfigured,
      free,
    ],
    [
      'an owner that is deleted hands over',
      { age: 2 },
      { b: { age: 1, deleted: true, status: attached('B') } },
      pointsAt('B'),
      yielded('b'),
    ],
    [
      'an owner that no longer wants it hands over',
      { age: 2 },
      { b: { age: 1, spec: { organization: { enabled: true } }, status: { cleanup: [cleanup] } } },
      pointsAt('B'),
      yielded('b'),
    ],
    [
      'an owner that moved to another organization hands over',
      { age: 2 },
      { b: { age: 1, status: { konnect: { organizationID: 'p', region: 'us' }, cleanup: [cleanup] } } },
      pointsAt('B'),
      yielded('b'),
    ],
    [
      'an owner hands over only to the oldest one',
      { age: 3 },
      { b: { age: 1, deleted: true, status: attached('B') }, c: { age: 2 } },
      pointsAt('B'),
      held('b'),
    ],
    [
      'an owner hands over to the oldest one that can take it',
      { age: 3 },
      { b: { age: 1, deleted: true, status: attached('B') }, c: { age: 2, spec: { ...wantsPortal, suspend: true } } },
      pointsAt('B'),
      yielded('b'),
    ],
    [
      'an owner that is deleted with Retain keeps it until it no longer exists',
      { age: 2 },
      { b: { age: 1, deleted: true, spec: { ...wantsPortal, deletionPolicy: 'Retain' }, status: attached('B') } },
      pointsAt('B'),
      held('b'),
    ],
    [
      'an owner that is deleted in mode Observe keeps it until it no longer exists',
      { age: 2 },
      { b: { age: 1, deleted: true, spec: { ...wantsPortal, mode: 'Observe' }, status: attached('B') } },
      pointsAt('B'),
      held('b'),
    ],
    [
      'the older one of two that refer to one destination owns it',
      { age: 1, status: attached('X') },
      { b: { age: 2, status: attached('X') } },
      pointsAt('X'),
      free,
    ],
    [
      'the younger one of two that refer to one destination does not own it',
      { age: 2, status: attached('X') },
      { b: { age: 1, status: attached('X') } },
      pointsAt('X'),
      held('b'),
    ],
  ];

  test.each(cases)('%s', (_title, self, others, seen, expected) => {
    expect(ownershipOf(contest(self, others)).webhook(portal, seen)).toEqual(expected);
  });
});

describe("the organization's webhook", () => {
  const self = { age: 2, spec: wantsBoth };
  test.each([
    [
      'an inline webhook belongs to the forwarding whose status names it',
      { age: 1, spec: wantsBoth, status: inlineOn },
      inline,
      held('b'),
    ],
    [
      'an inline webhook of a deleted forwarding is handed over',
      { age: 1, spec: wantsBoth, deleted: true, status: inlineOn },
      inline,
      yielded('b'),
    ],
    [
      'a webhook belongs to the forwarding of its destination',
      {
        age: 3,
        spec: wantsBoth,
        status: { organization: { api: 'v3', destinationID: 'B', enabled: true, state: 'on' } },
      },
      pointsAt('B'),
      held('b'),
    ],
    ['an inline webhook without an owner is free', { age: 3, spec: wantsBoth }, inline, free],
    ['a forwarding that wants only portals does not own it', { age: 1 }, unconfigured, free],
    [
      'a forwarding that changes the API version keeps it while it is detached',
      { age: 3, spec: { ...wantsBoth, api: 'v2' }, status: leavesV3 },
      unconfigured,
      held('b'),
    ],
    [
      'a forwarding that changes the API version keeps it while its write has no answer',
      { age: 3, spec: { ...wantsBoth, api: 'v2' }, status: entersV2 },
      unconfigured,
      held('b'),
    ],
    [
      'a forwarding that changes the API version loses it if it cannot write',
      { age: 3, spec: { ...wantsBoth, api: 'v2' }, status: { ...leavesV3, ...stalledBy('SecretInvalid') } },
      unconfigured,
      free,
    ],
    [
      'a forwarding that no longer wants it does not keep it',
      { age: 3, spec: { ...wantsPortal, api: 'v2' }, status: leavesV3 },
      unconfigured,
      free,
    ],
  ] as const)('%s', (_title, other, seen, expected) => {
    expect(ownershipOf(contest(self, { b: other })).webhook(organization, seen)).toEqual(expected);
  });
});

describe("a destination's name", () => {
  const name = 'n/a';
  const named = { ...wantsPortal, name };
  const cases: readonly [string, Sketch, readonly string[], object][] = [
    ['no other forwarding wants it', { age: 1 }, [], free],
    ['an older one wants it', { age: 1, spec: named }, [], held('b')],
    ['a younger one wants it', { age: 3, spec: named }, [], free],
    ['an older one that is stalled wants it', { age: 1, spec: named, status: stalledBy('NameInUse') }, [], free],
    [
      'a forwarding whose destination has the name owns it',
      { age: 3, status: { destination: { id: 'D', name: 'old', managed: true } } },
      ['D'],
      held('b'),
    ],
    [
      'a forwarding whose destination is not in lists yet owns it',
      { age: 3, status: { destination: { id: 'D', name, managed: true } } },
      [],
      held('b'),
    ],
    [
      'a forwarding that refers to the destination does not own it',
      { age: 3, status: { destination: { id: 'D', name, managed: false } } },
      ['D'],
      free,
    ],
    [
      'a forwarding that is about to delete the destination owns it',
      { age: 3, status: { cleanup: [{ ...cleanup, kind: 'destination', destinationID: 'D' }] } },
      ['D'],
      held('b'),
    ],
    [
      'a forwarding of another organization does not own it',
      {
        age: 1,
        spec: named,
        status: { konnect: { organizationID: 'p', region: 'us' }, destination: { id: 'D', name, managed: true } },
      },
      ['D'],
      free,
    ],
  ];

  test.each(cases)('%s', (_title, other, ids, expected) => {
    expect(ownershipOf(contest({ age: 2 }, { b: other })).destination(name, ids)).toEqual(expected);
  });
});

test('without other forwardings everything is free', () => {
  expect([uncontested.webhook(portal, unconfigured), uncontested.destination('n', ['D'])]).toEqual([free, free]);
});
