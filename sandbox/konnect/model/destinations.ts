import type { Destination, KonnectModel, Organization, Webhook } from '../model.ts';
import { timeOfChange } from '../model.ts';
import { conflict, notFound } from '../problem.ts';

export type DestinationFields = Pick<
  Destination,
  'name' | 'endpoint' | 'authorization' | 'logFormat' | 'skipSSLVerification'
>;

/** How long old versions are kept for stale lists. */
const historyMs = 15 * 60_000;

/** Returns the current destinations, in the order of their last change. */
export function currentDestinations(organization: Organization): Destination[] {
  return organization.destinations.filter(({ to }) => to === undefined).map(({ destination }) => destination);
}

/** Returns the destinations that lists show: the state `staleListMs` ago, in the order of creation. */
export function listedDestinations(model: KonnectModel, organization: Organization): Destination[] {
  const at = model.clock().getTime() - model.behavior.staleListMs;
  const then = organization.destinations.filter(
    ({ from, to }) => from.getTime() <= at && (to === undefined || to.getTime() > at),
  );
  return then.map(({ destination }) => destination).sort((a, b) => a.sequence - b.sequence);
}

/** Returns how answers show an endpoint. */
export function shownEndpoint({ behavior }: KonnectModel, endpoint: string): string {
  return behavior.shownEndpoints === 'canonical' ? (URL.parse(endpoint)?.href ?? endpoint) : endpoint;
}

/** @throws {Problem} 404 */
export function getDestination(organization: Organization, id: string): Destination {
  const found = findDestination(organization, id);
  if (found === undefined) throw notFound(`audit log destination ${id}`);
  return found;
}

export function findDestination(organization: Organization, id: string): Destination | undefined {
  return organization.destinations.find(({ destination, to }) => to === undefined && destination.id === id)
    ?.destination;
}

/** @throws {Problem} 409 for a duplicate name, if names must be unique */
export function createDestination(
  model: KonnectModel,
  organization: Organization,
  fields: DestinationFields,
): Destination {
  rejectDuplicateName(model, organization, fields.name, fields.endpoint);
  organization.destinationsCreated += 1;
  const destination: Destination = {
    ...fields,
    id: model.newID(),
    sequence: organization.destinationsCreated,
    createdAt: model.clock(),
  };
  organization.destinations.push({ destination, from: model.clock() });
  return destination;
}

/** @throws {Problem} 404, or 409 for a duplicate name */
export function changeDestination(
  model: KonnectModel,
  organization: Organization,
  id: string,
  changes: { readonly [Name in keyof DestinationFields]?: DestinationFields[Name] | undefined },
): Destination {
  const before = getDestination(organization, id);
  if (changes.name !== undefined && changes.name !== before.name) {
    rejectDuplicateName(model, organization, changes.name, changes.endpoint ?? before.endpoint);
  }
  const destination: Destination = {
    ...before,
    name: changes.name ?? before.name,
    endpoint: changes.endpoint ?? before.endpoint,
    authorization: changes.authorization ?? before.authorization,
    logFormat: changes.logFormat ?? before.logFormat,
    skipSSLVerification: changes.skipSSLVerification ?? before.skipSSLVerification,
    updatedAt: timeOfChange(model, before.updatedAt ?? before.createdAt),
  };
  endVersion(model, organization, id);
  organization.destinations.push({ destination, from: model.clock() });
  return destination;
}

/** @throws {Problem} 404, or 409 while the destination is in use or counts as in use */
export function deleteDestination(model: KonnectModel, organization: Organization, id: string): void {
  const destination = getDestination(organization, id);
  const detached = organization.detachedAt.get(id);
  const isHeld = detached !== undefined && model.clock().getTime() < detached.getTime() + model.behavior.releaseDelayMs;
  const isUsed = webhooksOf(organization).some(({ target }) => target.kind === 'destination' && target.id === id);
  if (model.behavior.usedDestination === 'conflict' && (isHeld || isUsed)) {
    throw conflict(`Destination is in use [${destination.name}, ${destination.endpoint}]`);
  }
  endVersion(model, organization, id);
  organization.detachedAt.delete(id);
}

/** Returns all webhooks of the organization, including those of its portals. */
function webhooksOf(organization: Organization): Webhook[] {
  return [...organization.webhooks.values(), ...[...organization.portals.values()].map(({ webhook }) => webhook)];
}

function endVersion(model: KonnectModel, organization: Organization, id: string): void {
  const now = model.clock();
  const version = organization.destinations.find(({ destination, to }) => to === undefined && destination.id === id);
  if (version !== undefined) version.to = now;
  const kept = organization.destinations.filter(
    ({ to }) => to === undefined || to.getTime() > now.getTime() - historyMs,
  );
  organization.destinations.splice(0, organization.destinations.length, ...kept);
}

function rejectDuplicateName(
  model: KonnectModel,
  organization: Organization,
  name: string,
  sentEndpoint: string,
): void {
  if (model.behavior.duplicateNames === 'allowed') return;
  if (currentDestinations(organization).some((other) => other.name === name)) {
    throw conflict(`Destination with this name already exists [${name}, ${sentEndpoint}]`);
  }
}
