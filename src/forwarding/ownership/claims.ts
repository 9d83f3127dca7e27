/** Computes the claims of a forwarding. Pure. */
import type { AuditLogForwarding } from '../../api/v1alpha1.ts';

/** Returns the claims on webhooks in one organization and region. */
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
 * Returns the claims of a forwarding, as texts: two forwardings share a claim if they have an equal text. `organizationID` is the
 * organization that the token belongs to; without it, spec claims nothing. `resolved` are the portals that spec wants. If they are not
 * known, the claims are on the portals that spec names by ID and on those in status.
 */
export function claimsOf(
  { spec, status }: AuditLogForwarding,
  destination: string | undefined,
  organizationID = status.konnect?.organizationID,
  resolved: readonly { readonly id: string }[] | undefined = spec.portals,
): readonly string[] {
  const { konnect, portals = [], organization, cleanup = [] } = status;
  const wanted = claimsIn(organizationID, spec.konnect.region, resolved, spec.organization);
  const owned = claimsIn(konnect?.organizationID, konnect?.region, portals, organization);
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
  return [...new Set([...wanted, ...owned, ...left, ...names])];
}

/** Returns a text of everything that the ownership of other forwardings depends on. It changes only if that changes. */
export function ownershipFingerprint({ metadata, spec, status }: AuditLogForwarding): string {
  const { konnect, destination, organization, portals, cleanup, conditions } = status;
  const stalled = conditions?.find(({ type }) => type === 'Stalled')?.reason;
  const parts = conditions?.filter(({ type }) => type === 'SecretsResolved' || type === 'DestinationReady');
  const isFalse = parts?.map(({ type, status: is, reason }) => [type, is, reason]);
  const isReconciled = status.observedGeneration === metadata.generation;
  const { uid, deletionTimestamp } = metadata;
  const named = [destination?.id, destination?.name];
  return JSON.stringify([
    uid,
    deletionTimestamp,
    spec,
    konnect,
    named,
    organization,
    portals,
    cleanup,
    stalled,
    isFalse,
    isReconciled,
  ]);
}

/** Returns `namespace/name`. */
export function nameOf({ metadata }: AuditLogForwarding): string {
  return `${metadata.namespace}/${metadata.name}`;
}
