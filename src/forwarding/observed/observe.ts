/** Reads from Konnect what one forwarding needs to know. A failed call affects only the object that it was for. */

import type { Destination } from '../../konnect/schema.ts';
import type { ListWanted } from '../../konnect/session/destination-lists.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { orProblem } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';
import { differences } from './destination-diff.ts';
import { observeOrganization, observePortal } from './observe-webhooks.ts';
import { type Observed, type ObservedDestination, type SeenDestination, seenDestination } from './observed-state.ts';

/** Returns what Konnect has. `maxListAgeMs` is how old the shared list of destinations may be. */
export async function observe(
  context: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
  maxListAgeMs: number,
): Promise<Observed> {
  const [destination, organization, ...portals] = await Promise.all([
    observeDestination(context, desired, recorded, maxListAgeMs),
    desired.organization === undefined ? undefined : observeOrganization(context, desired, recorded),
    ...desired.portals.map(({ id }) => observePortal(context, desired, recorded, id)),
  ]);
  return {
    destination,
    organization,
    portals: new Map(desired.portals.map(({ id }, index) => [id, portals[index] ?? { kind: 'missing' }])),
  };
}

async function observeDestination(
  context: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
  maxListAgeMs: number,
): Promise<ObservedDestination> {
  const { own, reference } = desired;
  if (!desired.usesDestination) return { kind: 'unneeded' };
  if (reference !== undefined) {
    return observeReference(context, desired, {
      reference,
      recordedID: recorded.destination?.id,
      maxAgeMs: maxListAgeMs,
    });
  }
  if (own === undefined) return { kind: 'unneeded' };
  const record = recorded.destination;
  const { name } = own.settings;
  return orProblem(context, `destination "${name}"`, async () => {
    const ours = await observeOurs(context, desired.api, own, record, maxListAgeMs);
    const hasName = ours !== undefined && (ours.name ?? name) === name;
    if (hasName && record?.creating === undefined) return { kind: 'known', ours, named: [], sameNameAsPending: [] };
    return { kind: 'known', ours, ...(await observeNamed(context, desired.api, name, record)) };
  });
}

/** A creation, an adoption and a new name are decided on a fresh list, of the few other destinations that have the name. */
async function observeNamed(
  { konnect, forwarding, signal }: ReadContext,
  api: DesiredState['api'],
  wanted: string,
  record: RecordedState['destination'],
): Promise<{ named: SeenDestination[]; sameNameAsPending: SeenDestination[] }> {
  const pending = record?.creating?.name;
  const names = new Set([wanted, pending ?? wanted]);
  const lists = await Promise.all([...names].map((name) => konnect.client.findDestinations(api, name, signal)));
  const others = lists
    .flat()
    .filter(({ id }) => id !== record?.id)
    .toSorted(oldestFirst);
  const withName = (name: string | undefined) =>
    others
      .filter((one) => one.name !== undefined && one.name === name)
      .map((one) => seenDestination(forwarding.metadata.uid, one));
  // A list may still show a destination that the operator has just deleted. It is not the one that the pending creation made.
  const current = await Promise.all(
    withName(pending).map(async (one) => ((await konnect.client.getDestination(api, one.id, signal)) ? [one] : [])),
  );
  return { named: withName(wanted), sameNameAsPending: current.flat() };
}

/** Returns the destination that status names, from the shared list if it matches there, else from its own answer. */
async function observeOurs(
  { konnect, forwarding, signal }: ReadContext,
  api: DesiredState['api'],
  own: OwnDestination,
  record: RecordedState['destination'],
  maxAgeMs: number,
): Promise<SeenDestination | undefined> {
  if (record?.id === undefined) return undefined;
  const { id: ownID } = record;
  const toSeen = (one: Destination) => seenDestination(forwarding.metadata.uid, one);
  // A list that another token read can only confirm a known destination. If no list is fresh enough, one call for the destination does.
  const list = maxAgeMs === 0 ? [] : await konnect.destinations(api, { maxAgeMs, mayUseAnyToken: true }, signal);
  const inList = list.find(({ id }) => id === ownID);
  const ours = inList === undefined ? undefined : toSeen(inList);
  if (ours !== undefined && differences(own, record, ours).length === 0) return ours;
  const current = await konnect.client.getDestination(api, ownID, signal);
  return current === undefined ? undefined : toSeen(current);
}

async function observeReference(
  context: ReadContext,
  { api }: DesiredState,
  {
    reference,
    recordedID,
    maxAgeMs,
  }: { reference: NonNullable<DesiredState['reference']>; recordedID: string | undefined; maxAgeMs: number },
): Promise<ObservedDestination> {
  const { konnect, forwarding, signal } = context;
  const { id, name } = reference;
  return orProblem(context, `destination ${id ?? `"${name ?? ''}"`}`, async () => {
    const findNow = () => konnect.client.findDestinations(api, name ?? '', signal);
    const named = async (wanted: ListWanted) =>
      wanted.maxAgeMs === 0
        ? findNow()
        : (await konnect.destinations(api, wanted, signal)).filter((other) => other.name === name);
    let found: Destination[] = [];
    if (id !== undefined) {
      const one = await konnect.client.getDestination(api, id, signal);
      if (one !== undefined) found.push(one);
    } else {
      found = await named({ maxAgeMs, mayUseAnyToken: recordedID !== undefined });
      // A list that another token read can only confirm a known destination.
      const isConfirmed = found.length === 1 && found[0]?.id === recordedID;
      if (recordedID !== undefined && !isConfirmed) found = await named({ maxAgeMs });
      // The destination may have been created just before spec referred to it.
      if (found.length === 0) found = await findNow();
    }
    return { kind: 'referenced', found: found.map((other) => seenDestination(forwarding.metadata.uid, other)) };
  });
}

function oldestFirst(a: Destination, b: Destination): number {
  const difference = Date.parse(a.createdAt ?? '') - Date.parse(b.createdAt ?? '');
  return difference || (a.id < b.id ? -1 : 1);
}
