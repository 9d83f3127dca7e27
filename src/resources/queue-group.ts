import type { AuditLogForwarding } from '../api/v1alpha1.ts';
import { tokenPlace } from '../forwarding/desired/token.ts';

/**
 * Returns the group of a forwarding in the work queue. The forwardings of one group share the requests to Konnect and its outages: those of one
 * organization and region. While status names no organization, those whose token is in the same place, and the same region.
 */
export function groupOf(forwarding: AuditLogForwarding): string {
  const organizationID = forwarding.status.konnect?.organizationID;
  return `${organizationID ?? tokenPlace(forwarding)} ${forwarding.spec.konnect.region}`;
}
