import { describe, expect, test } from '@jest/globals';
import type { Status } from '../../../../src/api/v1alpha1.ts';
import type {
  Observed,
  ObservedDestination,
  SeenDestination,
  SeenWebhook,
} from '../../../../src/forwarding/observed/observed-state.ts';
import { plan } from '../../../../src/forwarding/plan/plan.ts';
import {
  attachedTo,
  clock,
  creating,
  desiredOf,
  justNow,
  known,
  longAgo,
  ours,
  ownDestination,
  ownWith,
  rivalsWith,
} from './fixtures.ts';
import { someProblem } from './plan-model.ts';

const intent = { name: 'n', managed: true, creating };

describe('the destination', () => {
  const unconfigured: SeenWebhook = { kind: 'unconfigured' };
  const other: SeenDestination = { ...ours, id: 'X' };
  const cases: readonly [string, Status, ObservedDestination, SeenWebhook, object][] = [
    ['is created if there is something to attach', {}, known(), unconfigured, { kind: 'create' }],
    ['is not created for a portal that is missing', {}, known(), { kind: 'missing' }, { kind: 'none' }],
    ['is not needed', {}, { kind: 'unneeded' }, unconfigured, { kind: 'none' }],
    [
      'is not known',
      {},
      { kind: 'unknown', problem: someProblem },
      unconfigured,
      { kind: 'unknown', problem: someProblem },
    ],
    [
      'is refused if its name is taken',
      {},
      known({ named: [other] }),
      unconfigured,
      { kind: 'refuse', name: 'n', ids: ['X'], why: 'policy' },
    ],
    [
      'is refused at once if Konnect answered to the creation that the name is in use, although the endpoint is the same',
      { destination: { ...intent, creating: { ...creating, secretVersion: '' } } },
      known({ named: [other], sameNameAsPending: [other] }),
      unconfigured,
      { kind: 'refuse', name: 'n', ids: ['X'], why: 'policy' },
    ],
    [
      'is waited for if Konnect answered that the name is in use, and lists do not show it yet',
      { destination: { ...intent, creating: { ...creating, secretVersion: '' } } },
      known(),
      unconfigured,
      { kind: 'wait' },
    ],
    [
      'is kept',
      { destination: ownDestination },
      known({ ours }),
      attachedTo('D'),
      { kind: 'keep', updatedAt: longAgo },
    ],
    [
      'is kept, and its time is recorded if the write did not return it',
      { destination: { ...ownDestination, updatedAt: undefined } },
      known({ ours: { ...ours, updatedAt: justNow } }),
      attachedTo('D'),
      { kind: 'keep', updatedAt: justNow },
    ],
    [
      'is kept if times differ only in their format',
      { destination: { ...ownDestination, updatedAt: '2026-01-01T00:00:00.000+00:00' } },
      known({ ours }),
      attachedTo('D'),
      { kind: 'keep', updatedAt: '2026-01-01T00:00:00.000+00:00' },
    ],
    [
      'is kept if Konnect omits fields',
      { destination: ownDestination },
      known({
        ours: {
          id: 'D',
          name: undefined,
          endpointDigest: undefined,
          endpointHoldsSecret: false,
          isSuspicious: false,
          logFormat: undefined,
          skipSSLVerification: undefined,
          updatedAt: undefined,
        },
      }),
      attachedTo('D'),
      { kind: 'keep', updatedAt: longAgo },
    ],
    [
      'gets a new Secret',
      { destination: { ...ownDestination, secretVersion: 's0' } },
      known({ ours }),
      attachedTo('D'),
      { kind: 'update', differences: ['secret'], foreign: [] },
    ],
    [
      'was changed in every field that can be read',
      { destination: ownDestination },
      known({ ours: { ...ours, name: 'm', endpointDigest: 'e2', logFormat: 'json', skipSSLVerification: true } }),
      attachedTo('D'),
      { kind: 'update', differences: ['name', 'endpoint', 'logFormat', 'skipSSLVerification'], foreign: ['name'] },
    ],
    [
      'was changed in a field that cannot be read',
      { destination: ownDestination },
      known({ ours: { ...ours, updatedAt: justNow } }),
      attachedTo('D'),
      { kind: 'update', differences: ['authorization'], foreign: ['authorization'] },
    ],
    [
      'was changed by a millisecond',
      { destination: { ...ownDestination, updatedAt: '2026-01-01T00:00:00.001Z' } },
      known({ ours }),
      attachedTo('D'),
      { kind: 'update', differences: ['authorization'], foreign: ['authorization'] },
    ],
    [
      'cannot be renamed to a name that is taken',
      { destination: ownDestination },
      known({ ours: { ...ours, name: 'm' }, named: [other] }),
      attachedTo('D'),
      { kind: 'refuse', name: 'n', ids: ['X'], why: 'renamed' },
    ],
    [
      'is created again if it no longer exists',
      { destination: ownDestination, portals: [{ id: 'p1', destinationID: 'D', enabled: true, state: 'on' }] },
      known(),
      attachedTo('D'),
      { kind: 'create' },
    ],
    ['is waited for after a pending creation', { destination: intent }, known(), unconfigured, { kind: 'wait' }],
    [
      'is created after the wait',
      { destination: { ...intent, creating: { ...creating, since: longAgo } } },
      known(),
      unconfigured,
      { kind: 'create' },
    ],
    [
      'is refused after the wait if the name is taken with another endpoint',
      { destination: { ...intent, creating: { ...creating, since: longAgo } } },
      known({ named: [{ ...other, endpointDigest: 'e9' }], sameNameAsPending: [{ ...other, endpointDigest: 'e9' }] }),
      unconfigured,
      { kind: 'refuse', name: 'n', ids: ['X'], why: 'policy' },
    ],
    [
      'is found by the pending creation, with duplicates',
      { destination: intent },
      known({ sameNameAsPending: [other, { ...other, id: 'Y' }], named: [other, { ...other, id: 'Y' }] }),
      unconfigured,
      {
        kind: 'claim',
        because: 'pending creation',
        id: 'X',
        name: 'n',
        duplicates: ['Y'],
        next: { kind: 'keep', updatedAt: longAgo },
      },
    ],
    [
      'is found by the pending creation under its old name and with its old Secret',
      { destination: { ...intent, creating: { ...creating, name: 'm', secretVersion: 's0' } } },
      known({ sameNameAsPending: [{ ...other, name: 'm' }] }),
      unconfigured,
      {
        kind: 'claim',
        because: 'pending creation',
        id: 'X',
        name: 'm',
        duplicates: [],
        next: { kind: 'update', differences: ['secret', 'name'], foreign: [] },
      },
    ],
  ];

  test.each(cases)('%s', (_title, recorded, destination, portal, expected) => {
    const observed: Observed = { destination, organization: undefined, portals: new Map([['p1', portal]]) };
    const usesDestination = destination.kind !== 'unneeded';
    expect(plan(desiredOf({ usesDestination }), recorded, observed, clock).destination).toEqual(expected);
  });
});

describe('a destination of another client, which spec refers to', () => {
  const theirs: SeenDestination = { ...ours, id: 'X', name: 'theirs' };
  const referring = desiredOf({ own: undefined, reference: { name: 'theirs' } });
  const see = (found: readonly SeenDestination[], seen: SeenWebhook): Observed => ({
    destination: { kind: 'referenced', found },
    organization: undefined,
    portals: new Map([['p1', seen]]),
  });
  const mine: Status = { portals: [{ id: 'p1', destinationID: 'X', enabled: true, state: 'on' }] };

  test.each([
    [
      'is used',
      [theirs],
      { kind: 'unconfigured' },
      { kind: 'use', id: 'X', isSuspicious: false },
      { kind: 'attach', because: 'unconfigured' },
    ],
    ['is kept', [theirs], attachedTo('X'), { kind: 'use', id: 'X', isSuspicious: false }, { kind: 'keep' }],
    [
      'is missing',
      [],
      attachedTo('X'),
      { kind: 'unresolved', ids: [] },
      { kind: 'attach', because: 'destination gone', otherID: 'X' },
    ],
    [
      'is not the only one',
      [theirs, { ...theirs, id: 'Y' }],
      attachedTo('X'),
      { kind: 'unresolved', ids: ['X', 'Y'] },
      { kind: 'attach', because: 'destination gone', otherID: 'X' },
    ],
  ] as const)('%s', (_title, found, seen, destination, portal) => {
    const steps = plan(referring, mine, see(found, seen), clock);
    expect(steps.destination).toEqual(destination);
    expect(steps.portals.get('p1')).toEqual(portal);
  });

  test('is not attached twice if another forwarding attached first', () => {
    const ownership = rivalsWith({ held: ['p1'], yielded: [], nameIsHeld: false });
    const steps = plan(referring, {}, see([theirs], attachedTo('X')), { ...clock, ownership: ownership });
    expect(steps.portals.get('p1')).toEqual({ kind: 'lost', to: 'n/rival' });
  });
});

describe('an adoption', () => {
  const theirs: SeenDestination = { ...ours, id: 'X' };
  const update = { kind: 'update', differences: ['secret'], foreign: [] };
  const claim = { kind: 'claim', because: 'adopted', id: 'X', name: 'n', duplicates: [], next: update };
  const refuse = { kind: 'refuse', name: 'n', ids: ['X'] };
  test.each([
    ['Never', 'e1', true, { ...refuse, why: 'policy' }],
    ['IfMatching', 'e1', true, claim],
    ['IfMatching', 'e1', false, { ...refuse, why: 'shared endpoint' }],
    ['IfMatching', 'e2', true, { ...refuse, why: 'other endpoint' }],
    ['Always', 'e1', false, claim],
    ['Always', 'e2', true, { ...claim, next: { kind: 'update', differences: ['secret', 'endpoint'], foreign: [] } }],
  ] as const)(
    'of a destination: %s, endpoint %s, which holds a secret: %s',
    (adoptionPolicy, endpointDigest, endpointHoldsSecret, expected) => {
      const observed: Observed = {
        destination: known({ named: [{ ...theirs, endpointDigest }] }),
        organization: undefined,
        portals: new Map([['p1', { kind: 'unconfigured' }]]),
      };
      const own = ownWith({ endpointHoldsSecret });
      expect(plan(desiredOf({ adoptionPolicy, own }), {}, observed, clock).destination).toEqual(expected);
    },
  );

  const adopted = { kind: 'attach', because: 'adopted', otherID: 'X' };
  test.each([
    ['of the own destination', ownWith(), undefined, adopted],
    [
      'of the own destination, without a secret',
      ownWith({ endpointHoldsSecret: false }),
      undefined,
      { kind: 'refuse', otherID: 'X', why: 'shared endpoint' },
    ],
    ['of a referenced destination', undefined, true, adopted],
    [
      'of a referenced destination, without a secret',
      undefined,
      false,
      { kind: 'refuse', otherID: 'X', why: 'shared endpoint' },
    ],
  ] as const)('of a webhook with the endpoint %s', (_title, own, endpointHoldsSecret, expected) => {
    const found = endpointHoldsSecret === undefined ? [] : [{ ...ours, endpointHoldsSecret }];
    const observed: Observed = {
      destination: own === undefined ? { kind: 'referenced', found } : known({ ours }),
      organization: undefined,
      portals: new Map([
        ['p1', { kind: 'attached', destinationID: 'X', enabled: true, destinationExists: true, otherDigest: 'e1' }],
      ]),
    };
    const desired = desiredOf({
      adoptionPolicy: 'IfMatching',
      own,
      reference: own === undefined ? { id: 'D' } : undefined,
    });
    const recorded = own === undefined ? {} : { destination: ownDestination };
    expect(plan(desired, recorded, observed, clock).portals.get('p1')).toEqual(expected);
  });

  test('of one of several destinations never happens', () => {
    const observed: Observed = {
      destination: known({ named: [theirs, { ...theirs, id: 'Y' }] }),
      organization: undefined,
      portals: new Map([['p1', { kind: 'unconfigured' }]]),
    };
    const step = plan(desiredOf({ adoptionPolicy: 'Always' }), {}, observed, clock).destination;
    expect(step).toEqual({ kind: 'refuse', name: 'n', ids: ['X', 'Y'], why: 'several' });
  });
});

describe('a pending creation whose destination is in status already', () => {
  test('still identifies the duplicates that a crash has left', () => {
    const twin: SeenDestination = { ...ours, id: 'Y' };
    const stranger: SeenDestination = { ...ours, id: 'Z', endpointDigest: 'e9' };
    const recorded: Status = { destination: { ...ownDestination, creating } };
    const observed: Observed = {
      destination: known({ ours, sameNameAsPending: [twin, stranger], named: [twin, stranger] }),
      organization: undefined,
      portals: new Map([['p1', attachedTo('D')]]),
    };
    expect(plan(desiredOf(), recorded, observed, clock).destination).toEqual({
      kind: 'claim',
      because: 'pending creation',
      id: 'D',
      name: 'n',
      duplicates: ['Y'],
      next: { kind: 'keep', updatedAt: longAgo },
    });
  });
});

test('a portal that status does not name is attached if it points at a deleted destination of the forwarding', () => {
  const observed: Observed = {
    destination: known(),
    organization: undefined,
    portals: new Map([['p1', attachedTo('D')]]),
  };
  const steps = plan(desiredOf(), { destination: ownDestination }, observed, clock);
  expect(steps.portals.get('p1')).toEqual({ kind: 'attach', because: 'destination gone', otherID: 'D' });
  expect(steps.destination).toEqual({ kind: 'create' });
});
