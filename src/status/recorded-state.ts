/** What status remembers of Konnect, and how the memory changes with what is wanted. Pure. */
import type {
  AuditLogsAPI,
  CleanupStatus,
  DestinationStatus,
  OrganizationStatus,
  PortalStatus,
  Status,
} from '../api/v1alpha1.ts';

/** What is wanted, as far as it decides what has to be let go. */
export interface Extent {
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
export function nothingWanted(region: string, api: AuditLogsAPI, organizationID: string): Extent {
  return { region, api, organizationID, needsOwn: false, usesDestination: false, organization: undefined, portals: [] };
}

/** True where something of ours may stand in Konnect. */
export function holdsAnything({ destination, organization, portals, cleanup }: Status): boolean {
  return (
    destination?.id !== undefined ||
    destination?.creating !== undefined ||
    isOurs(organization) ||
    (portals ?? []).some(isOurs) ||
    (cleanup ?? []).length > 0
  );
}

/** Attached, or about to be: an entry that was refused from the start names neither a destination nor an endpoint. */
export function isOurs(
  attachment: { readonly destinationID?: string | undefined; readonly endpointDigest?: string | undefined } | undefined,
): boolean {
  return attachment?.destinationID !== undefined || attachment?.endpointDigest !== undefined;
}

/**
 * The memory once everything that is no longer wanted has moved into `cleanup`. It has to be written before its replacement is made.
 * What is wanted again leaves `cleanup` and is remembered as ours.
 */
export function release(memory: Status, wanted: Extent): Status {
  const { cleanup = [], organization, portals = [], destination, ...rest } = memory;
  const before = memory.konnect ?? wanted;
  const leftOrganization = before.organizationID !== wanted.organizationID;
  const moved = leftOrganization || before.region !== wanted.region;
  const at = { organizationID: before.organizationID, region: before.region };
  const released: CleanupStatus[] = [];
  // Somebody else's destination is not among what is to be deleted, and a webhook may have been pointed at it just before a crash.
  const referred = destination?.managed === false ? destination.id : undefined;
  const traces = (one: Parameters<typeof trace>[0]) =>
    referred === undefined || referred === one.destinationID ? [trace(one)] : [trace(one), { destinationID: referred }];

  const kept = portals.filter((portal) => {
    if (!moved && wanted.portals.some(({ id }) => id === portal.id)) return true;
    const found = isOurs(portal) ? traces(portal) : [];
    for (const one of found) released.push({ ...at, api: 'v3', kind: 'portal', id: portal.id, ...one });
    return false;
  });
  const keepsOrganization =
    organization !== undefined && !moved && wanted.organization !== undefined && organization.api === wanted.api;
  if (organization !== undefined && !keepsOrganization && isOurs(organization)) {
    const found = organization.api === 'v3' ? traces(organization) : [trace(organization)];
    for (const one of found) released.push({ ...at, api: organization.api, kind: 'organization', ...one });
  }
  const isOwn = destination?.managed !== false;
  const keeps = !leftOrganization && (isOwn ? wanted.needsOwn : wanted.usesDestination && !wanted.needsOwn);
  if (destination?.id !== undefined && isOwn && !keeps) {
    released.push({ ...at, api: wanted.api, kind: 'destination', destinationID: destination.id });
  }
  const intent = destination?.creating === undefined ? undefined : intentOf(destination);
  const keptDestination = keeps ? destination : intent;

  let recalled: Status = {};
  const left = cleanup.filter((entry) => {
    // What a write under way may set: it goes when a read or an answer has shown what stands.
    if (keepsOrganization && isView(entry, wanted)) return true;
    const again = recall(entry, wanted);
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
function intentOf({ name, managed, creating }: DestinationStatus): DestinationStatus {
  return { name, managed, creating };
}

/** True for an entry about the view of the organization's webhook that is in use. */
export function isView(
  entry: CleanupStatus,
  wanted: Pick<Extent, 'organizationID' | 'region' | 'api' | 'organization'>,
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
function recall(entry: CleanupStatus, wanted: Extent): Status | undefined {
  if (entry.organizationID !== wanted.organizationID) return undefined;
  const here = entry.region === wanted.region;
  switch (entry.kind) {
    case 'portal': {
      const portal = here ? wanted.portals.find(({ id }) => id === entry.id) : undefined;
      if (portal === undefined) return undefined;
      const { id, ref } = portal;
      const from = ref === undefined ? {} : { ref };
      return { portals: [{ id, ...from, ...trace(entry), enabled: false, state: 'pending' }] };
    }
    case 'organization':
      if (!isView(entry, wanted)) return undefined;
      return { organization: { api: entry.api, ...trace(entry), enabled: false, state: 'pending' } };
    case 'destination':
      if (!wanted.needsOwn || entry.destinationID === undefined) return undefined;
      return { destination: { id: entry.destinationID, name: '', managed: true } };
  }
}

function trace({
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
export function withoutCleanup(memory: Status, done: CleanupStatus): Status {
  const { cleanup = [], ...rest } = memory;
  const left = cleanup.filter((entry) => entry !== done);
  return left.length === 0 ? rest : { ...rest, cleanup: left };
}

/** The memory with this portal entered or replaced, in the order of IDs. */
export function withPortal(memory: Status, portal: PortalStatus): Status {
  const others = (memory.portals ?? []).filter(({ id }) => id !== portal.id);
  return { ...memory, portals: [...others, portal].toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** As `status.corrections` and `status.drift` call it. */
export function objectKeyOf({ kind, id }: CleanupStatus): string {
  return kind === 'portal' ? `portal/${id ?? ''}` : kind;
}

/**
 * Attached by us once, and seen so, whatever keeps us from it since: `pending` may never have come to pass. By its destination, or by
 * the endpoint of an inline webhook.
 */
export function wasOurs(
  remembered: (Pick<PortalStatus, 'destinationID' | 'state'> & Pick<OrganizationStatus, 'endpointDigest'>) | undefined,
): boolean {
  const attachedTo = remembered?.destinationID ?? remembered?.endpointDigest;
  return attachedTo !== undefined && remembered?.state !== 'pending';
}
