import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Status } from '../../../../src/api/v1alpha1.ts';
import type { DesiredState, OwnDestination } from '../../../../src/forwarding/desired/desired-state.ts';
import type {
  Observed,
  ObservedDestination,
  SeenDestination,
  SeenWebhook,
} from '../../../../src/forwarding/observed/observed-state.ts';
import { type Ownership, uncontested } from '../../../../src/forwarding/ownership/ownership.ts';
import { plan } from '../../../../src/forwarding/plan/plan.ts';
import { wasAttached } from '../../../../src/status/recorded-state.ts';
import { carryOut, isEmpty, isUsed, look, someProblem, type World, type WorldWebhook } from './plan-model.ts';

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const clock = {
  ageMs: (time: string) => nowMs - Date.parse(time),
  pendingCreationTimeoutMs: 30_000,
  ownership: uncontested,
};
const longAgo = '2026-01-01T00:00:00Z';
const justNow = '2026-05-31T23:59:45Z';

function desiredOf(over: Partial<DesiredState> = {}): DesiredState {
  return {
    region: 'us',
    api: 'v3',
    own: ownWith(),
    reference: undefined,
    usesDestination: true,
    organization: undefined,
    portals: [{ id: 'p1', enabled: true, field: 'spec.portals[0]' }],
    unresolved: [],
    adoptionPolicy: 'Never',
    ...over,
  };
}

function ownWith({
  name = 'n',
  endpointDigest = 'e1',
  secretVersion = 's1',
  endpointHoldsSecret = true,
} = {}): OwnDestination {
  const settings = {
    name,
    endpoint: 'https://e',
    authorization: 'a',
    logFormat: 'cef',
    skipSSLVerification: false,
  } as const;
  return { settings, endpointDigest, secretVersion, endpointHoldsSecret };
}

const ours: SeenDestination = {
  id: 'D',
  name: 'n',
  endpointDigest: 'e1',
  endpointHoldsSecret: true,
  logFormat: 'cef',
  skipSSLVerification: false,
  updatedAt: longAgo,
};
const remembered = { id: 'D', name: 'n', managed: true, secretVersion: 's1', updatedAt: longAgo };
const creating = { name: 'n', since: justNow, secretVersion: 's1', endpointDigest: 'e1' };
const intent = { name: 'n', managed: true, creating };

function known(over: Partial<Extract<ObservedDestination, { kind: 'known' }>> = {}): ObservedDestination {
  return { kind: 'known', ours: undefined, named: [], sameNameAsPending: [], ...over };
}

function attachedTo(destinationID: string, enabled = true, destinationExists = true): SeenWebhook {
  return { kind: 'attached', destinationID, enabled, destinationExists };
}

const inline: SeenWebhook = {
  kind: 'inline',
  endpointDigest: 'e1',
  enabled: true,
  logFormat: 'cef',
  skipSSLVerification: false,
  updatedAt: longAgo,
};

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
    ['is kept', { destination: remembered }, known({ ours }), attachedTo('D'), { kind: 'keep', updatedAt: longAgo }],
    [
      'is kept, and its time is recorded if the write did not return it',
      { destination: { ...remembered, updatedAt: undefined } },
      known({ ours: { ...ours, updatedAt: justNow } }),
      attachedTo('D'),
      { kind: 'keep', updatedAt: justNow },
    ],
    [
      'is kept if times differ only in their format',
      { destination: { ...remembered, updatedAt: '2026-01-01T00:00:00.000+00:00' } },
      known({ ours }),
      attachedTo('D'),
      { kind: 'keep', updatedAt: '2026-01-01T00:00:00.000+00:00' },
    ],
    [
      'is kept if Konnect omits fields',
      { destination: remembered },
      known({
        ours: {
          id: 'D',
          name: undefined,
          endpointDigest: undefined,
          endpointHoldsSecret: false,
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
      { destination: { ...remembered, secretVersion: 's0' } },
      known({ ours }),
      attachedTo('D'),
      { kind: 'update', differences: ['secret'], foreign: [] },
    ],
    [
      'was changed in every field that can be read',
      { destination: remembered },
      known({ ours: { ...ours, name: 'm', endpointDigest: 'e2', logFormat: 'json', skipSSLVerification: true } }),
      attachedTo('D'),
      { kind: 'update', differences: ['name', 'endpoint', 'logFormat', 'skipSSLVerification'], foreign: ['name'] },
    ],
    [
      'was changed in a field that cannot be read',
      { destination: remembered },
      known({ ours: { ...ours, updatedAt: justNow } }),
      attachedTo('D'),
      { kind: 'update', differences: ['authorization'], foreign: ['authorization'] },
    ],
    [
      'was changed by a millisecond',
      { destination: { ...remembered, updatedAt: '2026-01-01T00:00:00.001Z' } },
      known({ ours }),
      attachedTo('D'),
      { kind: 'update', differences: ['authorization'], foreign: ['authorization'] },
    ],
    [
      'cannot be renamed to a name that is taken',
      { destination: remembered },
      known({ ours: { ...ours, name: 'm' }, named: [other] }),
      attachedTo('D'),
      { kind: 'refuse', name: 'n', ids: ['X'], why: 'renamed' },
    ],
    [
      'is created again if it no longer exists',
      { destination: remembered, portals: [{ id: 'p1', destinationID: 'D', enabled: true, state: 'on' }] },
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

  test.each(cases)('%s', (_title, memory, destination, portal, expected) => {
    const observed: Observed = { destination, organization: undefined, portals: new Map([['p1', portal]]) };
    const usesDestination = destination.kind !== 'unneeded';
    expect(plan(desiredOf({ usesDestination }), memory, observed, clock).destination).toEqual(expected);
  });
});

type State = 'on' | 'off' | 'pending' | 'detaching' | 'refused';

describe("a portal's webhook", () => {
  const cases: readonly [string, { destinationID?: string; state: State } | undefined, SeenWebhook, object][] = [
    ['is attached if it is unconfigured', undefined, { kind: 'unconfigured' }, { because: 'unconfigured' }],
    ['is kept', { destinationID: 'D', state: 'on' }, attachedTo('D'), { kind: 'keep' }],
    ['is kept if status does not name it', undefined, attachedTo('D'), { kind: 'keep' }],
    ['is switched on', { destinationID: 'D', state: 'on' }, attachedTo('D', false), { because: 'enabled' }],
    [
      'is pointed back',
      { destinationID: 'D', state: 'off' },
      attachedTo('X'),
      { because: 'pointed elsewhere', otherID: 'X' },
    ],
    [
      'is attached if its destination no longer exists',
      undefined,
      attachedTo('X', true, false),
      { because: 'destination gone' },
    ],
    [
      'is attached again if it points at our previous destination',
      { destinationID: 'O', state: 'on' },
      attachedTo('O'),
      { because: 'destination gone' },
    ],
    ['is refused if it was never ours', undefined, attachedTo('X'), { kind: 'refuse', otherID: 'X', why: 'policy' }],
    [
      'is refused if our attachment may never have been executed',
      { destinationID: 'D', state: 'pending' },
      attachedTo('X'),
      { kind: 'refuse', otherID: 'X', why: 'policy' },
    ],
    ['stays refused', { state: 'refused' }, attachedTo('X'), { kind: 'refuse', otherID: 'X', why: 'policy' }],
    ['is missing', undefined, { kind: 'missing' }, { kind: 'missing' }],
    ['is not known', undefined, { kind: 'unknown', problem: someProblem }, { kind: 'unknown', problem: someProblem }],
  ];

  test.each(cases)('%s', (_title, before, seen, expected) => {
    const memory: Status = {
      destination: remembered,
      ...(before === undefined ? {} : { portals: [{ id: 'p1', enabled: true, ...before }] }),
    };
    const observed: Observed = {
      destination: known({ ours }),
      organization: undefined,
      portals: new Map([['p1', seen]]),
    };
    const step = plan(desiredOf(), memory, observed, clock).portals.get('p1');
    expect(step).toEqual({ ...('kind' in expected ? {} : { kind: 'attach' }), ...expected });
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
      { kind: 'use', id: 'X' },
      { kind: 'attach', because: 'unconfigured' },
    ],
    ['is kept', [theirs], attachedTo('X'), { kind: 'use', id: 'X' }, { kind: 'keep' }],
    [
      'is missing',
      [],
      attachedTo('X'),
      { kind: 'unresolved', ids: [] },
      { kind: 'attach', because: 'destination gone' },
    ],
    [
      'is not the only one',
      [theirs, { ...theirs, id: 'Y' }],
      attachedTo('X'),
      { kind: 'unresolved', ids: ['X', 'Y'] },
      { kind: 'attach', because: 'destination gone' },
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
    ['of our own destination', ownWith(), undefined, adopted],
    [
      'of our own destination, without a secret',
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
    const memory = own === undefined ? {} : { destination: remembered };
    expect(plan(desired, memory, observed, clock).portals.get('p1')).toEqual(expected);
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
    const memory: Status = { destination: { ...remembered, creating } };
    const observed: Observed = {
      destination: known({ ours, sameNameAsPending: [twin, stranger], named: [twin, stranger] }),
      organization: undefined,
      portals: new Map([['p1', attachedTo('D')]]),
    };
    expect(plan(desiredOf(), memory, observed, clock).destination).toEqual({
      kind: 'claim',
      because: 'pending creation',
      id: 'D',
      name: 'n',
      duplicates: ['Y'],
      next: { kind: 'keep', updatedAt: longAgo },
    });
  });
});

test('a portal that status does not name is attached if it points at our deleted destination', () => {
  const observed: Observed = {
    destination: known(),
    organization: undefined,
    portals: new Map([['p1', attachedTo('D')]]),
  };
  const steps = plan(desiredOf(), { destination: remembered }, observed, clock);
  expect(steps.portals.get('p1')).toEqual({ kind: 'attach', because: 'destination gone' });
  expect(steps.destination).toEqual({ kind: 'create' });
});

describe("the organization's webhook", () => {
  const v2 = { api: 'v2' as const, enabled: true, endpointDigest: 'e1', secretVersion: 's1', updatedAt: longAgo };
  const cases: readonly [string, 'v2' | 'v3', Status['organization'], SeenWebhook, object][] = [
    [
      'in v3 is kept',
      'v3',
      { api: 'v3', destinationID: 'D', enabled: true, state: 'on' },
      attachedTo('D'),
      { kind: 'keep' },
    ],
    [
      'in v3 is refused if v2 shows an endpoint',
      'v3',
      undefined,
      { ...inline, endpointDigest: 'e9' },
      { kind: 'refuse', why: 'policy' },
    ],
    [
      'in v3 is refused if v2 shows our endpoint, switched on',
      'v3',
      undefined,
      inline,
      { kind: 'refuse', why: 'policy' },
    ],
    [
      'in v3 is pointed back if it was ours and another client set an inline endpoint',
      'v3',
      { api: 'v3', destinationID: 'D', enabled: true, state: 'on' },
      { ...inline, endpointDigest: 'e9' },
      { kind: 'attach', because: 'pointed elsewhere' },
    ],
    [
      'in v3 is attached if v2 shows our endpoint, switched off',
      'v3',
      undefined,
      { ...inline, enabled: false },
      { kind: 'attach', because: 'unconfigured' },
    ],
    ['in v2 is attached', 'v2', undefined, { kind: 'unconfigured' }, { kind: 'attach', because: 'unconfigured' }],
    ['in v2 is kept', 'v2', { ...v2, state: 'on' }, inline, { kind: 'keep', updatedAt: longAgo }],
    [
      'in v2 is switched on',
      'v2',
      { ...v2, state: 'on' },
      { ...inline, enabled: false },
      { kind: 'attach', because: 'enabled' },
    ],
    [
      'in v2 gets a new Secret',
      'v2',
      { ...v2, state: 'on', secretVersion: 's0' },
      inline,
      { kind: 'attach', because: 'settings' },
    ],
    [
      'in v2 was changed in a field that cannot be read',
      'v2',
      { ...v2, state: 'on' },
      { ...inline, updatedAt: justNow },
      { kind: 'attach', because: 'settings' },
    ],
    [
      'in v2 is pointed back',
      'v2',
      { ...v2, state: 'on' },
      { ...inline, endpointDigest: 'e9' },
      { kind: 'attach', because: 'pointed elsewhere' },
    ],
    ['in v2 is refused if it was never ours', 'v2', undefined, inline, { kind: 'refuse', why: 'policy' }],
    [
      'in v2 is refused if it points at a destination',
      'v2',
      undefined,
      attachedTo('X'),
      { kind: 'refuse', otherID: 'X', why: 'policy' },
    ],
    [
      'in v2 is pointed back from a destination',
      'v2',
      { ...v2, state: 'on' },
      attachedTo('X'),
      { kind: 'attach', because: 'pointed elsewhere', otherID: 'X' },
    ],
    [
      'in v2 is attached if its destination no longer exists',
      'v2',
      undefined,
      attachedTo('X', true, false),
      { kind: 'attach', because: 'destination gone' },
    ],
  ];

  test.each(cases)('%s', (_title, api, organization, seen, expected) => {
    const memory: Status = { destination: remembered, ...(organization === undefined ? {} : { organization }) };
    const observed: Observed = { destination: known({ ours }), organization: seen, portals: new Map() };
    const desired = desiredOf({ api, organization: { enabled: true }, portals: [] });
    expect(plan(desired, memory, observed, clock).organization).toEqual(expected);
  });

  const attach = { kind: 'attach', because: 'unconfigured' };
  const pending = { api: 'v3' as const, destinationID: 'D', enabled: true, state: 'pending' as const };
  test.each([
    ['has just switched it off', true, undefined, attach],
    ['was about to attach it', false, pending, attach],
    ['did neither', false, undefined, { kind: 'refuse', why: 'shared endpoint' }],
  ] as const)(
    'in v3, if v2 shows our endpoint without a secret, switched off, and this forwarding %s',
    (_title, hasLeftInline, organization, expected) => {
      const memory: Status = { destination: remembered, ...(organization === undefined ? {} : { organization }) };
      const seen: SeenWebhook = { ...inline, enabled: false };
      const observed: Observed = { destination: known({ ours }), organization: seen, portals: new Map() };
      const own = ownWith({ endpointHoldsSecret: false });
      const desired = desiredOf({ own, adoptionPolicy: 'IfMatching', organization: { enabled: true }, portals: [] });
      expect(plan(desired, memory, observed, { ...clock, hasLeftInline }).organization).toEqual(expected);
    },
  );
});

const anEnabled = fc.boolean();
const aName = fc.constantFrom('n', 'm');
const aDigest = fc.constantFrom('e1', 'e2');
const aSecret = fc.constantFrom('s1', 's2');
const anID = fc.constantFrom('D1', 'D2', 'D3');
const aTime = fc.constantFrom(longAgo, justNow);
const settings = {
  endpointDigest: aDigest,
  secret: aSecret,
  logFormat: fc.constantFrom('cef', 'json'),
  skipSSLVerification: fc.boolean(),
  updatedAt: aTime,
};
const aWebhook: fc.Arbitrary<WorldWebhook> = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.record({ kind: fc.constant('destination' as const), id: anID, enabled: anEnabled }),
);
const aWorld: fc.Arbitrary<World> = fc.record({
  destinations: fc.dictionary(anID, fc.record({ name: aName, ...settings }), { noNullPrototype: true }),
  portals: fc.dictionary(fc.constantFrom('p1', 'p2'), aWebhook, { noNullPrototype: true }),
  organization: fc.oneof(
    aWebhook,
    fc.record({ kind: fc.constant('inline' as const), enabled: anEnabled, settings: fc.record(settings) }),
  ),
  ticks: fc.constant(0),
});
const aDesired: fc.Arbitrary<DesiredState> = fc
  .record({
    api: fc.constantFrom('v3' as const, 'v2' as const),
    name: aName,
    endpointDigest: aDigest,
    endpointHoldsSecret: fc.boolean(),
    secretVersion: aSecret,
    adoptionPolicy: fc.constantFrom('Never' as const, 'IfMatching' as const, 'Always' as const),
    organization: fc.option(fc.record({ enabled: anEnabled }), { nil: undefined }),
    portals: fc
      .subarray(['p1', 'p2', 'p3'])
      .chain((ids) =>
        fc.tuple(
          ...ids.map((id) =>
            fc.record({ id: fc.constant(id), enabled: anEnabled, field: fc.constant('spec.portals[0]') }),
          ),
        ),
      ),
  })
  .map(({ name, endpointDigest, endpointHoldsSecret, secretVersion, ...one }) =>
    desiredOf({
      ...one,
      own: ownWith({ name, endpointDigest, endpointHoldsSecret, secretVersion }),
      usesDestination: one.portals.length > 0 || (one.organization !== undefined && one.api === 'v3'),
    }),
  );
const aState = fc.constantFrom<State>('on', 'off', 'pending', 'refused');
const optionalID = fc.option(anID, { nil: undefined });
const aMemory: fc.Arbitrary<Status> = fc.record({
  destination: fc.option(
    fc.oneof(
      fc.record({ id: anID, name: aName, secretVersion: aSecret, updatedAt: aTime }),
      fc.record({
        name: aName,
        creating: fc.record({
          name: aName,
          since: aTime,
          secretVersion: fc.constantFrom('s1', 's2', ''),
          endpointDigest: aDigest,
        }),
      }),
    ),
    { nil: undefined },
  ),
  organization: fc.option(
    fc.oneof(
      fc.record({ api: fc.constant('v3' as const), destinationID: optionalID, enabled: anEnabled, state: aState }),
      fc.record({
        api: fc.constant('v2' as const),
        endpointDigest: fc.option(aDigest, { nil: undefined }),
        secretVersion: aSecret,
        updatedAt: aTime,
        enabled: anEnabled,
        state: aState,
      }),
    ),
    { nil: undefined },
  ),
  portals: fc
    .subarray(['p1', 'p2', 'p3'])
    .chain((ids) =>
      fc.tuple(
        ...ids.map((id) =>
          fc.record({ id: fc.constant(id), destinationID: optionalID, enabled: anEnabled, state: aState }),
        ),
      ),
    ),
});

const places = ['p1', 'p2', 'p3', 'organization'];
const aRivalry = fc.record({
  held: fc.subarray(places),
  yielded: fc.subarray(places),
  nameIsHeld: fc.boolean(),
});

function rivalsWith({
  held,
  yielded,
  nameIsHeld,
}: {
  held: string[];
  yielded: string[];
  nameIsHeld: boolean;
}): Ownership {
  return {
    webhook(which) {
      const place = which.kind === 'portal' ? which.id : 'organization';
      if (held.includes(place)) return { kind: 'held', by: 'n/rival' };
      return yielded.includes(place) ? { kind: 'yielded', by: 'n/rival' } : { kind: 'free' };
    },
    destination: () => (nameIsHeld ? { kind: 'held', by: 'n/rival' } : { kind: 'free' }),
  };
}

const runs = { numRuns: 2_000 };

describe('any desired, recorded and observed state', () => {
  test('the plan after an applied one is empty, unless it waits, refuses, or something is missing', () => {
    fc.assert(
      fc.property(aWorld, aDesired, aMemory, (world, desired, memory) => {
        const first = plan(desired, memory, look(world, desired, memory), clock);
        // No webhook points at a destination whose POST had no answer.
        const { destination } = first;
        fc.pre(destination.kind !== 'claim' || destination.because === 'adopted' || !isUsed(world, destination.id));
        const after = carryOut(world, desired, memory, first);
        const second = plan(desired, after, look(world, desired, after), clock);
        const next = first.destination.kind === 'claim' ? first.destination.next : first.destination;
        const held = next.kind === 'wait' || next.kind === 'refuse';
        expect({ second, empty: held || isEmpty(second) }).toEqual({ second, empty: true });
        const webhooks = (one: typeof first) => [one.organization, ...one.portals.values()];
        const refused = webhooks(first).map((step) => step?.kind === 'refuse');
        const refusedStill = webhooks(second).map((step) => step?.kind === 'refuse');
        expect(refusedStill).toEqual(refused);
      }),
      runs,
    );
  });

  test('objects of other clients stay unchanged, except those that the policy allows', () => {
    fc.assert(
      fc.property(aWorld, aDesired, aMemory, (world, desired, memory) => {
        const before = structuredClone(world);
        carryOut(world, desired, memory, plan(desired, memory, look(world, desired, memory), clock));
        const { own, adoptionPolicy } = desired;
        const adoptable = (digest: string | undefined) =>
          adoptionPolicy === 'Always' ||
          (adoptionPolicy === 'IfMatching' && own?.endpointHoldsSecret === true && digest === own.endpointDigest);
        const post = memory.destination?.creating;
        const creatingName = post?.secretVersion === '' ? undefined : post?.name;
        const foreign = Object.entries(before.destinations).filter(
          ([id, one]) =>
            id !== memory.destination?.id &&
            !(one.name === own?.settings.name && adoptable(one.endpointDigest)) &&
            !(one.name === creatingName && one.endpointDigest === post?.endpointDigest),
        );
        expect(foreign.map(([id]) => world.destinations[id])).toEqual(foreign.map(([, one]) => one));
        const theirs = Object.entries(before.portals).filter(
          ([id, webhook]) =>
            webhook.kind === 'destination' &&
            before.destinations[webhook.id] !== undefined &&
            !adoptable(before.destinations[webhook.id]?.endpointDigest) &&
            webhook.id !== memory.destination?.id &&
            foreign.some(([other]) => other === webhook.id) &&
            memory.portals?.find((one) => one.id === id)?.destinationID !== webhook.id &&
            !wasAttached(memory.portals?.find((one) => one.id === id)),
        );
        expect(theirs.map(([id]) => world.portals[id])).toEqual(theirs.map(([, webhook]) => webhook));
      }),
      runs,
    );
  });

  test('a webhook that another forwarding owns is not attached, and one that it yields is', () => {
    fc.assert(
      fc.property(aWorld, aDesired, aMemory, aRivalry, (world, desired, memory, rivalry) => {
        const before = structuredClone(world);
        const observed = look(world, desired, memory);
        const context = { ...clock, ownership: rivalsWith(rivalry) };
        const alone = plan(desired, memory, observed, clock);
        const found = plan(desired, memory, observed, context);
        const taken = found.destination.kind === 'create' || found.destination.kind === 'claim';
        const byPendingCreation =
          found.destination.kind === 'claim' && found.destination.because === 'pending creation';
        expect(rivalry.nameIsHeld && taken && !byPendingCreation).toBe(false);
        carryOut(world, desired, memory, found);
        const steps = [...found.portals, ['organization', found.organization] as const];
        const wrong = steps.filter(([place, step]) => {
          if (step === undefined || step.kind === 'missing' || step.kind === 'unknown') return false;
          const because = step.kind === 'attach' ? step.because : step.kind;
          if (rivalry.held.includes(place)) return !['lost', 'keep', 'enabled', 'settings'].includes(because);
          if (rivalry.yielded.includes(place)) return step.kind !== 'keep' && step.kind !== 'attach';
          const undisputed = place === 'organization' ? alone.organization : alone.portals.get(place);
          return !rivalry.nameIsHeld && !isDeepStrictEqual(step, undisputed);
        });
        expect(wrong).toEqual([]);
        const lost = steps.filter(([, step]) => step?.kind === 'lost').map(([place]) => place);
        const at = (one: World) => lost.map((id) => (id === 'organization' ? one.organization : one.portals[id]));
        expect(at(world)).toEqual(at(before));
      }),
      runs,
    );
  });

  test('the same input gives the same plan, and is not changed', () => {
    fc.assert(
      fc.property(aWorld, aDesired, aMemory, (world, desired, memory) => {
        const observed = look(world, desired, memory);
        const given = structuredClone({ desired, memory, observed });
        const first = plan(desired, memory, observed, clock);
        expect(plan(given.desired, given.memory, given.observed, clock)).toEqual(first);
        expect({ desired, memory, observed }).toEqual(given);
      }),
    );
  });
});
