import { describe, expect, test } from '@jest/globals';
import type { Status } from '../../../../src/api/v1alpha1.ts';
import type { Observed, SeenWebhook } from '../../../../src/forwarding/observed/observed-state.ts';
import { plan } from '../../../../src/forwarding/plan/plan.ts';
import {
  attachedTo,
  clock,
  desiredOf,
  inline,
  justNow,
  known,
  longAgo,
  ours,
  ownDestination,
  ownWith,
} from './fixtures.ts';
import { someProblem } from './plan-model.ts';

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
      'is attached again if it points at the previous destination of the forwarding',
      { destinationID: 'O', state: 'on' },
      attachedTo('O'),
      { because: 'destination gone', otherID: 'O' },
    ],
    [
      'is refused if the forwarding never owned it',
      undefined,
      attachedTo('X'),
      { kind: 'refuse', otherID: 'X', why: 'policy' },
    ],
    [
      'is refused if the attachment may never have been executed',
      { destinationID: 'D', state: 'pending' },
      attachedTo('X'),
      { kind: 'refuse', otherID: 'X', why: 'policy' },
    ],
    ['stays refused', { state: 'refused' }, attachedTo('X'), { kind: 'refuse', otherID: 'X', why: 'policy' }],
    ['is missing', undefined, { kind: 'missing' }, { kind: 'missing' }],
    ['is not known', undefined, { kind: 'unknown', problem: someProblem }, { kind: 'unknown', problem: someProblem }],
  ];

  test.each(cases)('%s', (_title, before, seen, expected) => {
    const recorded: Status = {
      destination: ownDestination,
      ...(before === undefined ? {} : { portals: [{ id: 'p1', enabled: true, ...before }] }),
    };
    const observed: Observed = {
      destination: known({ ours }),
      organization: undefined,
      portals: new Map([['p1', seen]]),
    };
    const step = plan(desiredOf(), recorded, observed, clock).portals.get('p1');
    expect(step).toEqual({ ...('kind' in expected ? {} : { kind: 'attach' }), ...expected });
  });
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
      'in v3 is refused if v2 shows the endpoint of the forwarding, switched on',
      'v3',
      undefined,
      inline,
      { kind: 'refuse', why: 'policy' },
    ],
    [
      'in v3 is pointed back if the forwarding owned it and another client set an inline endpoint',
      'v3',
      { api: 'v3', destinationID: 'D', enabled: true, state: 'on' },
      { ...inline, endpointDigest: 'e9' },
      { kind: 'attach', because: 'pointed elsewhere' },
    ],
    [
      'in v3 is attached if v2 shows the endpoint of the forwarding, switched off',
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
    ['in v2 is refused if the forwarding never owned it', 'v2', undefined, inline, { kind: 'refuse', why: 'policy' }],
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
    const recorded: Status = { destination: ownDestination, ...(organization === undefined ? {} : { organization }) };
    const observed: Observed = { destination: known({ ours }), organization: seen, portals: new Map() };
    const desired = desiredOf({ api, organization: { enabled: true }, portals: [] });
    expect(plan(desired, recorded, observed, clock).organization).toEqual(expected);
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
      const recorded: Status = { destination: ownDestination, ...(organization === undefined ? {} : { organization }) };
      const seen: SeenWebhook = { ...inline, enabled: false };
      const observed: Observed = { destination: known({ ours }), organization: seen, portals: new Map() };
      const own = ownWith({ endpointHoldsSecret: false });
      const desired = desiredOf({ own, adoptionPolicy: 'IfMatching', organization: { enabled: true }, portals: [] });
      expect(plan(desired, recorded, observed, { ...clock, hasLeftInline }).organization).toEqual(expected);
    },
  );
});
