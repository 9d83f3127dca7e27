import { describe, expect, test } from '@jest/globals';
import type { Status } from '../../../../src/api/v1alpha1.ts';
import type { Observed, SeenDestination, SeenWebhook } from '../../../../src/forwarding/observed/observed-state.ts';
import { adopterOf, adoptionChanges, givingWay } from '../../../../src/forwarding/plan/adoption.ts';
import { plan } from '../../../../src/forwarding/plan/plan.ts';
import { attachedTo, clock, desiredOf, inline, justNow, known, ours, ownDestination } from './fixtures.ts';

describe('an adoption', () => {
  test.each([
    ['that has the name of this forwarding without a cluster', 'platform/sumologic', 'other cluster'],
    ['that has the name of this forwarding in a cluster', 'blue/platform/sumologic', 'other cluster'],
    ['that has the wanted name', 'n', undefined],
    ['of another forwarding', 'blue/platform/other', undefined],
    ['whose name only ends like that of this forwarding', 'my-platform/sumologic', undefined],
    ['without a name', undefined, undefined],
  ] as const)('of a webhook that points at a destination %s', (_title, otherName, why) => {
    const webhook = { kind: 'attached', destinationID: 'X', enabled: true, destinationExists: true } as const;
    const seen: SeenWebhook = { ...webhook, otherDigest: 'e1', otherName };
    const observed = { destination: known({ ours }), organization: undefined, portals: new Map([['p1', seen]]) };
    const steps = plan(desiredOf({ adoptionPolicy: 'IfMatching' }), { destination: ownDestination }, observed, clock);
    const refused = { kind: 'refuse', otherID: 'X', why };
    expect(steps.portals.get('p1')).toEqual(
      why === undefined ? { kind: 'attach', because: 'adopted', otherID: 'X' } : refused,
    );
  });

  describe('that another client takes back', () => {
    const changed: SeenDestination = { ...ours, updatedAt: justNow };
    const observed: Observed = {
      destination: known({ ours: changed }),
      organization: undefined,
      portals: new Map([
        ['p1', attachedTo('D')],
        ['p2', attachedTo('D', false)],
        ['p3', { kind: 'unconfigured' }],
      ]),
    };
    const portals = ['p1', 'p2', 'p3'].map((id) => ({ id, enabled: true, field: 'spec.portals[0]' }));
    const record = {
      destinationID: 'D',
      enabled: true,
      state: 'on' as const,
      applied: { destinationID: 'D', enabled: true },
    };
    const recorded: Status = { destination: ownDestination, portals: portals.map(({ id }) => ({ id, ...record })) };
    const refused = { kind: 'refuse', otherID: 'D', why: 'taken back' };
    const recently = { ...clock, adoptionStateOf: (id?: string) => (id === 'D' ? ('recent' as const) : undefined) };
    const context = { ...clock, adoptionStateOf: (id?: string) => (id === 'D' ? ('corrected' as const) : undefined) };

    test('a destination is left to that client with everything that points at it', () => {
      const steps = plan(desiredOf({ adoptionPolicy: 'IfMatching', portals }), recorded, observed, context);
      expect(steps.destination).toEqual({ kind: 'refuse', name: 'n', ids: ['D'], why: 'taken back' });
      expect(['p1', 'p2'].map((id) => steps.portals.get(id))).toEqual([refused, refused]);
      expect(steps.portals.get('p3')).toMatchObject({ kind: 'attach', because: 'unconfigured' });
      expect(adoptionChanges(steps, desiredOf({ adoptionPolicy: 'IfMatching' }))).toEqual({
        adopted: new Set(),
        takenBack: new Set(['D']),
        isComplete: true,
      });
    });

    test.each([
      ['that was adopted with Always', { adoptionPolicy: 'Always' as const }, context],
      ['that was not adopted, or long ago', { adoptionPolicy: 'IfMatching' as const }, clock],
      ['that was changed only once, as only its time shows', { adoptionPolicy: 'IfMatching' as const }, recently],
    ])('a destination %s is corrected', (_title, policy, planContext) => {
      const steps = plan(desiredOf({ ...policy, portals }), recorded, observed, planContext);
      expect(steps.destination).toMatchObject({ kind: 'update', foreign: ['authorization'] });
      expect(steps.portals.get('p2')).toMatchObject({ kind: 'attach', because: 'enabled' });
    });

    test('a destination is left to that client at once if a field shows the change', () => {
      const seen = { ...observed, destination: known({ ours: { ...changed, logFormat: 'json' } }) };
      const written: Status = { ...recorded, destination: { ...ownDestination, logFormat: 'cef' } };
      const steps = plan(desiredOf({ adoptionPolicy: 'IfMatching', portals }), written, seen, recently);
      expect(steps.destination).toEqual({ kind: 'refuse', name: 'n', ids: ['D'], why: 'taken back' });
    });

    test('an inline webhook is left to that client at the second time', () => {
      const step = { kind: 'attach', because: 'settings', isForeign: true } as const;
      const states = { ...clock, adoptionStateOf: () => 'recent' as const };
      const twice = { ...clock, adoptionStateOf: () => 'corrected' as const };
      const desired = desiredOf({ adoptionPolicy: 'IfMatching' });
      expect(givingWay(step, adopterOf(desired, states), inline)).toEqual(step);
      expect(givingWay(step, adopterOf(desired, twice), inline)).toEqual({ ...refused, otherID: undefined });
    });

    test('a destination is not adopted a second time', () => {
      const again = { ...observed, destination: known({ named: [changed] }) };
      const lost = { ...clock, adoptionStateOf: (id?: string) => (id === 'D' ? ('taken back' as const) : undefined) };
      const steps = plan(desiredOf({ adoptionPolicy: 'IfMatching', portals }), {}, again, lost);
      expect(steps.destination).toEqual({ kind: 'refuse', name: 'n', ids: ['D'], why: 'taken back' });
    });

    test.each([
      ['points at what it pointed at before', attachedTo('X'), true, { ...refused, otherID: 'X' }],
      ['points at another one', attachedTo('Y'), true, undefined],
      ['holds an endpoint as before', inline, true, { ...refused, otherID: undefined }],
      ['is detached', { kind: 'unconfigured' } as const, true, undefined],
      ['differs by our own change', attachedTo('X'), false, undefined],
    ])('a webhook that %s', (_title, seen, isForeign, expected) => {
      const states = { ...clock, adoptionStateOf: (id?: string) => (id === 'Y' ? undefined : ('recent' as const)) };
      const step = { kind: 'attach', because: 'pointed elsewhere', isForeign } as const;
      const adopter = adopterOf(desiredOf({ adoptionPolicy: 'IfMatching' }), states);
      expect(givingWay(step, adopter, seen)).toEqual(expected ?? step);
      expect(givingWay(step, adopterOf(desiredOf({ adoptionPolicy: 'Always' }), states), seen)).toEqual(step);
    });
  });
});
