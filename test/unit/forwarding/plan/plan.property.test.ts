import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Status } from '../../../../src/api/v1alpha1.ts';
import type { DesiredState } from '../../../../src/forwarding/desired/desired-state.ts';
import { adoptionChanges } from '../../../../src/forwarding/plan/adoption.ts';
import { plan } from '../../../../src/forwarding/plan/plan.ts';
import type { PlanContext } from '../../../../src/forwarding/plan/steps.ts';
import { adoptionStateOf, withAdoptions } from '../../../../src/status/adoptions.ts';
import { wasAttached } from '../../../../src/status/recorded-state.ts';
import { clock, desiredOf, justNow, longAgo, nowMs, ownWith, rivalsWith } from './fixtures.ts';
import { carryOut, isEmpty, isUsed, look, type World, type WorldWebhook } from './plan-model.ts';

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
const aState = fc.constantFrom('on' as const, 'off' as const, 'pending' as const, 'refused' as const);
const optionalID = fc.option(anID, { nil: undefined });
const aRecordedState: fc.Arbitrary<Status> = fc.record({
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

const sometimes = fc.option(fc.constant(true), { nil: undefined });
const withAdoptedObjects = aRecordedState.chain((recorded) =>
  fc
    .uniqueArray(fc.record({ destinationID: optionalID, at: aTime, corrected: sometimes, takenBack: sometimes }), {
      selector: ({ destinationID }) => destinationID,
    })
    .map((adoptions): Status => ({ ...recorded, adoptions })),
);

const places = ['p1', 'p2', 'p3', 'organization'];
const aRivalry = fc.record({
  held: fc.subarray(places),
  yielded: fc.subarray(places),
  nameIsHeld: fc.boolean(),
});

function contextOf(recorded: Status): PlanContext {
  return { ...clock, adoptionStateOf: (id) => adoptionStateOf(recorded, id, new Date(nowMs)) };
}

const runs = { numRuns: 2_000 };

describe('any desired, recorded and observed state', () => {
  test('the plan after an applied one is empty, unless it waits, refuses, or something is missing', () => {
    fc.assert(
      fc.property(aWorld, aDesired, withAdoptedObjects, (world, desired, recorded) => {
        const first = plan(desired, recorded, look(world, desired, recorded), contextOf(recorded));
        // No webhook points at a destination whose POST had no answer.
        const { destination } = first;
        fc.pre(destination.kind !== 'claim' || destination.because === 'adopted' || !isUsed(world, destination.id));
        const written = { ...recorded, ...carryOut(world, desired, recorded, first) };
        if (first.destination.kind === 'refuse' && first.destination.why === 'taken back') delete written.destination;
        const after = withAdoptions(written, adoptionChanges(first, desired), new Date(nowMs));
        const second = plan(desired, after, look(world, desired, after), contextOf(after));
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
      fc.property(aWorld, aDesired, aRecordedState, (world, desired, recorded) => {
        const before = structuredClone(world);
        carryOut(world, desired, recorded, plan(desired, recorded, look(world, desired, recorded), clock));
        const { own, adoptionPolicy } = desired;
        const adoptable = (digest: string | undefined) =>
          adoptionPolicy === 'Always' ||
          (adoptionPolicy === 'IfMatching' && own?.endpointHoldsSecret === true && digest === own.endpointDigest);
        const post = recorded.destination?.creating;
        const creatingName = post?.secretVersion === '' ? undefined : post?.name;
        const foreign = Object.entries(before.destinations).filter(
          ([id, one]) =>
            id !== recorded.destination?.id &&
            !(one.name === own?.settings.name && adoptable(one.endpointDigest)) &&
            !(one.name === creatingName && one.endpointDigest === post?.endpointDigest),
        );
        expect(foreign.map(([id]) => world.destinations[id])).toEqual(foreign.map(([, one]) => one));
        const theirs = Object.entries(before.portals).filter(
          ([id, webhook]) =>
            webhook.kind === 'destination' &&
            before.destinations[webhook.id] !== undefined &&
            !adoptable(before.destinations[webhook.id]?.endpointDigest) &&
            webhook.id !== recorded.destination?.id &&
            foreign.some(([other]) => other === webhook.id) &&
            recorded.portals?.find((one) => one.id === id)?.destinationID !== webhook.id &&
            !wasAttached(recorded.portals?.find((one) => one.id === id)),
        );
        expect(theirs.map(([id]) => world.portals[id])).toEqual(theirs.map(([, webhook]) => webhook));
      }),
      runs,
    );
  });

  test('a webhook that another forwarding owns is not attached, and one that it yields is', () => {
    fc.assert(
      fc.property(aWorld, aDesired, aRecordedState, aRivalry, (world, desired, recorded, rivalry) => {
        const before = structuredClone(world);
        const observed = look(world, desired, recorded);
        const context = { ...clock, ownership: rivalsWith(rivalry) };
        const alone = plan(desired, recorded, observed, clock);
        const found = plan(desired, recorded, observed, context);
        const taken = found.destination.kind === 'create' || found.destination.kind === 'claim';
        const byPendingCreation =
          found.destination.kind === 'claim' && found.destination.because === 'pending creation';
        expect(rivalry.nameIsHeld && taken && !byPendingCreation).toBe(false);
        carryOut(world, desired, recorded, found);
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
      fc.property(aWorld, aDesired, aRecordedState, (world, desired, recorded) => {
        const observed = look(world, desired, recorded);
        const given = structuredClone({ desired, recorded, observed });
        const first = plan(desired, recorded, observed, clock);
        expect(plan(given.desired, given.recorded, given.observed, clock)).toEqual(first);
        expect({ desired, recorded, observed }).toEqual(given);
      }),
    );
  });
});
