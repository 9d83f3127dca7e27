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
  const { ageMs, pendingCreationTimeoutMs, ownership } = context;
  const seen = observed.destination;
  if (!desired.usesDestination || seen.kind === 'unneeded') return { kind: 'none' };
  if (seen.kind === 'unknown') return seen;
  if (seen.kind === 'referenced') {
    const [found, ...more] = seen.found;
    if (found === undefined || more.length > 0) return { kind: 'unresolved', ids: seen.found.map(({ id }) => id) };
    return { kind: 'use', id: found.id };
  }
  const { own } = desired;
  if (own === undefined) return { kind: 'none' };
  const adopter = adopterOf(desired, context);
  const { creating } = record ?? {};
  const created = seen.sameNameAsPending.filter((one) => isResultOf(creating, one));
  const [found, ...others] = seen.ours === undefined ? created : [seen.ours, ...created];
  if (found !== undefined) {
    const duplicates = others.map(({ id }) => id);
    const named = seen.named.filter(({ id }) => id !== found.id && !duplicates.includes(id));
    const applied = { secretVersion: creating?.secretVersion, updatedAt: found.updatedAt };
    const next = planOurs(own, seen.ours === undefined ? applied : record, found, named);
    if (next.kind === 'update' && isTakenBack(adopter, found.id, next.foreign))
      return { kind: 'refuse', name: own.settings.name, ids: [found.id], why: 'taken back' };
    if (seen.ours !== undefined && duplicates.length === 0) return next;
    const name = creating?.name ?? own.settings.name;
    return { kind: 'claim', because: 'pending creation', id: found.id, name, duplicates, next };
  }
  const isOfOthers = creating?.secretVersion === '' && seen.named.length > 0;
  if (creating !== undefined && !isOfOthers && ageMs(creating.since) < pendingCreationTimeoutMs)
    return { kind: 'wait' };
  const ids = seen.named.map(({ id }) => id);
  const hold = ownership.destination(own.settings.name, ids);
  if (hold.kind === 'held') return { kind: 'lost', to: hold.by };
  const [theirs, ...more] = seen.named;
  if (theirs === undefined) return { kind: 'create' };
  const why = more.length > 0 ? 'several' : refusalOf(adopter, theirs);
  if (why !== undefined) return { kind: 'refuse', name: own.settings.name, ids, why };
  const next = planOurs(own, undefined, theirs, []);
  return { kind: 'claim', because: 'adopted', id: theirs.id, name: own.settings.name, duplicates: [], next };
}
