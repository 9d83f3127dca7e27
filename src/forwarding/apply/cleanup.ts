/** Removes from Konnect what `status.cleanup` lists. It never changes an object that the operator does not own. */
import type { CleanupStatus } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import { isReferenced, withoutCleanup } from '../../status/recorded-state.ts';
import { endpointDigest } from '../desired/desired-state.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import type { Successor } from '../reconcile-context.ts';
import { beforeWrite, type ReconcileContext, recordEvent } from '../reconcile-context.ts';
import { deleteDestination } from './delete-destination.ts';
import { isUnseen } from './unseen-portal.ts';

const order: readonly CleanupStatus['kind'][] = ['portal', 'organization', 'destination'];

/**
 * Detaches webhooks, those of all portals at once, then deletes destinations, and removes each finished entry from `cleanup`. Returns the
 * problems of the others. `only` selects the entries.
 */
export async function cleanUp(
  context: ReconcileContext,
  only: (entry: CleanupStatus) => boolean = () => true,
): Promise<readonly Problem[]> {
  const { status } = context;
  const entries = (status.recorded.cleanup ?? [])
    .filter(only)
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  // Konnect may delete a destination although a webhook still points at it.
  const isInUse = ({ kind, destinationID }: CleanupStatus) =>
    kind === 'destination' && isReferenced(status.recorded, destinationID ?? '');
  const canUndo = (entry: CleanupStatus) => context.konnectIn(entry.organizationID) !== undefined && !isInUse(entry);
  if (entries.some(canUndo))
    await beforeWrite(context, `cleaning up in Konnect: ${entries.map(objectOf).slice(0, 3).join(', ')}`);
  const finish = async (entry: CleanupStatus): Promise<readonly Problem[]> => {
    const konnect = context.konnectIn(entry.organizationID);
    if (isInUse(entry) && konnect !== undefined) return [];
    const outcome = konnect === undefined ? giveUp(context, entry) : await attempt({ ...context, konnect }, entry);
    if (outcome === undefined) status.recorded = withoutCleanup(status.recorded, entry);
    return outcome === undefined || outcome === 'kept' ? [] : [outcome];
  };
  const problems: Problem[] = [];
  for (const kind of order) {
    const ofKind = entries.filter((entry) => entry.kind === kind);
    // The two views of the organization's webhook are one setting.
    if (kind === 'organization') for (const entry of ofKind) problems.push(...(await finish(entry)));
    else problems.push(...(await Promise.all(ofKind.map(finish))).flat());
  }
  return problems;
}

/** What became of an entry. Undefined: it is finished. `kept`: the operator looks at it again in the next reconciliation. */
type Outcome = Problem | 'kept' | undefined;

async function attempt(context: ReconcileContext, entry: CleanupStatus): Promise<Outcome> {
  try {
    return await undo(context, entry);
  } catch (error) {
    if (!(error instanceof KonnectError) || context.signal.aborted) throw error;
    // The token in the Secret belongs to another organization by now, and is not the one that Konnect refuses.
    const isRevoked = error.kind === 'Unauthorized' && !context.isCurrentToken(entry.organizationID);
    if (!isRevoked) return problemOf(error, objectOf(entry), context);
    context.forgetToken(entry.organizationID);
    return giveUp(context, entry);
  }
}

/** Returns the problem of an entry that no known token reaches. With `deletionPolicy: Retain` it records an event instead. */
function giveUp(context: ReconcileContext, entry: CleanupStatus): Problem | undefined {
  const problem = leftBehind(context, entry);
  if (context.status.forwarding.spec.deletionPolicy !== 'Retain') return problem;
  const note = `gave up ${objectOf(entry)} in organization ${entry.organizationID} without cleaning up`;
  recordEvent(context, 'Warning', problem.reason, 'Release', note);
  return undefined;
}

function leftBehind(context: ReconcileContext, entry: CleanupStatus): Problem {
  return stalled(
    reasons.leftBehind,
    `the operator cannot clean up ${objectOf(entry)} in organization ${entry.organizationID} because it knows no token of that organization: put one into ${context.tokenSource} until status.konnect.organizationID shows that organization, then put the present token back; or clean up by hand and set spec.deletionPolicy to Retain`,
  );
}

/** Returns the name of an entry for messages. */
export function objectOf(entry: CleanupStatus): string {
  switch (entry.kind) {
    case 'portal':
      return `portal ${entry.id ?? ''} in region ${entry.region}`;
    case 'organization':
      return `the organization's webhook in region ${entry.region}`;
    case 'destination':
      return `destination ${entry.destinationID ?? ''}`;
  }
}

async function undo(context: ReconcileContext, entry: CleanupStatus): Promise<Outcome> {
  switch (entry.kind) {
    case 'portal':
      return detachPortal(context, entry);
    case 'organization':
      return entry.api === 'v3' ? detachOrganization(context, entry) : detachInline(context, entry);
    case 'destination':
      return deleteDestination(context, entry.api, entry.destinationID);
  }
}

/** Returns true if the destination is the one that the entry names, the current one, or one that is to be deleted. */
function pointsAtOurs({ status }: ReconcileContext, entry: CleanupStatus, destinationID: string | undefined): boolean {
  const { destination, cleanup = [] } = status.recorded;
  // Another client may point a webhook at a destination that spec only refers to.
  const ownID = destination?.managed === false ? undefined : destination?.id;
  const leaving = cleanup.filter(({ kind }) => kind === 'destination').map((one) => one.destinationID);
  return destinationID !== undefined && [entry.destinationID, ownID, ...leaving].includes(destinationID);
}

async function detachPortal(context: ReconcileContext, entry: CleanupStatus): Promise<Outcome> {
  const { client } = context.konnect;
  const { region, id } = entry;
  if (id === undefined) return undefined;
  const webhook = await client.getPortalWebhook(region, id, context.signal);
  if (webhook === undefined) return (await isUnseen(context, entry, id)) ? 'kept' : undefined;
  const { destinationID } = webhook;
  if (destinationID === undefined || !pointsAtOurs(context, entry, destinationID)) return undefined;
  const successor = context.successor(entry, { kind: 'attached', destinationID });
  if (successor !== undefined) return handingOver(entry, successor);
  let result = await client.deletePortalWebhook(region, id, context.signal);
  if (result === 'conflict') {
    await client.updatePortalWebhook(region, id, { destinationID, enabled: false }, context.signal);
    result = await client.deletePortalWebhook(region, id, context.signal);
  }
  return result === 'conflict' ? stillDetaching(entry) : detached(context, entry, webhook.enabled);
}

async function detachOrganization(context: ReconcileContext, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = context.konnect;
  const webhook = await client.getOrganizationWebhook(entry.region, context.signal);
  const destinationID = webhook?.destinationID;
  if (destinationID === undefined || !pointsAtOurs(context, entry, destinationID)) return undefined;
  const successor = context.successor(entry, { kind: 'attached', destinationID });
  if (successor !== undefined) return handingOver(entry, successor);
  const result = await client.deleteOrganizationWebhook(entry.region, context.signal);
  return result === 'conflict' ? stillDetaching(entry) : detached(context, entry, webhook?.enabled === true);
}

/**
 * Switches the inline webhook off, since v2 has no DELETE, and clears it with the DELETE of v3. It leaves v3 unchanged if that view names
 * a destination of another client.
 */
async function detachInline(context: ReconcileContext, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = context.konnect;
  const { uid } = context.status.forwarding.metadata;
  const isOurs = (endpoint: string | undefined) =>
    endpoint !== undefined && endpointDigest(uid, endpoint) === entry.endpointDigest;
  const webhook = await client.getInlineWebhook(entry.region, context.signal);
  if (!isOurs(webhook?.endpoint)) return undefined;
  const attached = await client.getOrganizationWebhook(entry.region, context.signal);
  const otherID = pointsAtOurs(context, entry, attached?.destinationID) ? undefined : attached?.destinationID;
  if (otherID !== undefined) {
    // v2 shows the endpoint of the destination that v3 names. It may be equal to the endpoint of this forwarding.
    const other = await client.getDestination(entry.api, otherID, context.signal);
    if (isOurs(other?.endpoint)) return undefined;
  }
  const successor = context.successor(entry, { kind: 'inline' });
  if (successor !== undefined) return handingOver(entry, successor);
  if (webhook?.enabled === true) await client.disableInlineWebhook(entry.region, context.signal);
  if (otherID === undefined) {
    const result = await client.deleteOrganizationWebhook(entry.region, context.signal);
    if (result === 'conflict') return stillDetaching(entry);
  }
  return detached(context, entry, webhook?.enabled === true);
}

/** Returns the problem until the next owner has pointed the webhook at its own destination, so that forwarding never stops. */
function handingOver(entry: CleanupStatus, { by, hasIt }: Successor): Problem | undefined {
  if (hasIt) return undefined;
  return waiting(
    reasons.handingOver,
    `the operator leaves ${objectOf(entry)} unchanged until AuditLogForwarding ${by} has taken over the webhook`,
  );
}

function stillDetaching(entry: CleanupStatus): Problem {
  return waiting(reasons.detaching, `Konnect refuses to detach ${objectOf(entry)} (HTTP 409); the operator retries`);
}

/** Records an event. It is a Warning if audit logs stop because of a change of spec, and not because the forwarding is deleted. */
function detached(context: ReconcileContext, entry: CleanupStatus, wasEnabled: boolean): undefined {
  const { forwarding, recorded } = context.status;
  const { konnect, organization } = forwarding.spec;
  // After a change of `auditLogsAPI`, the other view of the same webhook goes on forwarding.
  const isOtherView =
    entry.kind === 'organization' &&
    organization !== undefined &&
    entry.region === konnect.region &&
    entry.organizationID === recorded.konnect?.organizationID;
  const note = `detached ${objectOf(entry)}`;
  if (!wasEnabled || isOtherView || forwarding.metadata.deletionTimestamp !== undefined)
    recordEvent(context, 'Normal', 'WebhookDetached', 'Detach', note);
  else {
    const why = 'because spec no longer wants it; Konnect no longer sends its audit logs';
    recordEvent(context, 'Warning', 'WebhookDetached', 'Detach', `${note} ${why}`);
  }
  return undefined;
}
