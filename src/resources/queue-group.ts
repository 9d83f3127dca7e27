import type { AuditLogForwarding } from '../api/v1alpha1.ts';

/**
 * Returns the group of a forwarding in the work queue. The forwardings of one group share the requests to Konnect and its outages: those of one
 * organization and region. While status names no organization, those with the same key of the same token Secret, and the same region.
 */
export function groupOf({ metadata, spec, status }: AuditLogForwarding): string {
  const { region, tokenSecretRef } = spec.konnect;
  const organizationID = status.konnect?.organizationID;
  return organizationID === undefined
    ? `${metadata.namespace}/${tokenSecretRef.name}/${tokenSecretRef.key} ${region}`
    : `${organizationID} ${region}`;
}
