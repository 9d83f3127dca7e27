import type { AuditLogForwarding } from '../../api/v1alpha1.ts';

export function claimsIn(
  organizationID: string | undefined,
  region: string | undefined,
  portals: readonly { readonly id: string }[] | undefined,
  organization: object | undefined,
): string[] {
  if (organizationID === undefined || region === undefined) return [];
  return [
    ...(portals ?? []).map(({ id }) => `${organizationID}/${region}/portal/${id}`),
    ...(organization === undefined ? [] : [`${organizationID}/${region}/organization`]),
  ];
}

/**
 * What two forwardings can want or hold both, as texts that are equal where they do. What spec wants counts in `organizationID`, the
 * organization that the token has proved; nobody claims anything before. `found`: the portals that spec was found to want; where that is
 * not known, those that it names by ID, and status those that it refers to.
 */
export function claimsOf(
  { spec, status }: AuditLogForwarding,
  destination: string | undefined,
  organizationID = status.konnect?.organizationID,
  found: readonly { readonly id: string }[] | undefined = spec.portals,
): readonly string[] {
  const { konnect, portals = [], organization, cleanup = [] } = status;
  const wanted = claimsIn(organizationID, spec.konnect.region, found, spec.organization);
  const held = claimsIn(konnect?.organizationID, konnect?.region, portals, organization);
  const left = cleanup.flatMap((entry) => {
    const { kind, id } = entry;
    if (kind === 'destination') return [];
    const own = kind === 'portal' && id !== undefined ? [{ id }] : [];
    return claimsIn(entry.organizationID, entry.region, own, kind === 'organization' ? entry : undefined);
  });
  const names = [
    { where: organizationID, name: destination },
    { where: konnect?.organizationID, name: status.destination?.name },
  ].flatMap(({ where, name }) => (where === undefined || name === undefined ? [] : [`${where}/destination/${name}`]));
  return [...new Set([...wanted, ...held, ...left, ...names])];
}

/** What others look at to see whether they hold, lose or may take something: equal texts, no news for them. */
export function ownershipFingerprint({ metadata, spec, status }: AuditLogForwarding): string {
  const { konnect, destination, organization, portals, cleanup, conditions } = status;
  const stalled = conditions?.find(({ type }) => type === 'Stalled')?.reason;
  const { uid, deletionTimestamp } = metadata;
  const named = [destination?.id, destination?.name];
  return JSON.stringify([uid, deletionTimestamp, spec, konnect, named, organization, portals, cleanup, stalled]);
}

export function nameOf({ metadata }: AuditLogForwarding): string {
  return `${metadata.namespace}/${metadata.name}`;
}
