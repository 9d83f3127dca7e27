/** What status remembers of Konnect, and how the memory changes with what is wanted. Pure. */
import type {
  AuditLogsAPI,
  CleanupStatus,
  DestinationStatus,
  OrganizationStatus,
  PortalStatus,
  Status,
} from '../api/v1alpha1.ts';

/** Everything in `status` but its conditions: what the operator has to remember about Konnect. */
export type RecordedState = Omit<Status, 'conditions' | 'observedGeneration'>;

/** What is wanted, as far as it decides what has to be let go. */
export interface DesiredScope {
  readonly region: string;
  readonly api: AuditLogsAPI;
  readonly organizationID: string;
  /** Whether a destination of our own is wanted. */
  readonly needsOwn: boolean;
  /** Whether any is attached to. */
  readonly usesDestination: boolean;
  readonly organization: object | undefined;
  readonly portals: readonly { readonly id: string; readonly ref?: string | undefined }[];
}

/** Wanted nowhere: what deletion comes to. */
export function nothingWanted(region: string, api: AuditLogsAPI, organizationID: string): DesiredScope {
  return { region, api, organizationID, needsOwn: false, usesDestination: false, organization: undefined, portals: [] };
}

/** True where something of ours may stand in Konnect. */
export function ownsAnything({ destination, organization, portals, cleanup }: RecordedState): boolean {
  return (
    destination?.id !== undefined ||
    destination?.creating !== undefined ||
    mayBeAttached(organization) ||
    (portals ?? []).some(mayBeAttached) ||
    (cleanup ?? []).length > 0
  );
}

/** Attached, or about to be: an entry that was refused from the start names neither a destination nor an endpoint. */
export function mayBeAttached(
  attachment: { readonly destinationID?: string | undefined; readonly endpointDigest?: string | undefined } | undefined,
): boolean {
  return attachment?.destinationID !== undefined || attachment?.endpointDigest !== undefined;
}

/**
 * The memory once everything that is no longer wanted has moved into `cleanup`. It has to be written before its replacement is made.
 * What is wanted again leaves `cleanup` and is remembered as ours.
 */
export function moveUnwantedToCleanup(recorded: RecordedState, wanted: DesiredScope): RecordedState {
  const { cleanup = [], organization, portals = [], destination, ...rest } = recorded;
  const before = recorded.konnect ?? wanted;
  const leftOrganization = before.organizationID !== wanted.organizationID;
  const moved = leftOrganization || before.region !== wanted.region;
  const at = { organizationID: before.organizationID, region: before.region };
  const released: CleanupStatus[] = [];
  // Somebody else's destination is not among what is to be deleted, and a webhook may have been pointed at it just before a crash.
  const referred = destination?.managed === false ? destination.id : undefined;
  const traces = (one: Parameters<typeof attachmentFields>[0]) =>
    referred === undefined || referred === one.destinationID
      ? [attachmentFields(one)]
      : [attachmentFields(one), { destinationID: referred }];

  const kept = portals.filter((portal) => {
    if (!moved && wanted.portals.some(({ id }) => id === portal.id)) return true;
    const found = mayBeAttached(portal) ? traces(portal) : [];
    for (const one of found) released.push({ ...at, api: 'v3', kind: 'portal', id: portal.id, ...one });
    return false;
  });
  const keepsOrganization =
    organization !== undefined && !moved && wanted.organization !== undefined && organization.api === wanted.api;
  if (organization !== undefined && !keepsOrganization && mayBeAttached(organization)) {
    const found = organization.api === 'v3' ? traces(organization) : [attachmentFields(organization)];
    for (const one of found) released.push({ ...at, api: organization.api, kind: 'organization', ...one });
  }
  const isOwn = destination?.managed !== false;
  const keeps = !leftOrganization && (isOwn ? wanted.needsOwn : wanted.usesDestination && !wanted.needsOwn);
  if (destination?.id !== undefined && isOwn && !keeps) {
    released.push({ ...at, api: wanted.api, kind: 'destination', destinationID: destination.id });
  }
  const intent = destination?.creating === undefined ? undefined : pendingCreationOf(destination);
  const keptDestination = keeps ? destination : intent;

  let recalled: RecordedState = {};
  const left = cleanup.filter((entry) => {
    // What a write under way may set: it goes when a read or an answer has shown what stands.
    if (keepsOrganization && isView(entry, wanted)) return true;
    const again = restoreFromCleanup(entry, wanted);
    if (again === undefined) return true;
    const known = recalled.portals ?? [];
    const more = (again.portals ?? []).filter((portal) => !known.some(({ id }) => id === portal.id));
    recalled = { ...recalled, ...again, portals: [...known, ...more] };
    return false;
  });
  const all = [...left, ...released];
  const allPortals = [
    ...kept,
    ...(recalled.portals ?? []).filter((portal) => !kept.some(({ id }) => id === portal.id)),
  ];
  const nowDestination = keptDestination ?? recalled.destination;
  const nowOrganization = keepsOrganization ? organization : recalled.organization;
  return {
    ...rest,
    konnect: { organizationID: wanted.organizationID, region: wanted.region },
    ...(nowDestination === undefined ? {} : { destination: nowDestination }),
    ...(nowOrganization === undefined ? {} : { organization: nowOrganization }),
    ...(allPortals.length === 0 ? {} : { portals: allPortals }),
    ...(all.length === 0 ? {} : { cleanup: all }),
  };
}

/** What an intent on record comes to where its destination has gone into `cleanup`. */
function pendingCreationOf({ name, managed, creating }: DestinationStatus): DestinationStatus {
  return { name, managed, creating };
}

/** True for an entry about the view of the organization's webhook that is in use. */
export function isView(
  entry: CleanupStatus,
  wanted: Pick<DesiredScope, 'organizationID' | 'region' | 'api' | 'organization'>,
): boolean {
  return (
    entry.kind === 'organization' &&
    entry.organizationID === wanted.organizationID &&
    wanted.organization !== undefined &&
    entry.region === wanted.region &&
    entry.api === wanted.api
  );
}

/** The memory that an entry of `cleanup` comes back to where what it names is wanted again. */
function restoreFromCleanup(entry: CleanupStatus, wanted: DesiredScope): RecordedState | undefined {
  if (entry.organizationID !== wanted.organizationID) return undefined;
  const here = entry.region === wanted.region;
  switch (entry.kind) {
    case 'portal': {
      const portal = here ? wanted.portals.find(({ id }) => id === entry.id) : undefined;
      if (portal === undefined) return undefined;
      const { id, ref } = portal;
      const from = ref === undefined ? {} : { ref };
      return { portals: [{ id, ...from, ...attachmentFields(entry), enabled: false, state: 'pending' }] };
    }
    case 'organization':
      if (!isView(entry, wanted)) return undefined;
      return { organization: { api: entry.api, ...attachmentFields(entry), enabled: false, state: 'pending' } };
    case 'destination':
      if (!wanted.needsOwn || entry.destinationID === undefined) return undefined;
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

/** The memory without one finished entry of `cleanup`. */
export function withoutCleanup(recorded: RecordedState, done: CleanupStatus): RecordedState {
  const { cleanup = [], ...rest } = recorded;
  const left = cleanup.filter((entry) => entry !== done);
  return left.length === 0 ? rest : { ...rest, cleanup: left };
}

/** The memory with this portal entered or replaced, in the order of IDs. */
export function withPortal(recorded: RecordedState, portal: PortalStatus): RecordedState {
  const others = (recorded.portals ?? []).filter(({ id }) => id !== portal.id);
  return { ...recorded, portals: [...others, portal].toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** As `status.corrections` and `status.drift` call it. */
export function objectKeyOf({ kind, id }: CleanupStatus): string {
  return kind === 'portal' ? `portal/${id ?? ''}` : kind;
}

/**
 * Attached by us once, and seen so, whatever keeps us from it since: `pending` may never have come to pass. By its destination, or by
 * the endpoint of an inline webhook.
 */
export function wasAttached(
  remembered: (Pick<PortalStatus, 'destinationID' | 'state'> & Pick<OrganizationStatus, 'endpointDigest'>) | undefined,
): boolean {
  const attachedTo = remembered?.destinationID ?? remembered?.endpointDigest;
  return attachedTo !== undefined && remembered?.state !== 'pending';
}
export function recordedStateOf({
  conditions: _conditions,
  observedGeneration: _generation,
  ...recorded
}: Status): RecordedState {
  return recorded;
}
