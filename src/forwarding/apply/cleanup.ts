/** Undoes in Konnect what status remembers as ours and nobody wants any longer. Nothing of somebody else's is ever touched. */
import type { AuditLogsAPI, CleanupStatus } from '../../api/v1alpha1.ts';
import { KonnectError } from '../../konnect/errors.ts';
import { withoutCleanup } from '../../status/recorded-state.ts';
import { endpointDigest } from '../desired/desired-state.ts';
import { whatPointsAt } from '../observed/destination-users.ts';
import type { Konnect } from '../ports.ts';
import { type Problem, problemOf, reasons, stalled, waiting } from '../problems.ts';
import type { Successor } from '../reconcile-context.ts';
import { announce, beforeWrite, type Pass } from '../reconcile-context.ts';

/** Konnect forgets a detached webhook within a minute. */
const detachedForgottenAfterMs = 60_000;

const order: readonly CleanupStatus['kind'][] = ['portal', 'organization', 'destination'];

/**
 * Works through `cleanup`, webhooks before destinations, and takes out of memory what is proved to be undone. Answers what could not be.
 * With `only`, other entries are left for later.
 */
export async function cleanUp(
  pass: Pass,
  only: (entry: CleanupStatus) => boolean = () => true,
): Promise<readonly Problem[]> {
  const { draft } = pass;
  const entries = (draft.memory.cleanup ?? [])
    .filter(only)
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  if (entries.length > 0)
    await beforeWrite(pass, `undoing in Konnect: ${entries.map(objectOf).slice(0, 3).join(', ')}`);
  const problems: Problem[] = [];
  const hindered = new Set<string>();
  for (const entry of entries) {
    const reach = konnectFor(pass, entry);
    if (reach === undefined) {
      const problem = leftBehind(pass, entry);
      if (draft.forwarding.spec.deletionPolicy === 'Retain') {
        announce(
          pass,
          'Warning',
          problem.reason,
          'Release',
          `let go of ${objectOf(entry)} in organization ${entry.organizationID}`,
        );
        draft.memory = withoutCleanup(draft.memory, entry);
      } else problems.push(problem);
      continue;
    }
    // Konnect may let a destination go that a webhook still points at.
    if (entry.kind === 'destination' && hindered.has(entry.organizationID)) continue;
    try {
      const problem = await undo({ ...pass, konnect: reach }, entry);
      if (problem === undefined) {
        draft.memory = withoutCleanup(draft.memory, entry);
        continue;
      }
      problems.push(problem);
    } catch (error) {
      if (!(error instanceof KonnectError) || pass.signal.aborted) throw error;
      problems.push(problemOf(error, objectOf(entry), pass.tokenSource));
    }
    hindered.add(entry.organizationID);
  }
  return problems;
}

function konnectFor(pass: Pass, { organizationID }: CleanupStatus): Konnect | undefined {
  const here = pass.draft.memory.konnect?.organizationID === organizationID;
  return here ? pass.konnect : pass.konnectIn(organizationID);
}

function leftBehind(pass: Pass, entry: CleanupStatus): Problem {
  return stalled(
    reasons.leftBehind,
    `${objectOf(entry)} still stands in organization ${entry.organizationID}, and no token of that organization is known: put one into ${pass.tokenSource} until the forwarding is back there, then this one again; or remove it there by hand and set spec.deletionPolicy to Retain`,
  );
}

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

async function undo(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  switch (entry.kind) {
    case 'portal':
      return detachPortal(pass, entry);
    case 'organization':
      return entry.api === 'v3' ? detachOrganization(pass, entry) : detachInline(pass, entry);
    case 'destination':
      return deleteDestination(pass, entry.api, entry.destinationID);
  }
}

/** Ours is what points at the destination that the entry names, at the one we have now, or at one that is about to go. */
function pointsAtOurs({ draft }: Pass, entry: CleanupStatus, destinationID: string | undefined): boolean {
  const { destination, cleanup = [] } = draft.memory;
  const leaving = cleanup.filter(({ kind }) => kind === 'destination').map((one) => one.destinationID);
  return destinationID !== undefined && [entry.destinationID, destination?.id, ...leaving].includes(destinationID);
}

async function detachPortal(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = pass.konnect;
  const { region, id } = entry;
  if (id === undefined) return undefined;
  const webhook = await client.getPortalWebhook(region, id, pass.signal);
  const destinationID = webhook?.destinationID;
  if (destinationID === undefined || !pointsAtOurs(pass, entry, destinationID)) return undefined;
  const successor = pass.successor(entry, destinationID);
  if (successor !== undefined) return handingOver(entry, successor);
  let result = await client.deletePortalWebhook(region, id, pass.signal);
  if (result === 'conflict') {
    await client.updatePortalWebhook(region, id, { destinationID, enabled: false }, pass.signal);
    result = await client.deletePortalWebhook(region, id, pass.signal);
  }
  return result === 'conflict' ? stillDetaching(entry) : detached(pass, entry);
}

async function detachOrganization(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = pass.konnect;
  const webhook = await client.getOrganizationWebhook(entry.region, pass.signal);
  if (!pointsAtOurs(pass, entry, webhook?.destinationID)) return undefined;
  const successor = pass.successor(entry, webhook?.destinationID);
  if (successor !== undefined) return handingOver(entry, successor);
  const result = await client.deleteOrganizationWebhook(entry.region, pass.signal);
  return result === 'conflict' ? stillDetaching(entry) : detached(pass, entry);
}

/** v2 knows no DELETE: switched off there, and emptied by v3's, unless that view names a destination, which is then not ours. */
async function detachInline(pass: Pass, entry: CleanupStatus): Promise<Problem | undefined> {
  const { client } = pass.konnect;
  const { uid } = pass.draft.forwarding.metadata;
  const isOurs = (endpoint: string | undefined) =>
    endpoint !== undefined && endpointDigest(uid, endpoint) === entry.endpointDigest;
  const webhook = await client.getInlineWebhook(entry.region, pass.signal);
  if (!isOurs(webhook?.endpoint)) return undefined;
  const attached = await client.getOrganizationWebhook(entry.region, pass.signal);
  const otherID = pointsAtOurs(pass, entry, attached?.destinationID) ? undefined : attached?.destinationID;
  if (otherID !== undefined) {
    // Where a destination is named, v2 shows the endpoint of that one, which may be the same as ours.
    const other = await client.getDestination(entry.api, otherID, pass.signal);
    if (isOurs(other?.endpoint)) return undefined;
  }
  const successor = pass.successor(entry);
  if (successor !== undefined) return handingOver(entry, successor);
  if (webhook?.enabled === true) await client.disableInlineWebhook(entry.region, pass.signal);
  if (otherID === undefined) {
    const result = await client.deleteOrganizationWebhook(entry.region, pass.signal);
    if (result === 'conflict') return stillDetaching(entry);
  }
  return detached(pass, entry);
}

/** By re-pointing, so that there is no moment without forwarding. */
function handingOver(entry: CleanupStatus, { by, hasIt }: Successor): Problem | undefined {
  if (hasIt) return undefined;
  return waiting(
    reasons.handingOver,
    `${objectOf(entry)} is left as it is until AuditLogForwarding ${by} has taken it over`,
  );
}

function stillDetaching(entry: CleanupStatus): Problem {
  return waiting(reasons.detaching, `Konnect does not let go of ${objectOf(entry)} yet (HTTP 409); trying again`);
}

function detached(pass: Pass, entry: CleanupStatus): undefined {
  announce(pass, 'Normal', 'WebhookDetached', 'Detach', `detached ${objectOf(entry)}`);
  return undefined;
}

/** Undefined once it is gone. Konnect takes a while to release a destination after the last webhook was detached: 409 until then. */
export async function deleteDestination(
  pass: Pass,
  api: AuditLogsAPI,
  id: string | undefined,
): Promise<Problem | undefined> {
  if (id === undefined) return undefined;
  const result = await pass.konnect.client.deleteDestination(api, id, pass.signal);
  if (result === 'in-use') return inUse(pass, id);
  if (result === 'deleted')
    announce(pass, 'Normal', 'DestinationDeleted', 'Delete', `deleted destination ${id} from Konnect`);
  return undefined;
}

/** Konnect does not say who uses it, so it is asked webhook by webhook; not before it can only be somebody else. */
async function inUse(pass: Pass, id: string): Promise<Problem> {
  const lastsForMs = pass.inUseForMs(id);
  const tell = (message: string): Problem => ({ ...waiting(reasons.destinationInUse, message), lastsForMs });
  if (lastsForMs < detachedForgottenAfterMs)
    return tell(
      `Konnect holds destination ${id} in use (HTTP 409), as it does for a while after webhooks were detached; if it lasts, this will say what else uses it`,
    );
  const { webhooks, regions } = await whatPointsAt(pass, id);
  if (webhooks.length === 0)
    return tell(
      `Konnect holds destination ${id} in use (HTTP 409), by no webhook that the token sees in ${regions.join(' and ')}: look in other regions and at other portals, and detach it there`,
    );
  return tell(
    `Konnect holds destination ${id} in use (HTTP 409) by ${webhooks.join(', ')}, not this forwarding's: detach or re-point that in Konnect`,
  );
}
