/** What status records about Konnect, and how a new spec changes the recorded state. Pure. */
import type {
  AuditLogsAPI,
  CleanupStatus,
  DestinationStatus,
  OrganizationStatus,
  PortalStatus,
  Status,
} from '../api/v1alpha1.ts';

/** Everything in `status` except the conditions and their generation. */
export type RecordedState = Omit<Status, 'conditions' | 'observedGeneration'>;

/** What spec wants, as far as it decides what moves to `cleanup`. */
export interface DesiredScope {
  readonly region: string;
  readonly api: AuditLogsAPI;
  readonly organizationID: string;
  /** True if the operator has to create and keep a destination. */
  readonly needsOwn: boolean;
  /** True if webhooks point at a destination, whether the operator created it or spec refers to it. */
  readonly usesDestination: boolean;
  readonly organization: object | undefined;
  readonly portals: readonly { readonly id: string; readonly ref?: string | undefined }[];
}

/** Returns the scope of a deletion, which wants nothing. */
export function nothingWanted(region: string, api: AuditLogsAPI, organizationID: string): DesiredScope {
  return { region, api, organizationID, needsOwn: false, usesDestination: false, organization: undefined, portals: [] };
}

/** Returns true if Konnect may hold something that the operator has to remove. */
export function ownsAnything({ destination, organization, portals, cleanup }: RecordedState): boolean {
  return (
    destination?.id !== undefined ||
    destination?.creating !== undefined ||
    mayBeAttached(organization) ||
    (portals ?? []).some(mayBeAttached) ||
    (cleanup ?? []).length > 0
  );
}

/**
 * Returns true if the operator attached the webhook or was about to. A webhook that it refused from the start has neither a
 * destination nor an endpoint digest.
 */
export function mayBeAttached(
  attachment: { readonly destinationID?: string | undefined; readonly endpointDigest?: string | undefined } | undefined,
): boolean {
  return attachment?.destinationID !== undefined || attachment?.endpointDigest !== undefined;
}

/** Returns true if status names webhooks that were about to be attached to a destination whose creation is not confirmed. */
export function awaitsCreation({ destination, organization, portals = [] }: RecordedState): boolean {
  const { creating, id, updating } = destination ?? {};
  const isUnconfirmed = creating !== undefined && id === undefined && updating === undefined;
  return isUnconfirmed && (portals.some(isAwaiting) || (organization?.api === 'v3' && isAwaiting(organization)));
}

/** Returns the recorded state with the destination that a creation made, and with its ID in the webhooks that were about to be attached to it. */
export function withCreated(recorded: RecordedState, id: string): RecordedState {
  const { destination, organization, portals } = recorded;
  if (destination?.creating === undefined) return recorded;
  const { name, secretVersion } = destination.creating;
  const attach = <T extends PortalStatus | OrganizationStatus>(one: T): T =>
    isAwaiting(one) ? { ...one, destinationID: id } : one;
  return {
    ...recorded,
    destination: { ...destination, id, name, managed: true, secretVersion },
    ...(organization?.api === 'v3' ? { organization: attach(organization) } : {}),
    ...(portals === undefined ? {} : { portals: portals.map(attach) }),
  };
}

function isAwaiting({ destinationID, updating }: Pick<PortalStatus, 'destinationID' | 'updating'>): boolean {
  return destinationID === undefined && updating !== undefined;
}

/**
 * Returns the recorded state with everything that spec no longer wants moved into `cleanup`. The caller writes it before it creates
 * a replacement. What spec wants again moves back from `cleanup`.
 */
export function moveUnwantedToCleanup(recorded: RecordedState, desired: DesiredScope): RecordedState {
  const {
    cleanup: _cleanup,
    organization: _organization,
    portals: _portals,
    destination,
    delivery,
    verification,
    ...rest
  } = recorded;
  const { organizationID, region } = recorded.konnect ?? desired;
  const hasMoved = organizationID !== desired.organizationID || region !== desired.region;
  const kept = keptOf(recorded, desired);
  const { left, restored } = restoredOf(recorded, desired, kept);
  const pendingCreation = destination?.creating === undefined ? undefined : pendingCreationOf(destination);
  const nowDestination = kept.destination ?? pendingCreation ?? restored.destination;
  const nowOrganization = kept.organization ?? restored.organization;
  const portals = [...kept.portals, ...(restored.portals ?? [])];
  const cleanup = [...left, ...entriesToCleanUp(recorded, desired, kept)];
  return {
    ...rest,
    ...(hasMoved || delivery === undefined ? {} : { delivery }),
    ...(verification === undefined ? {} : { verification: hasMoved ? { jobs: verification.jobs } : verification }),
    konnect: { organizationID: desired.organizationID, region: desired.region },
    ...(nowDestination === undefined ? {} : { destination: nowDestination }),
    ...(nowOrganization === undefined ? {} : { organization: nowOrganization }),
    ...(portals.length === 0 ? {} : { portals }),
    ...(cleanup.length === 0 ? {} : { cleanup }),
  };
}

/** What status records, and spec still wants. */
interface Kept extends Pick<RecordedState, 'organization' | 'destination'> {
  readonly portals: readonly PortalStatus[];
}

function keptOf({ konnect, portals = [], organization, destination }: RecordedState, desired: DesiredScope): Kept {
  const { organizationID, region } = konnect ?? desired;
  const isSameOrganization = organizationID === desired.organizationID;
  const isHere = isSameOrganization && region === desired.region;
  const keepsWebhook = isHere && desired.organization !== undefined && organization?.api === desired.api;
  const isWanted = destination?.managed === false ? desired.usesDestination && !desired.needsOwn : desired.needsOwn;
  return {
    portals: isHere ? portals.filter(({ id }) => desired.portals.some((wanted) => wanted.id === id)) : [],
    organization: keepsWebhook ? organization : undefined,
    destination: isSameOrganization && isWanted ? destination : undefined,
  };
}

function entriesToCleanUp(recorded: RecordedState, desired: DesiredScope, kept: Kept): CleanupStatus[] {
  const { konnect, portals = [], organization, destination } = recorded;
  const { organizationID, region } = konnect ?? desired;
  const at = { organizationID, region };
  const leaving = portals.filter((portal) => !kept.portals.includes(portal) && mayBeAttached(portal));
  const entries = leaving.flatMap((portal) =>
    targetsOf(portal, destination).map(
      (target): CleanupStatus => ({ ...at, api: 'v3', kind: 'portal', id: portal.id, ...target }),
    ),
  );
  if (organization !== undefined && kept.organization === undefined && mayBeAttached(organization)) {
    const { api } = organization;
    const targets = api === 'v3' ? targetsOf(organization, destination) : [attachmentFields(organization)];
    entries.push(...targets.map((target): CleanupStatus => ({ ...at, api, kind: 'organization', ...target })));
  }
  const isLeft = destination?.managed !== false && kept.destination === undefined;
  if (isLeft && destination?.id !== undefined)
    entries.push({ ...at, api: desired.api, kind: 'destination', destinationID: destination.id });
  return entries;
}

/** Returns what a webhook may point at. `cleanup` does not list a referenced destination, and a write that was under way may have set that one. */
function targetsOf(
  { destinationID, applied, updating, state }: PortalStatus | OrganizationStatus,
  destination: DestinationStatus | undefined,
) {
  const isInFlight = updating !== undefined || state === 'pending';
  const referencedID = isInFlight && destination?.managed === false ? destination.id : undefined;
  const ids = [destinationID, applied?.destinationID, referencedID].filter((one) => one !== undefined);
  return [...new Set(ids)].map((one) => ({ destinationID: one }));
}

/** Returns what spec wants again of `cleanup`, and the entries that are left. */
function restoredOf(
  { cleanup = [] }: RecordedState,
  desired: DesiredScope,
  kept: Kept,
): { left: CleanupStatus[]; restored: RecordedState } {
  let restored: RecordedState = {};
  const left = cleanup.filter((entry) => {
    // A write that is in flight may still set this view. The entry goes when a read or an answer shows what Konnect holds.
    if (kept.organization !== undefined && isView(entry, desired)) return true;
    const found = restoreFromCleanup(entry, desired);
    if (found === undefined) return true;
    const known = restored.portals ?? [];
    const isNew = ({ id }: PortalStatus) => ![...known, ...kept.portals].some((portal) => portal.id === id);
    restored = { ...restored, ...found, portals: [...known, ...(found.portals ?? []).filter(isNew)] };
    return false;
  });
  return { left, restored };
}

/** Returns the pending creation, without the destination that has moved into `cleanup`. */
function pendingCreationOf({ name, managed, creating }: DestinationStatus): DestinationStatus {
  return { name, managed, creating };
}

/** Returns true for the organization's webhook in the API version and region that spec uses. */
export function isView(
  entry: CleanupStatus,
  desired: Pick<DesiredScope, 'organizationID' | 'region' | 'api' | 'organization'>,
): boolean {
  return (
    entry.kind === 'organization' &&
    entry.organizationID === desired.organizationID &&
    desired.organization !== undefined &&
    entry.region === desired.region &&
    entry.api === desired.api
  );
}

/** Returns the recorded state of an entry of `cleanup` that spec wants again, else undefined. */
function restoreFromCleanup(entry: CleanupStatus, desired: DesiredScope): RecordedState | undefined {
  if (entry.organizationID !== desired.organizationID) return undefined;
  const here = entry.region === desired.region;
  switch (entry.kind) {
    case 'portal': {
      const portal = here ? desired.portals.find(({ id }) => id === entry.id) : undefined;
      if (portal === undefined) return undefined;
      const { id, ref } = portal;
      const from = ref === undefined ? {} : { ref };
      return { portals: [{ id, ...from, ...attachmentFields(entry), enabled: false, state: 'pending' }] };
    }
    case 'organization':
      if (!isView(entry, desired)) return undefined;
      return { organization: { api: entry.api, ...attachmentFields(entry), enabled: false, state: 'pending' } };
    case 'destination':
      if (!desired.needsOwn || entry.destinationID === undefined) return undefined;
      return { destination: { id: entry.destinationID, name: '', managed: true } };
  }
}

function attachmentFields({
  destinationID,
  endpointDigest,
}: {
  destinationID?: string | undefined;
  endpointDigest?: string | undefined;
}) {
  return {
    ...(destinationID === undefined ? {} : { destinationID }),
    ...(endpointDigest === undefined ? {} : { endpointDigest }),
  };
}

/** Returns the recorded state without one finished entry of `cleanup`. */
export function withoutCleanup(recorded: RecordedState, done: CleanupStatus): RecordedState {
  const { cleanup = [], ...rest } = recorded;
  const left = cleanup.filter((entry) => entry !== done);
  return left.length === 0 ? rest : { ...rest, cleanup: left };
}

/** Returns the recorded state with this portal added or replaced. Portals are in the order of their IDs. */
export function withPortal(recorded: RecordedState, portal: PortalStatus): RecordedState {
  const others = (recorded.portals ?? []).filter(({ id }) => id !== portal.id);
  return { ...recorded, portals: [...others, portal].toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

const observedAccuracyMs = 3_600_000;

/**
 * Returns the recorded state of a forwarding that the operator has compared with Konnect now. The recorded time is at most an hour old,
 * so that a forwarding at rest costs one write an hour and not one for each reconciliation.
 */
export function withObservation(recorded: RecordedState, now: Date): RecordedState {
  const sinceMs = Math.abs(now.getTime() - Date.parse(recorded.lastObservedTime ?? ''));
  // A time in the future was recorded before the clock was set back.
  return sinceMs < observedAccuracyMs ? recorded : { ...recorded, lastObservedTime: now.toISOString() };
}

/** Returns true if status names the destination for a webhook, attached or still to be detached. Then it must not be deleted. */
export function isReferenced(recorded: RecordedState, destinationID: string): boolean {
  const { portals = [], organization, cleanup = [] } = recorded;
  const attachments = [...portals, ...(organization === undefined ? [] : [organization])];
  const names = (one: PortalStatus | OrganizationStatus) =>
    one.destinationID === destinationID || one.applied?.destinationID === destinationID;
  const toDetach = cleanup.filter(({ kind }) => kind !== 'destination');
  return attachments.some(names) || toDetach.some((entry) => entry.destinationID === destinationID);
}

/** Returns the name of an object in `status.corrections` and `status.drift`. */
export function objectKeyOf({ kind, id }: CleanupStatus): string {
  return kind === 'portal' ? `portal/${id ?? ''}` : kind;
}

/**
 * Returns true if the operator attached the webhook and a read or an answer confirmed it, in whatever state it is now. In the state
 * `pending` the attachment may never have happened.
 */
export function wasAttached(
  attachment: (Pick<PortalStatus, 'destinationID' | 'state'> & Pick<OrganizationStatus, 'endpointDigest'>) | undefined,
): boolean {
  const attachedTo = attachment?.destinationID ?? attachment?.endpointDigest;
  return attachedTo !== undefined && attachment?.state !== 'pending';
}

/** Returns what status records about Konnect. */
export function recordedStateOf({
  conditions: _conditions,
  observedGeneration: _generation,
  ...recorded
}: Status): RecordedState {
  return recorded;
}
