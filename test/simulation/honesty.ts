import type { AuditLogForwarding, Status } from '../../src/api/v1alpha1.ts';
import type { ForeignWrites } from './foreign-writes.ts';
import { objectOf, pointsAt, type WebhookState, webhooksOf } from './konnect-snapshot.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** Returns what the new status of a forwarding says that is not true in Konnect. */
export function untruths(
  { world, foreignWrites }: { readonly world: SimulatedWorld; readonly foreignWrites: ForeignWrites },
  of: string,
  before: Status | undefined,
  { metadata, spec, status }: AuditLogForwarding,
): string[] {
  const found: string[] = [];
  const webhooks = webhooksOf(world);
  const portal = (id: string) => webhooks.find(({ which }) => which.kind === 'portal' && which.id === id);
  for (const entry of status.portals ?? []) {
    const was = before?.portals?.find(({ id }) => id === entry.id);
    const isNews = was === undefined || (was.state !== 'on' && was.state !== 'off');
    const { webhook } = portal(entry.id) ?? {};
    const isThere =
      foreignWrites.isUnseen(`portal/${entry.id}`) ||
      (webhook?.target.kind === 'destination' && webhook.target.id === entry.destinationID);
    if (isNews && (entry.state === 'on' || entry.state === 'off') && !isThere) {
      found.push(`${of} says that portal ${entry.id} is ${entry.state}`);
    }
    if (entry.reason === 'PortalNotFound' && webhook !== undefined) {
      found.push(`${of} says that portal ${entry.id} does not exist`);
    }
  }
  if (foreignWrites.isUnseen(`destination/${status.destination?.id ?? ''}`)) return found;
  const ready = (one: Status | undefined) => one?.conditions?.find(({ type }) => type === 'Ready');
  const now = ready(status);
  const earlier = ready(before);
  const becomesReady =
    now?.status === 'True' &&
    status.observedGeneration === metadata.generation &&
    (earlier?.status !== 'True' || before?.observedGeneration !== metadata.generation);
  if (!becomesReady || spec.mode === 'Observe') return found;
  for (const { id, enabled } of spec.portals ?? []) {
    const { webhook, destination } = portal(id) ?? {};
    const isRight =
      foreignWrites.isUnseen(`portal/${id}`) ||
      (destination !== undefined && destination.id === status.destination?.id && isSetTo(enabled, webhook));
    if (!isRight) found.push(`${of} is Ready, and portal ${id} is not`);
  }
  if (spec.organization === undefined) return found;
  const organizationID = status.konnect?.organizationID;
  const one = webhooks.find(
    ({ which, organization }) =>
      which.kind === 'organization' && which.region === spec.konnect.region && organization.id === organizationID,
  );
  if (one !== undefined && foreignWrites.isUnseen(objectOf(one))) return found;
  if (one === undefined || pointsAt(one).startsWith('nothing') || !isSetTo(spec.organization.enabled, one.webhook)) {
    found.push(`${of} is Ready, and the organization's webhook is not`);
  }
  return found;
}

/** A webhook that Konnect itself switched off after failed deliveries is still set to be on. */
function isSetTo(enabled: boolean, webhook: WebhookState['webhook'] | undefined): boolean {
  return webhook?.enabled === enabled || (enabled && webhook?.isSwitchedOff === true);
}
