/** What stands in Konnect, read for one forwarding. A call that fails spoils only what it was for. */

import type { Destination } from '../../konnect/schema.ts';
import type { ListWanted } from '../../konnect/session/destination-lists.ts';
import type { RecordedState } from '../../status/recorded-state.ts';
import type { DesiredState } from '../desired/desired-state.ts';
import { orProblem } from '../problems.ts';
import type { ReadContext } from '../reconcile-context.ts';
import { differences } from './destination-diff.ts';
import { observeOrganization, observePortal } from './observe-webhooks.ts';
import { type Observed, type ObservedDestination, type SeenDestination, seenDestination } from './observed-state.ts';

/** `maxListAgeMs`: how old the shared list of destinations may be. */
export async function observe(
  subject: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
  maxListAgeMs: number,
): Promise<Observed> {
  const [destination, organization, ...portals] = await Promise.all([
    observeDestination(subject, desired, recorded, maxListAgeMs),
    desired.organization === undefined ? undefined : observeOrganization(subject, desired, recorded),
    ...desired.portals.map(({ id }) => observePortal(subject, desired, recorded, id)),
  ]);
  return {
    destination,
    organization,
    portals: new Map(desired.portals.map(({ id }, index) => [id, portals[index] ?? { kind: 'missing' }])),
  };
}

async function observeDestination(
  subject: ReadContext,
  desired: DesiredState,
  recorded: RecordedState,
  maxListAgeMs: number,
): Promise<ObservedDestination> {
  const { own, reference } = desired;
  if (!desired.usesDestination) return { kind: 'unneeded' };
  if (reference !== undefined) {
    return observeReference(subject, desired, {
      reference,
      remembered: recorded.destination?.id,
      maxAgeMs: maxListAgeMs,
    });
  }
  if (own === undefined) return { kind: 'unneeded' };
  const { konnect, forwarding, signal } = subject;
  const remembered = recorded.destination;
  const see = (one: Destination) => seenDestination(forwarding.metadata.uid, one);
  return orProblem(subject, `destination "${own.settings.name}"`, async () => {
    const maxAgeMs = remembered?.creating === undefined ? maxListAgeMs : 0;
    const listed = (anyToken: boolean) => konnect.destinations(desired.api, { maxAgeMs, anyToken }, signal);
    // What another token saw confirms what is known; what is to be made is looked for with this one.
    let list = await listed(remembered?.id !== undefined);
    let ours: SeenDestination | undefined;
    if (remembered?.id !== undefined) {
      const inList = list.find(({ id }) => id === remembered.id);
      ours = inList === undefined ? undefined : see(inList);
      if (ours === undefined || differences(own, remembered, ours).length > 0) {
        const current = await konnect.client.getDestination(desired.api, remembered.id, signal);
        ours = current === undefined ? undefined : see(current);
      }
      if (ours === undefined) list = await listed(false);
    }
    const others = list.filter(({ id }) => id !== remembered?.id).toSorted(oldestFirst);
    return {
      kind: 'known',
      ours,
      named: others.filter(({ name }) => name === own.settings.name).map(see),
      intended: others.filter(({ name }) => name !== undefined && name === remembered?.creating?.name).map(see),
    };
  });
}

async function observeReference(
  subject: ReadContext,
  { api }: DesiredState,
  {
    reference,
    remembered,
    maxAgeMs,
  }: { reference: NonNullable<DesiredState['reference']>; remembered: string | undefined; maxAgeMs: number },
): Promise<ObservedDestination> {
  const { konnect, forwarding, signal } = subject;
  const { id, name } = reference;
  return orProblem(subject, `destination ${id ?? `"${name ?? ''}"`}`, async () => {
    const named = async (wanted: ListWanted) =>
      (await konnect.destinations(api, wanted, signal)).filter((other) => other.name === name);
    let found: Destination[] = [];
    if (id !== undefined) {
      const one = await konnect.client.getDestination(api, id, signal);
      if (one !== undefined) found.push(one);
    } else {
      found = await named({ maxAgeMs, anyToken: remembered !== undefined });
      // What another token saw confirms what is known, and nothing else.
      const isConfirmed = found.length === 1 && found[0]?.id === remembered;
      if (remembered !== undefined && !isConfirmed) found = await named({ maxAgeMs });
      // It may have been made just before it was referred to.
      if (found.length === 0) found = await named({ maxAgeMs: 0 });
    }
    return { kind: 'referenced', found: found.map((other) => seenDestination(forwarding.metadata.uid, other)) };
  });
}

function oldestFirst(a: Destination, b: Destination): number {
  const difference = Date.parse(a.createdAt ?? '') - Date.parse(b.createdAt ?? '');
  return difference || (a.id < b.id ? -1 : 1);
}
