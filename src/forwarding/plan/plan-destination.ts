/** Plans what to do with the destination. Pure. */
import type { DestinationStatus } from '../../api/v1alpha1.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { type AppliedSettings, differences, foreignChanges } from '../observed/destination-diff.ts';
import type { Observed, SeenDestination } from '../observed/observed-state.ts';
import { adopterOf, isTakenBack, refusalOf } from './adoption.ts';
import type { DestinationStep, PlanContext } from './steps.ts';

type Recorded = AppliedSettings & Pick<DestinationStatus, 'secretVersion' | 'updating'>;

/** Returns the step for a destination that the operator owns. `named` are other destinations with the wanted name. */
export function planOurs(
  own: OwnDestination,
  record: Recorded | undefined,
  ours: SeenDestination,
  named: readonly SeenDestination[],
): DestinationStep {
  const found = differences(own, record, ours);
  if (found.length === 0) return { kind: 'keep', updatedAt: record?.updatedAt ?? ours.updatedAt };
  if (found.includes('name') && named.length > 0) {
    return { kind: 'refuse', name: own.settings.name, ids: named.map(({ id }) => id), why: 'renamed' };
  }
  // A write of the operator whose answer was lost may have changed these fields, and no other client.
  const foreign = record?.updating === undefined ? foreignChanges(record ?? {}, ours) : [];
  return { kind: 'update', differences: found, foreign: record?.updating === 'Correction' ? found : foreign };
}

/**
 * Returns true if the pending creation may have made this destination. It made none if Konnect answered that the name is in use, which
 * the empty version of the Secret stands for.
 */
export function isResultOf(
  creating: DestinationStatus['creating'],
  { name, endpointDigest }: Pick<SeenDestination, 'name' | 'endpointDigest'>,
): boolean {
  if (creating === undefined || creating.secretVersion === '') return false;
  return name === creating.name && endpointDigest === creating.endpointDigest;
}

/** Returns the step for the destination. `record` is what status says about it. */
export function planDestination(
  desired: DesiredState,
  record: DestinationStatus | undefined,
  observed: Observed,
  context: PlanContext,
): DestinationStep {
  const seen = observed.destination;
  if (!desired.usesDestination || seen.kind === 'unneeded') return { kind: 'none' };
  if (seen.kind === 'unknown') return seen;
  if (seen.kind === 'referenced') return planReference(seen);
  const { own } = desired;
  if (own === undefined) return { kind: 'none' };
  const adopter = adopterOf(desired, context);
  const { creating } = record ?? {};
  const created = seen.sameNameAsPending.filter((one) => isResultOf(creating, one));
  const [found, ...others] = seen.ours === undefined ? created : [seen.ours, ...created];
  if (found !== undefined) return planFound(own, record, seen, { found, others, adopter });
  const isOfOthers = creating?.secretVersion === '' && seen.named.length > 0;
  const mayStillAppear = creating !== undefined && context.ageMs(creating.since) < context.pendingCreationTimeoutMs;
  return mayStillAppear && !isOfOthers ? { kind: 'wait' } : planByName(own, seen, adopter, context);
}

type Seen<Kind extends Observed['destination']['kind']> = Extract<Observed['destination'], { kind: Kind }>;
type Adopter = ReturnType<typeof adopterOf>;

function planReference({ found }: Seen<'referenced'>): DestinationStep {
  const [one, ...more] = found;
  if (one === undefined || more.length > 0) return { kind: 'unresolved', ids: found.map(({ id }) => id) };
  return { kind: 'use', id: one.id, isSuspicious: one.isSuspicious };
}

/** Returns the step for a destination that the operator created: the one in status, or what a pending creation made. `others` are duplicates of it. */
function planFound(
  own: OwnDestination,
  record: DestinationStatus | undefined,
  seen: Seen<'known'>,
  { found, others, adopter }: { found: SeenDestination; others: readonly SeenDestination[]; adopter: Adopter },
): DestinationStep {
  const duplicates = others.map(({ id }) => id);
  const named = seen.named.filter(({ id }) => id !== found.id && !duplicates.includes(id));
  const applied = { secretVersion: record?.creating?.secretVersion, updatedAt: found.updatedAt };
  const next = planOurs(own, seen.ours === undefined ? applied : record, found, named);
  if (next.kind === 'update' && isTakenBack(adopter, found.id, next.foreign))
    return { kind: 'refuse', name: own.settings.name, ids: [found.id], why: 'taken back' };
  if (seen.ours !== undefined && duplicates.length === 0) return next;
  const name = record?.creating?.name ?? own.settings.name;
  return { kind: 'claim', because: 'pending creation', id: found.id, name, duplicates, next };
}

/** Returns the step for a name that no destination of the operator has: it may be free, or belong to another client or forwarding. */
function planByName(
  own: OwnDestination,
  seen: Seen<'known'>,
  adopter: Adopter,
  { ownership }: PlanContext,
): DestinationStep {
  const { name } = own.settings;
  const ids = seen.named.map(({ id }) => id);
  const hold = ownership.destination(name, ids);
  if (hold.kind === 'held') return { kind: 'lost', to: hold.by };
  const [theirs, ...more] = seen.named;
  if (theirs === undefined) return { kind: 'create' };
  const why = more.length > 0 ? 'several' : refusalOf(adopter, theirs);
  if (why !== undefined) return { kind: 'refuse', name, ids, why };
  const next = planOurs(own, undefined, theirs, []);
  return { kind: 'claim', because: 'adopted', id: theirs.id, name, duplicates: [], next };
}
