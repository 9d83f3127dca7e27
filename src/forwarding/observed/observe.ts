/** Reads from Konnect what one forwarding needs to know. A failed call affects only the object that it was for. */

import type { Destination } from '../../konnect/schema.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState, OwnDestination } from '../desired/desired-state.ts';
import { orProblem } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';
import { differences } from './destination-diff.ts';
import { observeOrganization, observePortal } from './observe-webhooks.ts';
import {
  type Observed,
  type ObservedDestination,
  oldestFirst,
  type SeenDestination,
  seenDestination,
} from './observed-state.ts';

/** Which lists of destinations the operator shares with other forwardings. Undefined: it sends requests of its own. */
export interface SharedLists {
  /** A list that was requested after this time may confirm what status records. */
  readonly confirmSinceMs: number | undefined;
  /** A list that was requested after this time may decide what the operator changes. */
  readonly decideSinceMs: number | undefined;
}

/** Returns what Konnect has. */
export async function observe(
  context: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
  lists: SharedLists,
): Promise<Observed> {
  const [destination, organization, ...portals] = await Promise.all([
    observeDestination(context, desired, recorded, lists),
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
  lists: SharedLists,
): Promise<ObservedDestination> {
  const { own, reference } = desired;
  if (!desired.usesDestination) return { kind: 'unneeded' };
  if (reference !== undefined) {
    return observeReference(context, desired, {
      reference,
      recordedID: recorded.destination?.id,
      confirmSinceMs: lists.confirmSinceMs,
    });
  }
  if (own === undefined) return { kind: 'unneeded' };
  const record = recorded.destination;
  const { name } = own.settings;
  return orProblem(context, `destination "${name}"`, async () => {
    const ours = await observeOurs(context, desired.api, own, record, lists);
    const hasName = ours !== undefined && (ours.name ?? name) === name;
    if (hasName && record?.creating === undefined) return { kind: 'known', ours, named: [], sameNameAsPending: [] };
    return { kind: 'known', ours, ...(await observeNamed(context, desired.api, name, record, lists)) };
  });
}

/**
 * Returns the few other destinations that have the name. A creation, an adoption and a new name are decided on a list that is newer than the
 * reason for this reconciliation, and a pending creation on one that is newer than everything before.
 */
async function observeNamed(
  { konnect, forwarding, signal }: ReadContext,
  api: DesiredState['api'],
  wanted: string,
  record: RecordedState['destination'],
  { decideSinceMs }: SharedLists,
): Promise<{ named: SeenDestination[]; sameNameAsPending: SeenDestination[] }> {
  const pending = record?.creating?.name;
  const names = new Set([wanted, pending ?? wanted]);
  const mayShare = decideSinceMs !== undefined && record?.creating === undefined;
  const shared = mayShare ? await konnect.destinationsIfMany(api, { sinceMs: decideSinceMs }, signal) : undefined;
  const lists = await Promise.all(
    [...names].map(async (name) => shared?.named(name) ?? konnect.client.findDestinations(api, name, signal)),
  );
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

/** Returns the destination that status names, from a shared list if that is enough, else from its own answer. */
async function observeOurs(
  { konnect, forwarding, signal }: ReadContext,
  api: DesiredState['api'],
  own: OwnDestination,
  record: RecordedState['destination'],
  { confirmSinceMs, decideSinceMs }: SharedLists,
): Promise<SeenDestination | undefined> {
  if (record?.id === undefined) return undefined;
  const { id } = record;
  const toSeen = (one: Destination | undefined) =>
    one === undefined ? undefined : seenDestination(forwarding.metadata.uid, one);
  const mayMatch = differences(own, record, {}).length === 0;
  // A list that another token read can only confirm a known destination.
  const mayUseAnyToken = true;
  if (mayMatch && confirmSinceMs !== undefined) {
    const list = await konnect.destinations(api, { sinceMs: confirmSinceMs, mayUseAnyToken }, signal);
    const ours = toSeen(list.withID(id));
    if (ours !== undefined && differences(own, record, ours).length === 0) return ours;
  }
  if (!mayMatch && decideSinceMs !== undefined) {
    const list = await konnect.destinationsIfMany(api, { sinceMs: decideSinceMs, mayUseAnyToken }, signal);
    const ours = toSeen(list?.withID(id));
    if (ours !== undefined) return ours;
  }
  return toSeen(await konnect.client.getDestination(api, id, signal));
}

interface Referenced {
  readonly reference: NonNullable<DesiredState['reference']>;
  readonly recordedID: string | undefined;
  readonly confirmSinceMs: number | undefined;
}

async function observeReference(
  context: ReadContext,
  { api }: DesiredState,
  wanted: Referenced,
): Promise<ObservedDestination> {
  const { konnect, forwarding, signal } = context;
  const { id, name = '' } = wanted.reference;
  return orProblem(context, `destination ${id ?? `"${name}"`}`, async () => {
    const found =
      id === undefined
        ? await findReferenced(context, api, name, wanted)
        : [await konnect.client.getDestination(api, id, signal)].filter((one) => one !== undefined);
    return { kind: 'referenced', found: found.map((other) => seenDestination(forwarding.metadata.uid, other)) };
  });
}

async function findReferenced(
  { konnect, signal }: ReadContext,
  api: DesiredState['api'],
  name: string,
  { recordedID, confirmSinceMs }: Referenced,
): Promise<readonly Destination[]> {
  const findNow = () => konnect.client.findDestinations(api, name, signal);
  if (confirmSinceMs === undefined) return findNow();
  const named = async (mayUseAnyToken: boolean) => {
    const list = await konnect.destinations(api, { sinceMs: confirmSinceMs, mayUseAnyToken }, signal);
    return list.named(name) ?? [];
  };
  const found = await named(recordedID !== undefined);
  // A list that another token read can only confirm a known destination.
  const isConfirmed = recordedID === undefined || (found.length === 1 && found[0]?.id === recordedID);
  const sure = isConfirmed ? found : await named(false);
  // The destination may have been created just before spec referred to it.
  return sure.length === 0 ? findNow() : sure;
}
