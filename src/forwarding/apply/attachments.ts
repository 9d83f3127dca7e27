/** The webhooks of a forwarding, as one list. */
import type { DesiredState } from '../desired/desired-state.ts';
import type { Plan } from '../plan/steps.ts';
import type { ReconcileContext } from '../reconcile-context.ts';
import type { Attachment } from './attachment.ts';
import { organizationAttachment } from './organization-attachment.ts';
import { portalAttachment } from './portal-attachment.ts';

/** Returns the webhooks in the order of spec, the organization's last. */
export function attachmentsOf(context: ReconcileContext, desired: DesiredState, plan: Plan): Attachment[] {
  const { organization } = desired;
  const portals = desired.portals.map((portal) =>
    portalAttachment(context, desired, portal, plan.portals.get(portal.id) ?? { kind: 'missing' }),
  );
  if (organization === undefined || plan.organization === undefined) return portals;
  return [...portals, organizationAttachment(context, desired, organization.enabled, plan.organization)];
}
