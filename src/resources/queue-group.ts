import type { AuditLogForwarding } from '../api/v1alpha1.ts';

/**
 * The forwardings of one group share what they ask of Konnect, and with it Konnect's trouble: an organization and region, or as long as status
 * names no organization, a token's Secret and key, and region.
 */
export function groupOf({ metadata, spec, status }: AuditLogForwarding): string {
  const { region, tokenSecretRef } = spec.konnect;
  const organizationID = status.konnect?.organizationID;
  return organizationID === undefined
    ? `${metadata.namespace}/${tokenSecretRef.name}/${tokenSecretRef.key} ${region}`
    : `${organizationID} ${region}`;
}
